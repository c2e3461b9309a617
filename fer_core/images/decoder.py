"""Decoder of image files, shared by datasets and Predict, so that the same file gives the same pixels.

The result is upright, opaque and has 8 bits per sample. OpenCV decodes plain JPEG and PNG files, which most datasets
consist of; Pillow decodes everything else.
"""

from __future__ import annotations

import io
import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from fer_core.errors import UnreadableImageError
from fer_core.images.bit_depth import decode_16_bit, is_16_bit_color, scale_to_uint8
from fer_core.images.formats import SUPPORTED_FORMATS, detect_format

BACKGROUND_GRAY = 128
_ORIENTATION_TAG = 0x0112

DECODE_ERRORS = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    MemoryError,
    RuntimeError,
    struct.error,
    Image.DecompressionBombError,
)
"""Exceptions that Pillow raises on damaged files."""

_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_GRAY_MODES = {"1", "L", "LA", "La", "I", "F"}
_PNG_MAGIC, _PNG_HEADER = b"\x89PNG\r\n\x1a\n", struct.Struct(">IIBB")
_PNG_HEADER_AT = 16
_PNG_PLAIN = {0: "L", 2: "RGB", 3: "P"}
_PNG_SPECIAL = {b"tRNS", b"eXIf", b"acTL"}
"""Chunks of transparency, of an orientation, and of an animation."""

_PNG_TEXTS, _PNG_EXIF_TEXT = {b"tEXt", b"zTXt"}, b"Raw profile type "

_JPEG_MAGIC, _JPEG_FRAME = b"\xff\xd8", struct.Struct(">HHBHHB")
"""Marker, length, bits a sample, height, width, samples a pixel."""

_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_JPEG_EXIF = b"Exif\0\0"


class DecodedImage(NamedTuple):
    """A decoded image file.

    Attributes:
        pixels: uint8, shape (H, W) where the file is gray, else (H, W, 3), RGB.
        width: of the upright file, in pixels; larger than that of `pixels` where those were scaled down.
        height: as `width`.
        mode: Pillow's mode of the file: L, RGB, P, RGBA, I;16, CMYK, …
        notes: conversions, as texts for the user.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    mode: str
    notes: tuple[str, ...] = ()


class _Header(NamedTuple):
    width: int
    height: int
    mode: str


def decode_image(content: bytes, pixels_max: int, *, name: str = "It", side_max: int | None = None) -> DecodedImage:
    """Decode an image file: gray stays gray, transparency is blended onto mid-gray, EXIF orientation is applied.

    Args:
        content: the whole file.
        pixels_max: the largest width times height, checked against the header before anything is decoded: a small
            file can unpack to gigabytes.
        name: of the file in messages.
        side_max: longest side; larger images are scaled down to it.
    Raises:
        UnreadableImageError: it is no image of a format in `SUPPORTED_FORMATS`, is damaged, or is over the limit.
    """
    header = _plain_header(content)
    if header and (side_max is None or max(header[:2]) <= side_max):
        _check_pixels(header.width, header.height, pixels_max, name)
        pixels = _decode_plain(content)
        if pixels is not None:
            notes = ("gray",) if pixels.ndim == 2 else ()
            return DecodedImage(pixels, header.width, header.height, header.mode, notes)
    return _decode_any(content, pixels_max, name, side_max)


def _plain_header(content: bytes) -> _Header | None:
    """Parse the header of a JPEG or PNG that OpenCV decodes as Pillow would: 8 bits per sample, upright and opaque."""
    if content[:8] == _PNG_MAGIC and len(content) >= _PNG_HEADER_AT + _PNG_HEADER.size:
        width, height, bits, kind = _PNG_HEADER.unpack_from(content, _PNG_HEADER_AT)
        plain = bits <= 8 and kind in _PNG_PLAIN and not _has_special_chunk(content)
        return _Header(width, height, _PNG_PLAIN[kind]) if plain else None
    return _plain_jpeg_header(content) if content[:2] == _JPEG_MAGIC else None


def _has_special_chunk(content: bytes) -> bool:
    offset = len(_PNG_MAGIC)
    while kind := content[offset + 4 : offset + 8]:
        if kind in _PNG_SPECIAL or (kind in _PNG_TEXTS and content.startswith(_PNG_EXIF_TEXT, offset + 8)):
            return True
        offset += 12 + int.from_bytes(content[offset : offset + 4])
    return False


def _plain_jpeg_header(content: bytes) -> _Header | None:
    """Parse the frame header, which follows any number of segments with their lengths."""
    offset = 2
    while offset + _JPEG_FRAME.size <= len(content) and content[offset] == 0xFF:
        kind = content[offset + 1]
        length = int.from_bytes(content[offset + 2 : offset + 4])
        if kind == 0xFF:  # padding
            offset += 1
        elif kind in _JPEG_FRAMES:
            _, _, bits, height, width, samples = _JPEG_FRAME.unpack_from(content, offset)
            return _Header(width, height, "L" if samples == 1 else "RGB") if bits == 8 and samples in (1, 3) else None
        elif kind < 0xC0 or 0xD0 <= kind <= 0xD9 or length < 2:  # has no length, or a wrong one
            return None
        else:
            segment = content[offset + 4 : offset + 2 + length]
            if kind == 0xE1 and segment.startswith(_JPEG_EXIF) and _is_rotated(segment):
                return None
            offset += 2 + length
    return None


def _is_rotated(segment: bytes) -> bool:
    exif = Image.Exif()
    try:
        exif.load(segment)
        return exif.get(_ORIENTATION_TAG, 1) != 1
    except DECODE_ERRORS:
        return True  # leave it to Pillow


def _decode_plain(content: bytes) -> NDArray[np.uint8] | None:
    import cv2

    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_ANYCOLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
    if pixels is None:
        return None
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if pixels.ndim == 3 else pixels, np.uint8)


def _decode_any(content: bytes, pixels_max: int, name: str, side_max: int | None) -> DecodedImage:
    image = _open_lazily(content, name)
    mode = image.mode
    _check_pixels(*image.size, pixels_max, name)
    width, height = image.size
    size = _scaled_size(width, height, side_max)
    orientation = _orientation(image)
    _load(image, size, name)
    # Pillow rotates a TIFF while loading and removes the tag; a PNG's tag may come after its pixels.
    rotation = _orientation(image)
    eight_bit, kind_note = _to_eight_bits(image, content)
    if eight_bit.size != size:
        eight_bit = eight_bit.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    opaque, alpha_note = _to_opaque(eight_bit)
    if mode in _GRAY_MODES or mode.startswith("I;16"):
        opaque = opaque.getchannel(0)
    notes = [kind_note, alpha_note]
    if rotation in _TRANSPOSES:
        opaque = opaque.transpose(_TRANSPOSES[rotation])
        width, height = (height, width) if rotation >= 5 else (width, height)
    if rotation in _TRANSPOSES or orientation in _TRANSPOSES:
        notes.append("rotated by its EXIF orientation")
    return DecodedImage(np.array(opaque, np.uint8), width, height, mode, tuple(note for note in notes if note))


def _open_lazily(content: bytes, name: str) -> ImageFile.ImageFile:
    """Open an image lazily: the header is read, the pixels are not decoded."""
    known = detect_format(content)
    if known is None:
        what = "not an image" if content else "empty (0 bytes)"
        raise UnreadableImageError(f"{name} is {what}. Use a {SUPPORTED_FORMATS} file.")
    try:
        return known.parser(io.BytesIO(content))
    except DECODE_ERRORS as exc:
        raise UnreadableImageError(
            f"{name} begins like a {known.name} image, but its header is damaged ({_one_line(exc)}). "
            "Use a complete copy of it."
        ) from exc


def _one_line(exc: BaseException) -> str:
    return " ".join(str(exc).split()) or type(exc).__name__


def _check_pixels(width: int, height: int, limit: int, name: str) -> None:
    """Check the size in the header."""
    if width * height > limit:
        raise UnreadableImageError(
            f"{name} is {width}x{height}, {width * height / 1e6:,.1f} million pixels; the limit is "
            f"{limit / 1e6:,.1f} million. Save it smaller, or raise FERSCOPE_IMAGE_PIXELS_MAX."
        )
    if width < 1 or height < 1:
        raise UnreadableImageError(f"{name} is {width}x{height}: it has no pixels. Use another image.")


def _load(image: ImageFile.ImageFile, size: tuple[int, int], name: str) -> None:
    """Decode the pixels; a JPEG much larger than `size` is decoded at a half, a quarter or an eighth."""
    try:
        if image.format in ("JPEG", "MPO"):
            image.draft(None, size)
        image.load()
    except DECODE_ERRORS as exc:
        raise UnreadableImageError(
            f"{name} is damaged or cut short and can't be decoded ({_one_line(exc)}). Use a complete copy of it."
        ) from exc


def _scaled_size(width: int, height: int, side_max: int | None) -> tuple[int, int]:
    """Compute the size with `side_max` as the longest side."""
    scale = 1.0 if side_max is None else min(1.0, side_max / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _orientation(image: Image.Image) -> int:
    """Read the EXIF orientation, 1 (upright) to 8; a broken EXIF block counts as upright."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except DECODE_ERRORS:
        return 1
    return value if isinstance(value, int) else 1


