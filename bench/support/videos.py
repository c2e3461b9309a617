"""Videos of one face or eight, moving or still, made of a clip; of synthetic faces where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import cv2
import numpy as np

from bench.support.frames import MEDIA, backdrop, paste, synthetic_face
from fer_core.faces import RgbImage

_CLIP = MEDIA / "woman_turning_640x360_20s.mp4"
_NOISE_LEVELS = 2.0
"""Deviation of a camera's noise, in gray levels."""


def video(width: int, height: int, faces: int, seconds: float, *, moving: bool) -> list[tuple[RgbImage, float]]:
    """A video with one face, about half as high as its frames, or with eight, each in a tile of its own, and when each
    frame was taken. `moving`: a person turns her head and speaks; else she sits still and there is the camera's noise.

    Of a clip, 23.6 frames a second; of synthetic faces that slide to and fro where there is none.

    Args:
        width: pixels.
        height: pixels.
        faces: 1 or 8.
        seconds: how long.
        moving: whether the faces move.
    """
    seen = [*takewhile(lambda each: each[1] < seconds, clip_frames(_CLIP))] if _CLIP.is_file() else _sliding(seconds)
    starts = range(0, len(seen), max(1, len(seen) // faces))
    videos = [[picture for picture, _ in (*seen[start:], *seen[:start])] for start in [*starts][:faces]]
    times = [at_s for _, at_s in seen]
    if moving:
        return [(_tiled([each[place] for each in videos], width, height), at_s) for place, at_s in enumerate(times)]
    still = _tiled([each[0] for each in videos], width, height).astype(np.float32)
    noise = np.random.default_rng(0).normal(0, _NOISE_LEVELS, (*still.shape[:2], 1)).astype(np.float32)
    noisy = [np.clip(still + np.roll(noise, 97 * k, (0, 1)), 0, 255).astype(np.uint8) for k in range(len(times))]
    return list(zip(noisy, times, strict=True))


def clip_frames(path: Path) -> Iterator[tuple[RgbImage, float]]:
    """The frames of a video file, and when each was taken in seconds."""
    import av

    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), float(frame.time or 0)


def _sliding(seconds: float) -> list[tuple[RgbImage, float]]:
    scene = backdrop(synthetic_face(0), 640, 360)
    pictures = []
    for place in range(round(seconds * 30)):
        picture = scene.copy()
        paste(picture, synthetic_face(0), 0.5 + 0.05 * float(np.sin(place / 5)), 0.5, 0.6)
        pictures.append((picture, place / 30))
    return pictures


def _tiled(pictures: list[RgbImage], width: int, height: int) -> RgbImage:
    """The pictures side by side: one alone, or eight in two rows of four, on gray."""
    across = 1 if len(pictures) == 1 else 4
    side = width // across, width // across * 9 // 16
    frame = np.full((height, width, 3), 127, np.uint8)
    for number, picture in enumerate(pictures):
        left, top = number % across * side[0], number // across * (height // (len(pictures) // across))
        frame[top : top + side[1], left : left + side[0]] = cv2.resize(picture, side, interpolation=cv2.INTER_CUBIC)
    return frame
