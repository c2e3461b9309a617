"""Image files as upright RGB pixels, whatever their kind, with a word on what had to be done to them."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import jpeg_factory
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from fer_core.errors import UnreadableImageError
from fer_core.faces import FaceBox, RgbImage
from fer_core.settings import MIB, Settings

ANALYSIS_SIDE_PX = 4096
"""The longer side of a picture that faces are looked for in; a larger picture is scaled down to it."""

ALLOWED = "JPEG, PNG, WebP, BMP, GIF or TIFF"

_BACKGROUND_GRAY = 128
_COUNTED_BYTES_MAX = 8 * MIB
_ORIENTATION_TAG = 0x0112

# What Pillow raises on a file that is damaged or only looks like an image.
_DAMAGE = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    MemoryError,
    struct.error,
    Image.DecompressionBombError,
)

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# The parsers are called directly because `Image.open` checks every header against a limit of its own that is
# global to the process, and warns below the limit that our settings allow.
_PARSERS: tuple[tuple[bytes, int, Callable[[io.BytesIO], ImageFile.ImageFile]], ...] = (
    (b"\xff\xd8\xff", 0, jpeg_factory),
    (b"\x89PNG\r\n\x1a\n", 0, PngImageFile),
    (b"WEBP", 8, WebPImageFile),
    (b"BM", 0, BmpImageFile),
    (b"GIF8", 0, GifImageFile),
    (b"II*\0", 0, TiffImageFile),
    (b"MM\0*", 0, TiffImageFile),
    (b"II+\0", 0, TiffImageFile),
    (b"MM\0+", 0, TiffImageFile),
)

_TELLING_NAMES = {b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIC", b"msf1": "HEIC", b"avif": "AVIF"}


@dataclass(frozen=True, slots=True, eq=False)
class DecodedImage:
    """A picture ready for analysis.

    `width` and `height` are those of the file, upright. `pixels` (uint8, shape (H, W, 3), RGB) has the same
    size, unless the file is larger than `ANALYSIS_SIDE_PX` and was scaled down. `notes` say in words what was
    done on the way, each fit to be shown to a person.
    """

    pixels: RgbImage
    width: int
    height: int
    notes: tuple[str, ...]

    def in_file(self, box: FaceBox) -> FaceBox:
        """A box in pixels of `pixels` as one in pixels of the file."""
        across, down = self.width / self.pixels.shape[1], self.height / self.pixels.shape[0]
        return FaceBox(round(box.x * across), round(box.y * down), round(box.width * across), round(box.height * down))


def read_image(source: bytes | Path, settings: Settings, *, name: str = "") -> DecodedImage:
    """Decode an image file.

    Args:
        source: the file's content, or its path.
        settings: the limits, `image_bytes_max` and `image_pixels_max`; both are checked before decoding.
        name: what messages call the picture; by default the file's name.
    Raises:
        UnreadableImageError: it is no image of a kind in `ALLOWED`, is damaged, or is over a limit.
    """
    name = name or (source.name if isinstance(source, Path) else "The picture")
    content = _content(source, settings, name)
    image = _parsed(content, name)
    _check_pixels(image, settings, name)
    width, height = image.size
    notes = [_frames_note(image, content)]
    orientation = _orientation(image)
    _load(image, name)
    # Pillow turns a TIFF by itself while loading and takes the tag away; a PNG's tag may come after its pixels.
    turn = _orientation(image)
    eight_bit, kind_note = _eight_bit(image)
    if eight_bit.size != _analysis_size(width, height):
        eight_bit = eight_bit.resize(_analysis_size(width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    opaque, alpha_note = _opaque(eight_bit)
    notes += [kind_note, alpha_note]
    if turn in _TURNS:
        opaque = opaque.transpose(_TURNS[turn])
        width, height = (height, width) if turn >= 5 else (width, height)
    if turn in _TURNS or orientation in _TURNS:
        notes.append("turned upright by its EXIF orientation")
    if opaque.size != (width, height):
        notes.append(f"scaled from {width}x{height} to {opaque.width}x{opaque.height} for analysis")
    return DecodedImage(np.array(opaque, np.uint8), width, height, tuple(note for note in notes if note))


def _content(source: bytes | Path, settings: Settings, name: str) -> bytes:
    """The file's bytes, once it is known that they are neither none nor too many."""
    try:
        size = source.stat().st_size if isinstance(source, Path) else len(source)
        if size > settings.image_bytes_max:
            raise UnreadableImageError(
                f"{name} has {size / MIB:.1f} MiB; the limit is {settings.image_bytes_max / MIB:.1f} MiB. "
                "Save it smaller, or raise FERSCOPE_IMAGE_BYTES_MAX."
            )
        content = source.read_bytes() if isinstance(source, Path) else source
    except OSError as exc:
        raise UnreadableImageError(f"{name} can't be opened: {exc.strerror or exc}. Check the path.") from exc
    if not content:
        raise UnreadableImageError(f"{name} is empty (0 bytes). Give a {ALLOWED} file.")
    return content


