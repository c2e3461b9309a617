"""Measure images: size, hashes, brightness, contrast, sharpness and problems."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.duplicates.dct_descriptor import (
    DESCRIPTOR,
    DESCRIPTOR_SIDE,
    SIGNATURE,
    encode_descriptors,
    encode_signatures,
)
from fer_core.data.index.images import PIXELS_MAX, Box, crop_box
from fer_core.data.sources.byte_range import ByteRange, OpenFiles, read_bytes
from fer_core.data.training_images import pixel_hash
from fer_core.errors import InputError, UnreadableImageError
from fer_core.faces import RgbImage
from fer_core.images.decoder import decode_image

DARK_MAX, BRIGHT_MIN = 15, 240
"""Gray levels up to the first are under-exposed, from the second on over-exposed."""

MODE = "mode"
"""The pixel format. An index without this column was made by an older decoder, which dropped alpha and darkened most
16-bit files."""

PIXEL_COLUMNS: dict[str, Any] = {
    **dict.fromkeys(("width", "height", "channels"), 0),
    MODE: "",
    "bytes": 0,
    "sha256": "",
    "phash": 0,
    SIGNATURE: None,
    DESCRIPTOR: None,
    **dict.fromkeys(("brightness", "contrast", "sharpness", "dark_01", "bright_01"), float("nan")),
    "problem": "",
}
"""Columns of image statistics with their values for a file that can't be read.

