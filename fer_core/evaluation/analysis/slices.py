"""Scores by slice: by brightness, sharpness, size, roll, source, votes and whatever columns a dataset brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.agreement import vote_agreement
from fer_core.data.catalog import StoredDataset
from fer_core.data.duplicates.duplicates import paired_with
from fer_core.data.index.builder import LANDMARKS, SUBGROUP
from fer_core.data.index.image_stats import MODE
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.evaluation.analysis.paired_comparison import holm
from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_core.intervals import Z_95, Interval, wilson_interval
from fer_core.metrics import FEW_IMAGES, classification_metrics

MEASURES = {"brightness": "Brightness", "contrast": "Contrast", "sharpness": "Sharpness"}
SIZE, ROLL, AGREEMENT, SOURCE = "size_px", "roll_deg", "agreement", "source"
TITLES = {
    **MEASURES,
    SIZE: "Size (shorter side, px)",
    ROLL: "Roll of the head (degrees)",
    AGREEMENT: "Agreement of the annotators",
    SOURCE: "Folder",
    MODE: "Color mode",
}

_BINS = 4
_VALUES_MAX = 12
"""The most frequent values of a column; the others are one slice."""

_OTHERS = "others"
_EYES_68 = (slice(36, 42), slice(42, 48))
"""Of 68 landmarks, those of the two eyes (Sagonas et al. 2013, "300 Faces in-the-Wild Challenge")."""


class Slice(NamedTuple):
    """The images with one value, or in one range, of an attribute.

    Attributes:
        accuracy, interval: 0..1, with the 95 % interval.
        expected: accuracy if each class had the recall that it has in all other images: the class mix of the slice
            alone.
        difference: accuracy minus `expected`, with its 95 % interval; nan for fewer than `FEW_IMAGES` images.
        p: of no difference, Holm-corrected over the slices of the attribute; 1 for few images.
        macro_f1: nan for few images.
        numbers: of the images.
    """

    name: str
    n: int
    accuracy: float
    interval: Interval
    expected: float
    difference: float
    difference_interval: Interval
    p: float
    macro_f1: float
    numbers: NDArray[np.intp]


class WithoutDuplicates(NamedTuple):
    """Evaluated images that have no near-duplicate among the training images, and how many have one."""

    images: EvaluatedImages
    duplicates: int


@dataclass(frozen=True)
class Attribute:
    """An attribute by which images are sliced; `values` is numeric or text, of every row of an index."""

    key: str
    title: str
    values: pd.Series


def list_attributes(index: pd.DataFrame) -> list[Attribute]:
    """List the attributes of a dataset that have more than one value.

    Args:
        index: with the columns that the dataset has; `landmarks` only if roll is wanted.
    """
    found = [Attribute(name, title, index[name].astype(float)) for name, title in MEASURES.items() if name in index]
    if {"width", "height"} <= set(index.columns):
        found.append(Attribute(SIZE, TITLES[SIZE], index[["width", "height"]].min(axis=1).astype(float)))
    if LANDMARKS in index and (roll := roll_degrees(index[LANDMARKS])).notna().any():
        found.append(Attribute(ROLL, TITLES[ROLL], roll))
    if VOTE_COLUMNS[0] in index:
        votes = index[list(VOTE_COLUMNS)].fillna(0).to_numpy(np.int64)
        found.append(Attribute(AGREEMENT, TITLES[AGREEMENT], pd.Series(vote_agreement(votes), index.index)))
    if "path" in index:
        found.append(Attribute(SOURCE, TITLES[SOURCE], _folders(index["path"])))
    named = [str(name) for name in index if name == MODE or str(name).startswith(SUBGROUP)]
    found += [Attribute(name, _title(name), index[name].astype("string")) for name in named]
    return [each for each in found if each.values.dropna().nunique() > 1]


def read_attributes(dataset: StoredDataset) -> list[Attribute]:
    """Read the attributes of a dataset from its index."""
    wanted = ("path", MODE, *MEASURES, "width", "height", LANDMARKS, *VOTE_COLUMNS)
    names = [name for name in dataset.columns() if name in wanted or name.startswith(SUBGROUP)]
    return list_attributes(dataset.raw_index(names))


def slice_images(images: EvaluatedImages, attribute: Attribute) -> list[Slice]:
    """Compute the scores of each value or quarter of an attribute.

    A slice is compared with what its classes reach in all other images (indirect standardization, as in Breslow and Day
    1987, "Statistical Methods in Cancer Research" II, 2.3), so that a slice of hard expressions is not called hard
    itself.
    """
    labeled = images.labeled
    values = attribute.values.iloc[labeled.positions].reset_index(drop=True)
    groups = _quarters(values) if pd.api.types.is_numeric_dtype(values) else _categories(values)
    raw = [_measure(labeled, name, numbers) for name, numbers in groups]
    known = [place for place, each in enumerate(raw) if each.n >= FEW_IMAGES]
    p_values = dict(zip(known, holm([raw[place].p for place in known]), strict=True))
    return [each._replace(p=p_values.get(place, 1.0)) for place, each in enumerate(raw)]


def without_near_duplicates(
    images: EvaluatedImages, pairs: pd.DataFrame, trained_on: NDArray[np.bool_]
) -> WithoutDuplicates:
    """Leave out the images that have a near-duplicate among the training images.

    Args:
        pairs: of the dataset, see `duplicates.duplicate_pairs`.
        trained_on: whether each row of the index was used for training.
    """
    is_near = paired_with(pairs, trained_on)[images.labeled.positions]
    return WithoutDuplicates(images.labeled.select(~is_near), int(is_near.sum()))


def roll_degrees(landmarks: pd.Series) -> pd.Series:
    """Compute the angle of the line through the eyes, positive clockwise, from 68 or 5 landmarks; nan without."""

    def angle(points: object) -> float:
        if points is None or not isinstance(points, np.ndarray | list):
            return np.nan
        xy = np.asarray(points, float).reshape(-1, 2)
        if len(xy) == 68:
            left, right = (xy[eye].mean(0) for eye in _EYES_68)
        elif len(xy) == 5:
            left, right = xy[0], xy[1]
        else:
            return np.nan
        return float(np.degrees(np.arctan2(right[1] - left[1], right[0] - left[0])))

    return landmarks.map(angle).astype(float)


def _measure(images: EvaluatedImages, name: str, numbers: NDArray[np.intp]) -> Slice:
    correct, truth = images.predicted == images.truth, images.truth
    inside = np.zeros(len(truth), bool)
    inside[numbers] = True
    n, hits = len(numbers), int(correct[inside].sum())
    classes = len(images.labels)
    of_slice, of_rest = (np.bincount(truth[rows], minlength=classes) for rows in (inside, ~inside))
    rest_hits = np.bincount(truth[~inside & correct], minlength=classes)
    recall = (rest_hits + 0.5) / (of_rest + 1)
    expected = float((of_slice * recall).sum() / n)
    few = n < FEW_IMAGES
    variance = (of_slice * recall * (1 - recall) * (1 + of_slice / (of_rest + 1))).sum() / n**2
    error = max(float(np.sqrt(variance)), 1e-9)
    difference = hits / n - expected
    metrics = None if few else classification_metrics(truth[numbers], images.predicted[numbers], classes)
    return Slice(
        name=name,
        n=n,
        accuracy=hits / n,
        interval=wilson_interval(hits, n),
        expected=expected,
        difference=np.nan if few else difference,
        difference_interval=(np.nan, np.nan) if few else (difference - Z_95 * error, difference + Z_95 * error),
        p=1.0 if few else _two_sided_p(difference / error),
        macro_f1=np.nan if metrics is None else metrics.macro_f1,
        numbers=numbers,
    )


def _two_sided_p(z: float) -> float:
    from scipy.stats import norm

    return float(2 * norm.sf(abs(z)))


def _quarters(values: pd.Series) -> list[tuple[str, NDArray[np.intp]]]:
    """Split numbers at their quartiles; fewer slices where many are equal."""
    known = values.dropna().to_numpy(float)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)))
    if len(edges) == 1:
        return [(_number(edges[0]), np.flatnonzero(values.notna()))]
    bins = np.clip(np.searchsorted(edges, values.to_numpy(float), side="right") - 1, 0, len(edges) - 2)
    found = []
    for place in range(len(edges) - 1):
        numbers = np.flatnonzero((bins == place) & values.notna())
        if len(numbers):
            found.append((f"{_number(edges[place])} to {_number(edges[place + 1])}", numbers))
    return found


def _categories(values: pd.Series) -> list[tuple[str, NDArray[np.intp]]]:
    """Split texts by value, the most frequent first."""
    counts = values.dropna().value_counts()
    shown = counts.index[:_VALUES_MAX].tolist()
    found = [(str(value) or "none", np.flatnonzero((values == value).fillna(False))) for value in shown]
    if len(counts) > _VALUES_MAX:
        found.append((_OTHERS, np.flatnonzero((values.notna() & ~values.isin(shown)).fillna(False))))
    return found


def _folders(paths: pd.Series) -> pd.Series:
    """Name the folder of each image; a face cut from an image has that image's."""
    folders = [str(PurePosixPath(path).parent) for path in paths.astype(str)]
    return pd.Series(folders, paths.index, dtype="string")


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 1 else f"{value:.1f}".removesuffix(".0")


def _title(name: str) -> str:
    return TITLES.get(name, name.removeprefix(SUBGROUP).replace("_", " ").capitalize())


def significant(slices: Sequence[Slice], alpha: float = 0.05) -> list[Slice]:
    """Select the slices with a shown difference, the largest drop first."""
    return sorted((each for each in slices if each.p < alpha), key=lambda each: each.difference)
