"""What light, lens, sensor and file do to a face: nothing moves, values change.

Every function takes a face (uint8, shape (H, W, 3), RGB), a strength and a generator, and returns a new face.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_core.faces import RgbImage

FACE_PX = 48
"""The width of a face that pixels as a unit refer to."""

_GAMMA = 2.2
"""Gray levels are about this root of the light that fell on the sensor (sRGB, roughly)."""
_SHOT_NOISE = 0.012
"""Deviation of the light's own noise at full light, as a share of it; it falls with the root of the light."""
_READ_NOISE = 0.0012
"""Deviation of the sensor's noise, as a share of full light."""
_TILT_DEG = 35
"""How far above or below the horizon a lamp at the side may stand."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in the gray that a network is given; ITU-R BT.601."""


def gaussian_blur(face: RgbImage, sigma_px: float, rng: np.random.Generator) -> RgbImage:
    """Gaussian blur; `sigma_px` on a face 48 px wide, scaled to this one's width."""
    import cv2

    del rng
    sigma = sigma_px * face.shape[1] / FACE_PX
    return np.asarray(cv2.GaussianBlur(face, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.uint8)


def downscale(face: RgbImage, width_px: float, rng: np.random.Generator) -> RgbImage:
    """Down to `width_px` pixels across and up again."""
    import cv2

    del rng
    height, width = face.shape[:2]
    if width_px >= width:
        return face.copy()
    small = (int(width_px), max(1, round(height * width_px / width)))
    seen = cv2.resize(face, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(seen, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def jpeg_compress(face: RgbImage, quality: float, rng: np.random.Generator) -> RgbImage:
    """Through a JPEG file of this quality, 1 to 100."""
    import cv2

    del rng
    _, content = cv2.imencode(".jpg", face[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    seen = cv2.imdecode(content, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(np.asarray(seen, np.uint8)[:, :, ::-1])


def gaussian_noise(face: RgbImage, deviation: float, rng: np.random.Generator) -> RgbImage:
    """Gaussian grain, the same in the three channels; `deviation` in gray levels."""
    grain = rng.standard_normal(face.shape[:2], np.float32) * np.float32(deviation)
    return _as_bytes(face + grain[:, :, None])


def low_light(face: RgbImage, stops: float, rng: np.random.Generator) -> RgbImage:
    """Less light by `stops` halvings, with shot and read noise, and no gain to make up for it."""
    light = _light_of(face) * np.float32(2.0**-stops)
    grain = rng.standard_normal(face.shape[:2], np.float32)[:, :, None]
    deviation = np.sqrt(_SHOT_NOISE**2 * light + _READ_NOISE**2)
    return _levels_of(light + grain * deviation)


def overexpose(face: RgbImage, stops: float, rng: np.random.Generator) -> RgbImage:
    """More light by `stops` doublings, cut off at white."""
    del rng
    return _levels_of(_light_of(face) * np.float32(2.0**stops))


def side_light(face: RgbImage, stops: float, rng: np.random.Generator) -> RgbImage:
    """Light from the left or right, a little above or below; `stops` between the brightest and the darkest edge."""
    side = 1.0 if rng.random() < 0.5 else -1.0
    tilt = np.deg2rad(rng.uniform(-_TILT_DEG, _TILT_DEG))
    height, width = face.shape[:2]
    across = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None, :] * side
    down = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None]
    slope = across * np.float32(np.cos(tilt)) + down * np.float32(np.sin(tilt))
    reach = np.abs(slope).max()  # 0 only where the face is a single pixel
    gain = np.exp2(slope * np.float32(stops / 2 / reach)) if reach else np.ones_like(slope)
    return _levels_of(_light_of(face) * gain[:, :, None])


def color_cast(face: RgbImage, percent: float, rng: np.random.Generator) -> RgbImage:
    """Any hue over the face, its luminance kept; where a channel would pass white, the tint gives way.

    `percent` is how far the channel that changes most is moved.
    """
    angle = rng.uniform(0, 2 * np.pi)
    hue = np.cos(angle - np.deg2rad(np.array([0, 120, 240]))).astype(np.float32)
    hue -= hue @ _LUMA  # no luminance of its own
    hue /= np.abs(hue).max()
    levels = face.astype(np.float32)
    luma = levels @ _LUMA
    room = (255 - levels.max(2)) / (np.maximum(luma, 1) * hue.max())
    parameter = np.minimum(percent / 100, room)
    return _as_bytes(levels + (luma * parameter)[:, :, None] * hue)


def _light_of(face: RgbImage) -> NDArray[np.float32]:
    """The light on the sensor that gave these gray levels, 0..1."""
    return _LIGHT[face]


def _levels_of(light: NDArray[np.float32]) -> RgbImage:
    """The gray levels of light, cut off at black and white."""
    return _as_bytes(np.clip(light, 0, 1) ** np.float32(1 / _GAMMA) * 255)


def _as_bytes(levels: NDArray[np.float32]) -> RgbImage:
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


_LIGHT = ((np.arange(256) / 255) ** _GAMMA).astype(np.float32)
