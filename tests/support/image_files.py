"""Image files of every format and mode."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

from fer_core.data.synthetic.face import draw_face
from fer_core.data.synthetic.identities import Identity
from fer_core.images.photo import read_image
from fer_core.labels import Expression
from fer_core.settings import Settings

LIMIT = 10**8
ROTATED = 0x0112


def face(seed: int = 0) -> NDArray[np.uint8]:
    """A drawn face, not as high as wide; uint8, shape (64, 80, 3)."""
    rng = np.random.default_rng(seed)
    drawn = draw_face(Expression.HAPPINESS, Identity.sample(rng), rng, 80)
    return np.ascontiguousarray(drawn[:64])


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def cut_out(mode: str = "RGBA") -> Image.Image:
    """A face whose left half is transparent, with white behind, as tools that cut out leave it."""
    image = Image.fromarray(face()).convert("RGB")
    image.paste((255, 255, 255), (0, 0, 40, 64))
    alpha = np.full((64, 80), 255, np.uint8)
    alpha[:, :40] = 0
    if mode == "LA":
        image = image.convert("L")
    image.putalpha(Image.fromarray(alpha))
    return image


def deep(channels: int, bits: int) -> NDArray[np.uint16]:
    """The face in so many bits of 16; shape (64, 80) or (64, 80, channels)."""
    wide = (face().astype(np.float64) * ((2**bits - 1) / 255)).round().astype(np.uint16)
    if channels == 1:
        return wide[..., 1]
    return wide if channels == 3 else np.dstack([wide, np.full((64, 80), 65535, np.uint16)])


def wide_file(ending: str, pixels: NDArray[np.uint16]) -> bytes:
    stored = pixels if pixels.ndim == 2 else pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    return cv2.imencode(ending, stored)[1].tobytes()


def heic(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer, **options)
    return buffer.getvalue()


def files() -> dict[str, bytes]:
    """A file of every format and mode by name."""
    color = Image.fromarray(face())
    turned = Image.Exif()
    turned[ROTATED] = 6
    frames = [Image.fromarray(face(seed)) for seed in range(3)]
    palette = color.quantize(16)
    return {
        "gray.png": saved(color.convert("L"), "PNG"),
        "rgb.png": saved(color, "PNG"),
        "palette.png": saved(palette, "PNG"),
        "bits1.png": saved(color.convert("1"), "PNG"),
        "la.png": saved(cut_out("LA"), "PNG"),
        "rgba.png": saved(cut_out(), "PNG"),
        "clear-palette.png": saved(palette, "PNG", transparency=3),
        "clear-rgb.png": saved(color, "PNG", transparency=tuple(int(v) for v in face()[0, 0])),
        "clear-gray.png": saved(color.convert("L"), "PNG", transparency=int(face()[0, 0, 1])),
        "turned.png": saved(color, "PNG", exif=turned),
        "animated.png": saved(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        "gray16.png": wide_file(".png", deep(1, 16)),
        "gray12.png": wide_file(".png", deep(1, 12)),
        "rgb12.png": wide_file(".png", deep(3, 12)),
        "rgba16.png": wide_file(".png", deep(4, 16)),
        "rgb12.tiff": wide_file(".tiff", deep(3, 12)),
        "gray12.tif": saved(Image.fromarray(deep(1, 12)), "TIFF"),
        "float.tif": saved(Image.fromarray(face()[..., 1].astype(np.float32) / 255), "TIFF"),
        "rgba.tif": saved(cut_out(), "TIFF"),
        "turned.tif": saved(color, "TIFF", exif=turned),
        "gray.jpg": saved(color.convert("L"), "JPEG"),
        "rgb.jpg": saved(color, "JPEG"),
        "progressive.jpeg": saved(color, "JPEG", progressive=True, optimize=True),
        "named.jfif": saved(color, "JPEG"),
        "named.jpe": saved(color, "JPEG"),
        "cmyk.jpg": saved(color.convert("CMYK"), "JPEG"),
        "turned.jpg": saved(color, "JPEG", exif=turned),
        "two-pictures.jpg": saved(color, "MPO", save_all=True, append_images=[frames[1]]),
        "still.gif": saved(palette, "GIF"),
        "clear.gif": saved(palette, "GIF", transparency=3),
        "animated.gif": saved(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "lossy.webp": saved(color, "WEBP"),
        "rgba.webp": saved(cut_out(), "WEBP", lossless=True),
        "animated.webp": saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True),
        "rgb.avif": saved(color, "AVIF"),
        "rgba.avif": saved(cut_out(), "AVIF"),
        "turned.avif": saved(color, "AVIF", exif=turned),
        "rgb.heic": heic(color),
        "rgba.heic": heic(cut_out()),
        "rgb.bmp": saved(color, "BMP"),
        "gray.pgm": saved(color.convert("L"), "PPM"),
        "rgb.ppm": saved(color, "PPM"),
        "bits1.pbm": saved(color.convert("1"), "PPM"),
    }


FILES = files()


def predicted_on(content: bytes) -> NDArray[np.uint8]:
    """The pixels that Predict sees; uint8, shape (H, W, 3)."""
    return read_image(content, Settings()).pixels
