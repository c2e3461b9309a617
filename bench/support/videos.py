"""Videos of one face or eight, moving or still, from a clip if available, otherwise of synthetic faces."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, takewhile
from pathlib import Path

import cv2
import numpy as np

from bench.support.frames import MEDIA, backdrop, paste, synthetic_face
from fer_core.faces import RgbImage

_CLIP = MEDIA / "woman_turning_640x360_20s.mp4"
_NOISE_LEVELS = 2.0
"""Standard deviation of camera noise, in gray levels."""


def make_video(width: int, height: int, faces: int, seconds: float, *, moving: bool) -> list[tuple[RgbImage, float]]:
    """Make a video with one face, about half as high as the frame, or with eight in tiles.

    The clip shows a woman who turns her head and speaks, at 23.6 frames per second; a synthetic face slides sideways.

    Args:
        width: pixels.
        height: pixels.
        faces: 1 or 8.
        seconds: duration.
        moving: whether the faces move; otherwise the first frame is repeated with camera noise.

    Returns:
        The frames, and the time of each in seconds.
    """
    frames = [*takewhile(lambda frame: frame[1] < seconds, clip_frames(_CLIP) if _CLIP.is_file() else _slide_face())]
    starts = range(0, len(frames), max(1, len(frames) // faces))
    videos = [[image for image, _ in (*frames[start:], *frames[:start])] for start in [*starts][:faces]]
    times = [at_s for _, at_s in frames]
    if moving:
        return [(_tile([video[index] for video in videos], width, height), at_s) for index, at_s in enumerate(times)]
    still = _tile([video[0] for video in videos], width, height).astype(np.float32)
    noise = np.random.default_rng(0).normal(0, _NOISE_LEVELS, (*still.shape[:2], 1)).astype(np.float32)
    noisy = [np.clip(still + np.roll(noise, 97 * k, (0, 1)), 0, 255).astype(np.uint8) for k in range(len(times))]
    return list(zip(noisy, times, strict=True))


def clip_frames(path: Path) -> Iterator[tuple[RgbImage, float]]:
    """Yield the frames of a video file and their times in seconds."""
    import av

    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), float(frame.time or 0)


def _slide_face() -> Iterator[tuple[RgbImage, float]]:
    """Yield frames and times of a synthetic face that slides sideways."""
    scene = backdrop(synthetic_face(0), 640, 360)
    for index in count():
        image = scene.copy()
        paste(image, synthetic_face(0), 0.5 + 0.05 * float(np.sin(index / 5)), 0.5, 0.6)
        yield image, index / 30


def _tile(images: list[RgbImage], width: int, height: int) -> RgbImage:
    """Arrange one image, or eight in two rows of four, on gray."""
    columns = 1 if len(images) == 1 else 4
    tile = width // columns, width // columns * 9 // 16
    frame = np.full((height, width, 3), 127, np.uint8)
    for number, image in enumerate(images):
        left, top = number % columns * tile[0], number // columns * (height // (len(images) // columns))
        frame[top : top + tile[1], left : left + tile[0]] = cv2.resize(image, tile, interpolation=cv2.INTER_CUBIC)
    return frame
