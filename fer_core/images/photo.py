"""Photos for analysis: image files within the limits, in RGB, with notes on conversions."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_core.errors import UnreadableImageError
from fer_core.faces import FaceBox, RgbImage
from fer_core.images.decoder import DECODE_ERRORS, decode_image
from fer_core.images.formats import SUPPORTED_FORMATS, detect_format
from fer_core.settings import MIB, Settings

ANALYSIS_SIDE_PX = 4096
"""Longest side of an analyzed photo; larger ones are scaled down to it."""

_COUNTED_BYTES_MAX = 8 * MIB
_MULTI_FRAME_FORMATS = {"GIF", "PNG", "WEBP", "TIFF", "AVIF"}


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A photo ready for analysis.

    `width` and `height` are those of the file, upright. `pixels` (uint8, shape (H, W, 3), RGB) has the same
    size, unless the file is larger than `ANALYSIS_SIDE_PX` and was scaled down. `notes` are texts on conversions for
    the user.
    """

    pixels: RgbImage
    width: int
    height: int
    notes: tuple[str, ...]

    def to_file_box(self, box: FaceBox) -> FaceBox:
        """Convert a box from pixels of `pixels` to pixels of the file."""
        return box.scaled(self.width / self.pixels.shape[1], self.height / self.pixels.shape[0])

    def to_pixel_box(self, box: FaceBox) -> FaceBox:
        """Convert a box from pixels of the file to pixels of `pixels`."""
        return box.scaled(self.pixels.shape[1] / self.width, self.pixels.shape[0] / self.height)


def read_image(source: bytes | Path, settings: Settings, *, name: str = "") -> Photo:
    """Decode an image file.

    Args:
        source: the file's content, or its path.
        settings: the limits, `image_bytes_max` and `image_pixels_max`; both are checked before decoding.
        name: of the image in messages; by default the file's name.
    Raises:
        UnreadableImageError: it is not in one of `SUPPORTED_FORMATS`, damaged, or over a limit.
    """
    name = name or (source.name if isinstance(source, Path) else "The image")
    content = _content(source, settings, name)
    decoded = decode_image(content, settings.image_pixels_max, name=name, side_max=ANALYSIS_SIDE_PX)
    pixels, width, height = decoded.pixels, decoded.width, decoded.height
    notes = [_frames_note(content), *decoded.notes]
    if pixels.shape[:2] != (height, width):
        notes.append(f"scaled from {width}x{height} to {pixels.shape[1]}x{pixels.shape[0]} for analysis")
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    return Photo(pixels, width, height, tuple(note for note in notes if note))


def _content(source: bytes | Path, settings: Settings, name: str) -> bytes:
    """Read the file and check its size."""
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
        raise UnreadableImageError(f"{name} is empty (0 bytes). Use a {SUPPORTED_FORMATS} file.")
    return content


def _frames_note(content: bytes) -> str:
    """Note which frame of how many is used. A phone's JPEG with a second image (a depth map) needs no note."""
    known = detect_format(content)
    if known is None or known.name not in _MULTI_FRAME_FORMATS or (known.name == "PNG" and b"acTL" not in content):
        return ""
    what = "page" if known.name == "TIFF" else "frame"
    if len(content) > _COUNTED_BYTES_MAX and known.name == "GIF":
        return f"first {what} used"
    try:
        count = getattr(known.parser(io.BytesIO(content)), "n_frames", 1)
    except DECODE_ERRORS:
        return f"first {what} used"
    return f"first {what} of {count} used" if count > 1 else ""