def _to_eight_bits(image: ImageFile.ImageFile, content: bytes) -> tuple[Image.Image, str]:
    """Convert to mode L, RGB or RGBA, with a note on the original mode."""
    if image.mode.startswith("I;16") or image.mode in {"I", "F"}:
        values, depth = scale_to_uint8(np.asarray(image))
        return Image.fromarray(values), f"{depth} gray, scaled to 8-bit"
    if is_16_bit_color(image, content):
        wide = decode_16_bit(content)
        if wide is not None and wide.shape[:2] == image.size[::-1]:
            return Image.fromarray(wide), f"16-bit {'gray' if image.mode == 'LA' else 'color'}, scaled to 8-bit"
    plain: Image.Image = image
    if image.mode in {"La", "RGBa"}:
        plain = image.convert("LA" if image.mode == "La" else "RGBA")
    gray = "gray" if plain.mode in {"1", "L", "LA"} else ""
    if plain.has_transparency_data:
        return plain.convert("RGBA"), gray
    if gray:
        return plain.convert("L"), gray
    if plain.mode in {"RGB", "P"}:
        return plain.convert("RGB"), ""
    return plain.convert("RGB"), f"{plain.mode} converted to RGB"


def _to_opaque(image: Image.Image) -> tuple[Image.Image, str]:
    """Convert to mode RGB and blend transparency onto mid-gray.

    White or black would move a face's brightness and contrast further away from the training images.
    """
    if image.mode != "RGBA":
        return image.convert("RGB"), ""
    if image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB"), ""
    ground = Image.new("RGBA", image.size, (BACKGROUND_GRAY,) * 3 + (255,))
    ground.alpha_composite(image)
    return ground.convert("RGB"), "transparent parts were blended onto gray"