`mode` is Pillow's name of the pixel format (L, RGB, RGBA, I;16, …); `brightness` and `contrast` are
mean and standard deviation of the gray levels, 0..255; `sharpness` is the variance of the Laplacian; `dark_01` and
`bright_01` are the shares of pixels beyond `DARK_MAX` and `BRIGHT_MIN`; `phash` is a 64-bit perceptual hash as a signed
integer; `signature` and `detail` are DCT frequencies (`dct_descriptor`), null for blank images; `sha256` is of the
pixels.
"""

_CONTRAST_MIN = 1e-5
"""A single pixel that differs by one gray level exceeds this in images of up to 10,000,000,000 pixels."""

_HASH_SIDE, _HASH_INPUT = 8, 32


class ImageLimits(NamedTuple):
    """The largest image that is opened: file size in bytes and width times height in pixels."""

    bytes_max: int = 64 * 2**20
    pixels_max: int = PIXELS_MAX


IMAGE_LIMITS = ImageLimits()


def measure_images(
    locations: Sequence[ByteRange | str], boxes: Sequence[Box | None], limits: ImageLimits = IMAGE_LIMITS
) -> pd.DataFrame:
    """Compute the statistics of images. One that can't be read becomes a row with a problem.

    Args:
        locations: each file, or why there is none.
        boxes: face box of each image; None for the whole image.
        limits: larger images are not opened.
    Returns:
        one row for each image, in order, with `PIXEL_COLUMNS`.
    """
    frequencies = np.zeros((len(locations), DESCRIPTOR_SIDE * DESCRIPTOR_SIDE), np.float32)
    with closing(OpenFiles()) as files:
        rows = [
            _measure_image(location, box, files, limits, frequencies[number])
            for number, (location, box) in enumerate(zip(locations, boxes, strict=True))
        ]
    table = pd.DataFrame(rows, columns=list(PIXEL_COLUMNS))
    readable = (table["sha256"] != "").to_numpy()
    lowest = _lowest(frequencies)
    table["phash"] = np.where(readable, hash_frequencies(lowest), 0)
    table[SIGNATURE] = pd.Series(encode_signatures(lowest), dtype=object)
    table[DESCRIPTOR] = pd.Series(encode_descriptors(frequencies), dtype=object)
    return table


def hash_frequencies(frequencies: NDArray[np.float32]) -> NDArray[np.int64]:
    """Compute 64-bit hashes that are robust to scaling, compression and small changes of light.

    The signs of the 8x8 lowest frequencies of the 32x32 discrete cosine transform against their median
    ("pHash", Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions", 3.2.1).

    Args:
        frequencies: the 8x8 lowest, row by row; shape (N, 64).
    Returns:
        signed, as Parquet and pandas need it; shape (N,).
    """
    bits = frequencies > np.median(frequencies[:, 1:], axis=1, keepdims=True)
    return np.packbits(bits, axis=1).view(">i8")[:, 0].astype(np.int64)


def _measure_image(
    location: ByteRange | str, box: Box | None, files: OpenFiles, limits: ImageLimits, frequencies: NDArray[np.float32]
) -> tuple[Any, ...]:
    """Return a row in the order of `PIXEL_COLUMNS` and write the low frequencies into `frequencies`."""
    if isinstance(location, str):
        return _unreadable_row(location)
    try:
        size = location.size_bytes()
        if size > limits.bytes_max:
            return _unreadable_row(
                f"has {size:,} bytes; the limit is {limits.bytes_max:,} (FERSCOPE_IMAGE_BYTES_MAX)", size
            )
        content = read_bytes(location, files)
    except InputError as exc:
        return _unreadable_row(str(exc))
    try:
        decoded = decode_image(content, limits.pixels_max, name="the image")
    except UnreadableImageError as exc:
        return _unreadable_row(str(exc).removeprefix("the image "), len(content))
    face = crop_box(decoded.pixels, box)
    if face is None:
        return _unreadable_row(f"the face's box {box} lies outside the image", len(content))
    return _statistics_row(face, len(content), decoded.mode, frequencies)


def _unreadable_row(problem: str, size: int = 0) -> tuple[Any, ...]:
    return tuple({**PIXEL_COLUMNS, "bytes": size, "problem": problem}.values())


def _statistics_row(pixels: RgbImage, size: int, mode: str, frequencies: NDArray[np.float32]) -> tuple[Any, ...]:
    import cv2

    gray = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8) if pixels.ndim == 3 else pixels
    height, width = gray.shape
    brightness, contrast = cv2.meanStdDev(gray)
    # 16 bits hold every difference of 8-bit levels and take half the time of floats.
    _, deviation = cv2.meanStdDev(cv2.Laplacian(gray, cv2.CV_16S))
    frequencies[:] = _low_frequencies(gray)
    blank = contrast[0, 0] < _CONTRAST_MIN  # 0 up to rounding
    return (
        width,
        height,
        1 if pixels.ndim == 2 else 3,
        mode,
        size,
        pixel_hash(pixels),
        PIXEL_COLUMNS["phash"],
        PIXEL_COLUMNS[SIGNATURE],
        PIXEL_COLUMNS[DESCRIPTOR],
        brightness[0, 0],
        0.0 if blank else contrast[0, 0],
        deviation[0, 0] ** 2,
        (gray.size - _count_above(gray, DARK_MAX)) / gray.size,
        _count_above(gray, BRIGHT_MIN - 1) / gray.size,
        "blank: all pixels are the same" if blank else "",
    )


def _count_above(gray: NDArray[np.uint8], level: int) -> int:
    """Count the pixels brighter than a gray level."""
    import cv2

    return cv2.countNonZero(cv2.threshold(gray, level, 1, cv2.THRESH_BINARY)[1])


def _low_frequencies(gray: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Compute the 16x16 lowest frequencies, row by row; float32, shape (256,)."""
    import cv2

    small = cv2.resize(gray, (_HASH_INPUT, _HASH_INPUT), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(cv2.dct(small)[:DESCRIPTOR_SIDE, :DESCRIPTOR_SIDE].ravel(), np.float32)


def _lowest(frequencies: NDArray[np.float32]) -> NDArray[np.float32]:
    """Select the 8x8 lowest of each image's frequencies; shape (N, 64)."""
    square = frequencies.reshape(-1, DESCRIPTOR_SIDE, DESCRIPTOR_SIDE)[:, :_HASH_SIDE, :_HASH_SIDE]
    return square.reshape(-1, _HASH_SIDE * _HASH_SIDE)
