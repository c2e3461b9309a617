"""The images that a command evaluates a model on: a split, without those that it was trained or selected on."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from fer_core.bundles.catalog import ModelEntry
from fer_core.data.catalog import list_datasets, load_labels, open_dataset
from fer_core.data.index.images import get_face_refs, iter_images
from fer_core.data.record import Split
from fer_core.data.sources.source import Source, open_source
from fer_core.data.splits.split import EXCLUDED
from fer_core.data.training_images import ExcludedImages, SeenImages, TrainingImages, equivalent_hashes, truncate_hashes
from fer_core.errors import InputError
from fer_core.markdown import describe_split
from fer_core.runs.training_images import find_training_dataset, load_split_by_id, load_training_images
from fer_core.settings import settings

SplitOf = Literal["", "run", "dataset"]
"""Source of a split: the run, or the dataset's published split; empty for all images."""

_SPLIT_TITLES: dict[SplitOf, str] = {"": "", "run": "the run's {} split", "dataset": "published {} split"}


@dataclass(frozen=True, slots=True)
class EvaluationImages:
    """The images that a model is evaluated on.

    Attributes:
        rows: of the index.
        split: empty for all.
        excluded: images that were left out.
    """

    rows: pd.DataFrame
    source: Source
    split: str
    split_of: SplitOf
    excluded: ExcludedImages

    def to_json(self) -> dict[str, Any]:
        """Split and excluded images as JSON."""
        return {"split": self.split, "split_of": self.split_of, "excluded": self.excluded._asdict()}

    def to_report_fields(self) -> dict[str, Any]:
        """As `to_json`, without the split's name and without unknown values."""
        known = self.excluded.trained_on is not None
        return {"split_of": self.split_of, "excluded": self.excluded._asdict() if known else None}

    def describe(self, data: str) -> str:
        """Describe the images: the split and its source."""
        return describe_split(data, self.split, self.split_of)

    def title(self, data: str) -> str:
        """Title of the images on a card."""
        return ", ".join(filter(None, [data, _SPLIT_TITLES[self.split_of].format(self.split)]))


def add_model_and_data(command: argparse.ArgumentParser) -> None:
    """Add the arguments that choose the model and the images, for `evaluation_images`."""
    command.add_argument("--model", default="default", help="default, a run's id, or a bundle's folder")
    command.add_argument("--data", required=True, help="a dataset's id, a zip archive or a folder")
    command.add_argument("--layout", default="", help="layout of the files; detected by default")
    command.add_argument(
        "--split",
        default="",
        help="train, valid or test: of the run's own split if it was trained on --data, else of the published split; "
        "all images by default",
    )
    command.add_argument("--published-split", default="", help="train, valid or test of the dataset's published split")


@contextmanager
def evaluation_images(arguments: argparse.Namespace, model: ModelEntry) -> Iterator[EvaluationImages]:
    """Open the images that the arguments choose, without those that the model was trained or selected on, or on a copy.

    Raises:
        InputError: there is no such data or split, or no image is left.
    """
    if arguments.published_split and arguments.split:
        raise InputError("--split and --published-split name two splits of the same data. Give one of them.")
    with split_images(arguments, model, arguments.published_split or arguments.split) as images:
        seen = load_training_images(model.folder, settings())
        if seen is None:
            yield images
            return
        found = _find_seen_rows(images, seen)
        excluded = found.count_excluded(np.ones(len(images.rows), bool), complete=seen.complete)
        rows = images.rows[~found.excluded]
        if rows.empty:
            remedy = "The run's test split is --split test." if images.split_of == "run" else "Name other data."
            raise InputError(
                f"None of the {len(images.rows):,} images of {images.describe(arguments.data)} is left to evaluate "
                f"{model.id} on. {excluded.describe()} {remedy}"
            )
        yield replace(images, rows=rows, excluded=excluded)


@contextmanager
def split_images(arguments: argparse.Namespace, model: ModelEntry, split: str) -> Iterator[EvaluationImages]:
    """Open all images of a split, including those that the model was trained on.

    Args:
        split: empty for all. It is the run's split if the run was trained on this data and `--published-split` is not
            given, else the dataset's.
    Raises:
        InputError: there is no such data or split.
    """
    config, data, name = settings(), arguments.data, parse_split(split)
    published: SplitOf = "dataset" if name else ""
    if data in {dataset.id for dataset in list_datasets(config)}:
        dataset = open_dataset(data, config)
        trained = find_training_dataset(model.folder, config)
        own = load_split_by_id(model.folder) if trained and trained.fingerprint == dataset.fingerprint else None
        with dataset.source(config) as source:
            index = dataset.index()
            index = index[~index["excluded"]]
            if own is not None and not arguments.published_split:
                splits = index["id"].map(own).fillna(EXCLUDED).to_numpy(str)
                rows = _select_run_split(index, splits, name)
                yield EvaluationImages(rows, source, name, "run", ExcludedImages())
            else:
                yield EvaluationImages(_select_split(index, name), source, name, published, ExcludedImages())
        return
    with open_source(Path(data).expanduser(), config) as source:
        rows = _select_split(load_labels(source, config, arguments.layout), name)
        yield EvaluationImages(rows, source, name, published, ExcludedImages())


def parse_split(split: str) -> str:
    """Parse a split argument; empty for all images."""
    return str(Split.parse(split)) if split else ""


def _find_seen_rows(images: EvaluationImages, seen: TrainingImages) -> SeenImages:
    """Find the rows that the model was trained or selected on, or on a copy, by their current pixels."""
    hashes: list[str] = []
    row_numbers: list[int] = []
    for number, pixels in enumerate(iter_images(images.source, get_face_refs(images.rows))):
        equivalent = [] if pixels is None else equivalent_hashes(pixels)
        hashes += equivalent
        row_numbers += [number] * len(equivalent)
    masks = []
    for matches in seen.match(truncate_hashes(hashes)):
        mask = np.zeros(len(images.rows), bool)
        mask[np.array(row_numbers, np.int64)[matches]] = True
        masks.append(mask)
    return SeenImages(*masks)


def _select_run_split(index: pd.DataFrame, splits: np.ndarray, split: str) -> pd.DataFrame:
    selected = index[splits == split if split else splits != EXCLUDED]
    if selected.empty:
        known = ", ".join(sorted(set(splits) - {EXCLUDED})) or "none"
        raise InputError(f"The run has no split {split!r}. It has: {known}.")
    return selected


def _select_split(rows: pd.DataFrame, split: str) -> pd.DataFrame:
    if not split:
        return rows
    selected = rows[(rows["split"] == split).fillna(False)]
    if selected.empty:
        known = ", ".join(sorted(set(rows["split"].dropna()))) or "none"
        raise InputError(f"The data has no split {split!r}. It has: {known}.")
    return selected
