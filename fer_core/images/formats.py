"""Image formats, detected by a file's first bytes, as its extension may be missing or wrong."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import NamedTuple

from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import jpeg_factory
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

SUPPORTED_FORMATS = "JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP, TIFF or PPM"

HEAD_BYTES = 64
"""Bytes that `detect_format` needs."""

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}


class ImageFormat(NamedTuple):
    """A format and its parser, which reads the header only."""

    name: str
    parser: Callable[[io.BytesIO], ImageFile]


def _avif(file: io.BytesIO) -> ImageFile:
    from PIL.AvifImagePlugin import AvifImageFile

    return AvifImageFile(file)


def _heic(file: io.BytesIO) -> ImageFile:
    from pillow_heif import HeifImageFile

    opened: ImageFile = HeifImageFile(file)  # type: ignore[no-untyped-call]
    return opened


_AVIF, _HEIC = ImageFormat("AVIF", _avif), ImageFormat("HEIC", _heic)

# The parsers are called directly because `Image.open` checks every header against a limit of its own that is
# global to the process, and warns below the limit that our settings allow.
_MAGICS: tuple[tuple[re.Pattern[bytes], ImageFormat], ...] = tuple(
    (re.compile(magic, re.DOTALL), ImageFormat(name, parser))
    for magic, name, parser in (
        (rb"\xff\xd8\xff", "JPEG", jpeg_factory),
        (rb"\x89PNG\r\n\x1a\n", "PNG", PngImageFile),
        (rb"RIFF.{4}WEBP", "WEBP", WebPImageFile),
        (rb"BM", "BMP", BmpImageFile),
        (rb"GIF8[79]a", "GIF", GifImageFile),
        (rb"II[*+]\0|MM\0[*+]", "TIFF", TiffImageFile),
        (rb"P[1-6][\s#]", "PPM", PpmImageFile),
    )
)


def detect_format(content: bytes) -> ImageFormat | None:
    """Detect the format of a file by its content or its first `HEAD_BYTES`; None for anything but a supported image."""
    for magic, known in _MAGICS:
        if magic.match(content):
            return known
    if content[4:8] != b"ftyp":
        return None
    brands = {content[8:12], *(content[at : at + 4] for at in range(16, min(len(content), HEAD_BYTES), 4))}
    if brands & _AVIF_BRANDS:  # before HEIC: `mif1` says only that it is one of both
        return _AVIF
    return _HEIC if brands & _HEIC_BRANDS else None