def _parsed(content: bytes, name: str) -> ImageFile.ImageFile:
    """The image with its header read and its pixels still packed."""
    for magic, offset, parser in _PARSERS:
        if content[offset : offset + len(magic)] == magic:
            try:
                return parser(io.BytesIO(content))
            except _DAMAGE as exc:
                raise UnreadableImageError(
                    f"{name} begins like an image, but its header is damaged ({exc}). Give a whole copy of it."
                ) from exc
    kind = _TELLING_NAMES.get(content[8:12]) if content[4:8] == b"ftyp" else None
    what = f"is a {kind} file, which is not supported" if kind else "is not an image"
    raise UnreadableImageError(f"{name} {what}. Give a {ALLOWED} file.")


def _check_pixels(image: Image.Image, settings: Settings, name: str) -> None:
    """Refuse a picture by the size that its header claims."""
    width, height = image.size
    limit = settings.image_pixels_max
    if width * height > limit:
        raise UnreadableImageError(
            f"{name} is {width}x{height}, {width * height / 1e6:,.1f} million pixels; the limit is "
            f"{limit / 1e6:,.1f} million. Save it smaller, or raise FERSCOPE_IMAGE_PIXELS_MAX."
        )
    if width < 1 or height < 1:
        raise UnreadableImageError(f"{name} is {width}x{height}: it has no pixels. Give another picture.")


def _load(image: ImageFile.ImageFile, name: str) -> None:
    """Decode the pixels; a JPEG much larger than what is analysed is decoded at a half, a quarter or an eighth."""
    try:
        image.draft(None, _analysis_size(*image.size))
        image.load()
    except _DAMAGE as exc:
        raise UnreadableImageError(
            f"{name} is damaged or cut short and can't be decoded ({exc}). Give a whole copy of it."
        ) from exc


def _analysis_size(width: int, height: int) -> tuple[int, int]:
    """The size a picture is analysed at: its own, or one with `ANALYSIS_SIDE_PX` as the longer side."""
    scale = min(1.0, ANALYSIS_SIDE_PX / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _frames_note(image: ImageFile.ImageFile, content: bytes) -> str:
    """Which frame of how many is used. A phone's JPEG with a second picture inside (a depth map) needs no word."""
    if image.format not in {"GIF", "PNG", "WEBP", "TIFF"}:
        return ""
    what = "page" if image.format == "TIFF" else "frame"
    if len(content) > _COUNTED_BYTES_MAX and image.format == "GIF":
        return f"first {what} used"
    try:
        # Counting moves through the file, so it is done on a copy that may break without harm.
        count = getattr(type(image)(io.BytesIO(content)), "n_frames", 1)
    except _DAMAGE:
        return f"first {what} used"
    return f"first {what} of {count} used" if count > 1 else ""


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 (upright) to 8; a broken EXIF block counts as upright."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except _DAMAGE:
        return 1
    return value if isinstance(value, int) else 1


def _eight_bit(image: Image.Image) -> tuple[Image.Image, str]:
    """The picture in mode L, RGB or RGBA, and a note on what it was."""
    if image.mode.startswith("I;16") or image.mode in {"I", "F"}:
        values, depth = _scaled_to_bytes(np.asarray(image))
        return Image.fromarray(values), f"{depth} gray, scaled to 8-bit"
    if image.mode in {"La", "RGBa"}:
        image = image.convert("LA" if image.mode == "La" else "RGBA")
    gray = "gray" if image.mode in {"1", "L", "LA"} else ""
    if image.has_transparency_data:
        return image.convert("RGBA"), gray
    if gray:
        return image.convert("L"), gray
    if image.mode in {"RGB", "P"}:
        return image.convert("RGB"), ""
    return image.convert("RGB"), f"{image.mode} converted to RGB"


def _scaled_to_bytes(values: NDArray[Any]) -> tuple[NDArray[np.uint8], str]:
    """Gray values of a wide type as bytes, by the range they were meant for.

    Cameras store 10, 12 or 14 bits in 16, so integers are scaled by the smallest of these depths that holds the
    brightest one. Floats from 0 to 1 are scaled by that range; anything else by its own lowest and highest value.
    """
    bits = values.dtype.itemsize * 8
    if np.issubdtype(values.dtype, np.floating):
        values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(np.min(values)), float(np.max(values))
    if np.issubdtype(values.dtype, np.integer) and low >= 0 and high < 2**16:
        depth = next(depth for depth in (8, 10, 12, 14, 16) if high < 2**depth)
        table = (np.arange(2**16) * (255.0 / (2**depth - 1))).round().clip(0, 255).astype(np.uint8)
        return table[values.astype(np.uint16)], "16-bit"
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    span = max(high - low, 1e-12)
    scaled = (values.astype(np.float32) - low) * (255.0 / span)
    return scaled.round().clip(0, 255).astype(np.uint8), f"{bits}-bit"


def _opaque(image: Image.Image) -> tuple[Image.Image, str]:
    """The picture in mode RGB, laid on mid-gray where it is transparent: white or black would pull the
    brightness and contrast of a face beside it further away from what the models saw in training."""
    if image.mode != "RGBA":
        return image.convert("RGB"), ""
    if image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB"), ""
    ground = Image.new("RGBA", image.size, (_BACKGROUND_GRAY,) * 3 + (255,))
    ground.alpha_composite(image)
    return ground.convert("RGB"), "transparent parts were laid on gray"
