"""Quality checks of single images; each returns the flagged rows, the most striking first.

The thresholds were chosen on FER+, which has 32,137 faces of 48x48 pixels.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.duplicates.duplicates import is_blank

TINY_PX = 32
"""An image whose shorter side is below this is tiny. Models read faces at 48 pixels and more: below 32, more than half
of their input is interpolated, and so is that of the perceptual hash (32x32)."""

DARK_BELOW, BRIGHT_ABOVE = 80.0, 155.0
"""Dark images have their mean plus two standard deviations below the first, bright ones their mean minus two above the
second. The first flags 31, the second 32 faces of FER+."""

CLIPPED_01 = 0.5
DARK_MEAN_BELOW, BRIGHT_MEAN_ABOVE = 40.0, 215.0
"""An image is dark or bright, too, if half of its pixels are clipped (`dark_01` and `bright_01` of the index) and its
mean lies beyond these. Clipped pixels alone would flag well-lit faces before a black or white wall. This adds 16 dark
faces of FER+ and 10 bright ones, mostly drawings on white paper."""

BLURRED_Z = 3.0
"""An image is blurred if its sharpness is this many robust standard deviations below the median. At 3, 46 faces of FER+
are flagged, of which two thirds look blurred; of those that a lower limit would add, about half look sharp."""

CLASS_MIN = 50
"""Classes with fewer images of a size are compared with all images of that size, as the deviation of fewer is too
uncertain (at 50, by about a sixth)."""

_MAD_TO_SIGMA = 1.4826
_SHARPNESS_MIN = 0.01

Rows = NDArray[np.int64]
"""Row numbers of an index, the most striking first."""


def unreadable(index: pd.DataFrame, included: NDArray[np.bool_]) -> Rows:
    """Find images that could not be decoded."""
    return np.flatnonzero(included & ~_readable(index))


def tiny(index: pd.DataFrame, included: NDArray[np.bool_]) -> Rows:
    """Find images whose shorter side is below `TINY_PX`."""
    side = _shorter_side(index)
    return _least_first(included & _readable(index) & (side < TINY_PX), side)


def blank(index: pd.DataFrame, included: NDArray[np.bool_]) -> Rows:
    """Find images without contrast (`duplicates.BLANK_CONTRAST`)."""
    return _least_first(included & is_blank(index), index["contrast"].to_numpy(float))


def dark(index: pd.DataFrame, included: NDArray[np.bool_]) -> Rows:
    """Find under-exposed images."""
    mean, contrast = (index[name].to_numpy(float) for name in ("brightness", "contrast"))
    flagged = mean + 2 * contrast < DARK_BELOW
    if "dark_01" in index:
        flagged |= (index["dark_01"].to_numpy(float) >= CLIPPED_01) & (mean < DARK_MEAN_BELOW)
    return _least_first(included & flagged & ~is_blank(index), mean)


def bright(index: pd.DataFrame, included: NDArray[np.bool_]) -> Rows:
    """Find over-exposed images."""
    mean, contrast = (index[name].to_numpy(float) for name in ("brightness", "contrast"))
    flagged = mean - 2 * contrast > BRIGHT_ABOVE
    if "bright_01" in index:
        flagged |= (index["bright_01"].to_numpy(float) >= CLIPPED_01) & (mean > BRIGHT_MEAN_ABOVE)
    return _least_first(included & flagged & ~is_blank(index), -mean)


def blurred(index: pd.DataFrame, included: NDArray[np.bool_]) -> Rows:
    """Find images far less sharp than others of their class and size."""
    score = sharpness_z(index, included)
    return _least_first(score <= -BLURRED_Z, score)


def sharpness_z(index: pd.DataFrame, included: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Compute how far an image's sharpness lies from the median of its class and size, in robust standard deviations
    (median absolute deviation; Iglewicz and Hoaglin 1993, "How to Detect and Handle Outliers").

    The variance of the Laplacian rises with the square of the contrast, so that a dim image seems blurred by it, and a
    glaring one if it is divided by that square. Each image gets the better of both scores. Sizes within a factor of √2
    count as the same.

    Returns:
        shape (N,); NaN for excluded, blank and unreadable rows, and where there are too few others to compare with.
    """
    rows = np.flatnonzero(included & _readable(index) & ~is_blank(index))
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


def no_face(index: pd.DataFrame, included: NDArray[np.bool_], faces: pd.DataFrame) -> Rows:
    """Find images that were searched without detecting a face.

    Args:
        faces: `id`, as in the index, and `faces`, how many were detected; missing images and numbers were not searched.
    """
    return np.flatnonzero(included & (face_counts(index, faces) == 0))


def face_counts(index: pd.DataFrame, faces: pd.DataFrame) -> NDArray[np.float64]:
    """Return how many faces each row has; NaN if it was not searched."""
    position = pd.Index(faces["id"]).get_indexer(pd.Index(index["id"]))
    counts = np.append(faces["faces"].to_numpy(float, na_value=np.nan), np.nan)
    return np.asarray(counts[position], np.float64)


def _readable(index: pd.DataFrame) -> NDArray[np.bool_]:
    return (index["sha256"] != "").to_numpy(bool)


def _shorter_side(index: pd.DataFrame) -> NDArray[np.int64]:
    return np.minimum(index["width"].to_numpy(np.int64), index["height"].to_numpy(np.int64))


def _least_first(flagged: NDArray[np.bool_], by: NDArray[np.float64] | NDArray[np.int64]) -> Rows:
    rows = np.flatnonzero(flagged)
    return rows[np.argsort(by[rows], kind="stable")]


def _robust_z(values: NDArray[np.float64], group: NDArray[np.int64]) -> NDArray[np.float64]:
    """Standardize values by the median of their group; NaN in groups that are too small or constant."""
    grouped = pd.Series(values).groupby(group)
    difference = values - grouped.transform("median").to_numpy()
    deviation = _MAD_TO_SIGMA * pd.Series(np.abs(difference)).groupby(group).transform("median").to_numpy()
    enough = (grouped.transform("size").to_numpy() >= CLASS_MIN) & (deviation > 0)
    return np.divide(difference, deviation, out=np.full(len(values), np.nan), where=enough)
