"""Checks of single images: each returns the row numbers it flags, the most striking first.

"FER+" in the reasons of thresholds means its 32,137 faces of 48x48 pixels.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.duplicates.duplicates import is_blank

TINY_PX = 32
"""An image whose shorter side is below this is tiny. Models read faces at 48 pixels and more: under 32, more than half
of the pixels they get are made up by enlarging, and the perceptual hash (of 32x32) is of made-up pixels too."""

DARK_BELOW, BRIGHT_ABOVE = 80.0, 155.0
"""Two standard deviations above the mean nothing is lighter than the first: even the lights are dark. Two below it
nothing is darker than the second: even the shadows are pale. The first flags 31, the second 32 faces of FER+."""

CLIPPED_01 = 0.5
DARK_MEAN_BELOW, BRIGHT_MEAN_ABOVE = 40.0, 215.0
"""An image is dark or bright too when half of its pixels are clipped (see `dark_01` and `bright_01` in the index) and
its mean lies beyond these. Clipped pixels alone would flag every well-lit face before a black or white wall. This
adds 16 dark faces of FER+ and 10 bright ones, of which most are drawings on white paper."""

BLURRED_Z = 3.0
"""Robust standard deviations below the median that make an image blurred. At 3, 46 faces of FER+ are flagged and two
thirds look it; of those that a lower limit would add first about half look sharp."""

CLASS_MIN = 50
"""Classes with fewer images of a size are compared with all images of that size: the median and deviation of fewer
are themselves too uncertain (at 50, the deviation by about a sixth)."""

_MAD_TO_SIGMA = 1.4826
_SHARPNESS_MIN = 0.01

Rows = NDArray[np.int64]
"""Row numbers of an index, the most striking first."""


def unreadable(index: pd.DataFrame, used: NDArray[np.bool_]) -> Rows:
    """Images that could not be opened."""
    return np.flatnonzero(used & ~_readable(index))


def tiny(index: pd.DataFrame, used: NDArray[np.bool_]) -> Rows:
    """Images whose shorter side is below `TINY_PX`."""
    side = _shorter_side(index)
    return _least_first(used & _readable(index) & (side < TINY_PX), side)


def blank(index: pd.DataFrame, used: NDArray[np.bool_]) -> Rows:
    """Images that show nothing: see `duplicates.BLANK_CONTRAST`."""
    return _least_first(used & is_blank(index), index["contrast"].to_numpy(float))


def dark(index: pd.DataFrame, used: NDArray[np.bool_]) -> Rows:
    """Under-exposed images."""
    mean, contrast = (index[name].to_numpy(float) for name in ("brightness", "contrast"))
    lost = mean + 2 * contrast < DARK_BELOW
    if "dark_01" in index:
        lost |= (index["dark_01"].to_numpy(float) >= CLIPPED_01) & (mean < DARK_MEAN_BELOW)
    return _least_first(used & lost & ~is_blank(index), mean)


def bright(index: pd.DataFrame, used: NDArray[np.bool_]) -> Rows:
    """Over-exposed images."""
    mean, contrast = (index[name].to_numpy(float) for name in ("brightness", "contrast"))
    lost = mean - 2 * contrast > BRIGHT_ABOVE
    if "bright_01" in index:
        lost |= (index["bright_01"].to_numpy(float) >= CLIPPED_01) & (mean > BRIGHT_MEAN_ABOVE)
    return _least_first(used & lost & ~is_blank(index), -mean)


def blurred(index: pd.DataFrame, used: NDArray[np.bool_]) -> Rows:
    """Images far less sharp than others of their class and size."""
    score = sharpness_z(index, used)
    return _least_first(score <= -BLURRED_Z, score)


def sharpness_z(index: pd.DataFrame, used: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How far an image's sharpness lies from the median of its class and size, in robust standard deviations
    (median absolute deviation; Iglewicz and Hoaglin 1993, "How to Detect and Handle Outliers").

    The variance of the Laplacian rises with the square of the contrast, so that a dim image looks blurred by it and
    a glaring one, divided by that square, too. Each image gets the better of its two scores, with and without the
    division. Sizes within a factor of √2 count as the same.

    Returns:
        shape (N,); NaN for rows not in use, blank or unreadable, and where too few others are there to compare with.
    """
    rows = np.flatnonzero(used & _readable(index) & ~is_blank(index))
    some = index[["label", "sharpness", "contrast", "width", "height"]].iloc[rows]
    size = np.round(2 * np.log2(np.maximum(_shorter_side(some), 1))).astype(np.int64)
    label = pd.factorize(some["label"])[0]
    plain = np.log(np.maximum(some["sharpness"].to_numpy(float), _SHARPNESS_MIN))
    divided = plain - 2 * np.log(some["contrast"].to_numpy(float))
    by_class, by_size = (
        np.maximum(_robust_z(plain, group), _robust_z(divided, group))
        for group in (label * (size.max(initial=0) + 1) + size, size)
    )
    score = np.full(len(index), np.nan)
    score[rows] = np.where(np.isnan(by_class), by_size, by_class)
    return score


def no_face(index: pd.DataFrame, used: NDArray[np.bool_], faces: pd.DataFrame) -> Rows:
    """Images in which faces were searched and none was found.

    Args:
        faces: with `id` (as in the index) and `faces` (how many were found); images that are missing in it or have
            no number were not searched.
    """
    return np.flatnonzero(used & (face_counts(index, faces) == 0))


def face_counts(index: pd.DataFrame, faces: pd.DataFrame) -> NDArray[np.float64]:
    """How many faces each row has; NaN where they were not searched."""
    place = pd.Index(faces["id"]).get_indexer(pd.Index(index["id"]))
    counts = np.append(faces["faces"].to_numpy(float, na_value=np.nan), np.nan)
    return np.asarray(counts[place], np.float64)


def _readable(index: pd.DataFrame) -> NDArray[np.bool_]:
    return (index["sha256"] != "").to_numpy(bool)


def _shorter_side(index: pd.DataFrame) -> NDArray[np.int64]:
    return np.minimum(index["width"].to_numpy(np.int64), index["height"].to_numpy(np.int64))


def _least_first(flagged: NDArray[np.bool_], by: NDArray[np.float64] | NDArray[np.int64]) -> Rows:
    rows = np.flatnonzero(flagged)
    return rows[np.argsort(by[rows], kind="stable")]


def _robust_z(values: NDArray[np.float64], group: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each value against the median of its group; NaN in groups that are too small or all the same."""
    grouped = pd.Series(values).groupby(group)
    away = values - grouped.transform("median").to_numpy()
    deviation = _MAD_TO_SIGMA * pd.Series(np.abs(away)).groupby(group).transform("median").to_numpy()
    enough = (grouped.transform("size").to_numpy() >= CLASS_MIN) & (deviation > 0)
    return np.divide(away, deviation, out=np.full(len(values), np.nan), where=enough)
