"""A camera video with its frame's number in the picture, and the script that reads it in a browser."""

from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np

from bench.support.frames import MEDIA
from bench.support.videos import clip_frames

FPS = 30
FRAMES = 300
_BITS = 9
_SQUARE_01 = 1 / 24
"""Side of a bit's square, as a share of the picture's height; the squares are in the upper left corner."""

READ_CODE = f"""
const readCode = (() => {{
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d", {{ willReadFrequently: true }});
    return (video) => {{
        const side = video.videoHeight * {_SQUARE_01};
        [canvas.width, canvas.height] = [{_BITS}, 1];
        context.drawImage(video, 0, side / 4, {_BITS} * side, side / 2, 0, 0, {_BITS}, 1);
        const {{ data }} = context.getImageData(0, 0, {_BITS}, 1);
        let code = 0;
        for (let bit = 0; bit < {_BITS}; bit++) code = 2 * code + (data[4 * bit] >= 128 ? 1 : 0);
        return code;
    }};
}})();
const behindMs = (newer, older) => ((newer - older + {FRAMES}) % {FRAMES}) * 1000 / {FPS};
"""
"""`readCode(video)` returns the number of the frame that a video shows, `behindMs(a, b)` how much older `b` is."""


def write_coded_video(target: Path, width: int, height: int) -> Path:
    """Write ten seconds of a woman turning her head, as motion JPEG for the browser's camera."""
    clip = MEDIA / "woman_turning_640x360_20s.mp4"
    side = round(height * _SQUARE_01)
    frames = islice(cycle([image for image, _ in clip_frames(clip)]), FRAMES)
    with target.open("wb") as file:
        for number, image in enumerate(frames):
            picture = _cover(image, width, height)
            for bit in range(_BITS):
                picture[:side, bit * side : (bit + 1) * side] = 255 * (number >> (_BITS - 1 - bit) & 1)
            file.write(cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())
    return target


def _cover(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Scale and cut to a size."""
    scale = max(width / image.shape[1], height / image.shape[0])
    large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    top, left = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    return np.ascontiguousarray(large[top : top + height, left : left + width])
