"""Photometric corruptions: light, lens, sensor and file.

Every function takes a face (uint8, shape (H, W, 3), RGB), a parameter and a generator, and returns a new face.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_core.faces import RgbImage

FACE_PX = 48
"""Face width to which parameters in pixels refer."""

_GAMMA = 2.2
"""Gamma of gray levels against light (approximately sRGB)."""
_SHOT_NOISE = 0.012
"""Standard deviation of photon noise at full light, as a share of it; it falls with the root of the light."""
_READ_NOISE = 0.0012
"""Standard deviation of read noise, as a share of full light."""
_TILT_DEG = 35
"""Largest elevation of a lamp at the side."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in gray; ITU-R BT.601."""


def gaussian_blur(face: RgbImage, sigma_px: float, rng: np.random.Generator) -> RgbImage:
    """Blur with a Gaussian of `sigma_px` on a face 48 px wide, scaled to this one's width."""
    import cv2

    del rng
    sigma = sigma_px * face.shape[1] / FACE_PX
    return np.asarray(cv2.GaussianBlur(face, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.uint8)


def downscale(face: RgbImage, width_px: float, rng: np.random.Generator) -> RgbImage:
    """Downscale to a width of `width_px` pixels and upscale again."""
    import cv2

    del rng
    height, width = face.shape[:2]
    if width_px >= width:
        return face.copy()
    small = (int(width_px), max(1, round(height * width_px / width)))
    downscaled = cv2.resize(face, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(downscaled, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def jpeg_compress(face: RgbImage, quality: float, rng: np.random.Generator) -> RgbImage:
    """Compress as JPEG of this quality, 1 to 100."""
    del rng
    return jpeg_roundtrip(face, int(quality))


def jpeg_roundtrip(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Encode an image as JPEG and decode it; uint8, shape (H, W, 3) RGB or (H, W, 1) gray, to the same shape."""
    import cv2

    order = slice(None, None, -1) if image.shape[2] == 3 else slice(None)  # OpenCV's order is BGR
    _, content = cv2.imencode(".jpg", image[:, :, order], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(content, cv2.IMREAD_UNCHANGED), np.uint8).reshape(image.shape)
    return np.ascontiguousarray(decoded[:, :, order])


def gaussian_noise(face: RgbImage, deviation: float, rng: np.random.Generator) -> RgbImage:
    """Add Gaussian noise of this standard deviation in gray levels, the same in the three channels."""
    grain = rng.standard_normal(face.shape[:2], np.float32) * np.float32(deviation)
    return _to_uint8(face + grain[:, :, None])


def low_light(face: RgbImage, stops: float, rng: np.random.Generator) -> RgbImage:
    """Halve the light `stops` times and add photon and read noise."""
    light = _to_light(face) * np.float32(2.0**-stops)
    grain = rng.standard_normal(face.shape[:2], np.float32)[:, :, None]
    deviation = np.sqrt(_SHOT_NOISE**2 * light + _READ_NOISE**2)
    return _to_gray_levels(light + grain * deviation)


def overexpose(face: RgbImage, stops: float, rng: np.random.Generator) -> RgbImage:
    """Double the light `stops` times and clip it at white."""
    del rng
    return _to_gray_levels(_to_light(face) * np.float32(2.0**stops))


def side_light(face: RgbImage, stops: float, rng: np.random.Generator) -> RgbImage:
    """Light the face from the left or right; `stops` lie between the brightest and the darkest edge."""
    side = 1.0 if rng.random() < 0.5 else -1.0
    tilt = np.deg2rad(rng.uniform(-_TILT_DEG, _TILT_DEG))
    height, width = face.shape[:2]
    across = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None, :] * side
    down = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None]
    slope = across * np.float32(np.cos(tilt)) + down * np.float32(np.sin(tilt))
    half_range = np.abs(slope).max()  # 0 only where the face is a single pixel
    gain = np.exp2(slope * np.float32(stops / 2 / half_range)) if half_range else np.ones_like(slope)
    return _to_gray_levels(_to_light(face) * gain[:, :, None])


def color_cast(face: RgbImage, percent: float, rng: np.random.Generator) -> RgbImage:
    """Tint the face in a random hue and keep its luminance.

    `percent` is the change of the channel that changes most; less where a channel would exceed white.
    """
    angle = rng.uniform(0, 2 * np.pi)
    hue = np.cos(angle - np.deg2rad(np.array([0, 120, 240]))).astype(np.float32)
    hue -= hue @ _LUMA  # no luminance of its own
    hue /= np.abs(hue).max()
    levels = face.astype(np.float32)
    luma = levels @ _LUMA
    room = (255 - levels.max(2)) / (np.maximum(luma, 1) * hue.max())
    parameter = np.minimum(percent / 100, room)
    return _to_uint8(levels + (luma * parameter)[:, :, None] * hue)


def _to_light(face: RgbImage) -> NDArray[np.float32]:
    """Convert gray levels to light, 0..1."""
    return _LIGHT[face]


def _to_gray_levels(light: NDArray[np.float32]) -> RgbImage:
    """Convert light to gray levels."""
    return _to_uint8(np.clip(light, 0, 1) ** np.float32(1 / _GAMMA) * 255)


def _to_uint8(levels: NDArray[np.float32]) -> RgbImage:
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


_LIGHT = ((np.arange(256) / 255) ** _GAMMA).astype(np.float32)
