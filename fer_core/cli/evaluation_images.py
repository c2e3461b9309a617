"""The images that a command evaluates a model on: a split, without those that it was trained or selected on."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
from fer_core.data.training_images import ExcludedImages, TrainingImages, equivalent_hashes, truncate_hashes
from fer_core.errors import InputError
from fer_core.markdown import describe_split
from fer_core.runs.training_images import find_training_dataset, load_split_by_id, load_training_images
from fer_core.settings import settings

SplitOf = Literal["", "run", "dataset"]
"""Whose split is meant: the run's, which says what it was trained, selected and tested on, or the dataset's own."""


@dataclass(frozen=True, slots=True)
class EvaluationImages:
    """The images that a model is evaluated on.

    Attributes:
        rows: index rows.
        source: where their images are.
        split: which split they are of, empty for all.
        split_of: whose.
        excluded: what was left out of it.
    """

    rows: pd.DataFrame
    source: Source
    split: str
    split_of: SplitOf
    excluded: ExcludedImages

    def as_json(self) -> dict[str, Any]:
        """What a report says of it."""
        return {"split": self.split, "split_of": self.split_of, "excluded": self.excluded._asdict()}

    def for_file(self) -> dict[str, Any]:
        """The same for a report that has the split's name already; nothing is kept of what is unknown."""
        known = self.excluded.trained_on is not None
        return {"split_of": self.split_of, "excluded": self.excluded._asdict() if known else None}

    def describe(self, data: str) -> str:
        """Which images they are: whose split of what."""
        return describe_split(data, self.split, self.split_of)

    def title(self, data: str) -> str:
        """What they are called on a card."""
        return ", ".join([data, *filter(None, [_WHOSE[self.split_of].format(self.split) if self.split else ""])])


_WHOSE: dict[SplitOf, str] = {"": "{}", "run": "the run's {} split", "dataset": "published {} split"}


def add_model_and_data(command: argparse.ArgumentParser) -> None:
    """Add the arguments that choose the model and the images; `evaluation_images` takes them."""
    command.add_argument("--model", default="default", help="default, a run's id, or a bundle's folder")
    command.add_argument("--data", required=True, help="a dataset's id, a zip archive or a folder")
    command.add_argument("--layout", default="", help="how the files lie; recognized by default")
    command.add_argument(
        "--split",
        default="",
        help="train, valid or test: of the run's own split where --data is what the run was trained on, else of the "
        "split that the dataset comes with; all by default",
    )
    command.add_argument(
        "--published-split", default="", help="train, valid or test of the split that the dataset comes with, always"
    )


@contextmanager
def evaluation_images(arguments: argparse.Namespace, model: ModelEntry) -> Iterator[EvaluationImages]:
    """The images that a command's arguments name, without those that the model was trained or selected on.

    Raises:
        InputError: there is no such data or split, or the model has seen all of it.
    """
    if arguments.published_split and arguments.split:
        raise InputError("--split and --published-split name two splits of the same data. Give one of them.")
    wanted = arguments.published_split or arguments.split
    with split_images(arguments, model, wanted) as chosen:
        seen = load_training_images(model.folder, settings())
        if seen is None:
            yield chosen
            return
        trained, selected = _seen_rows(chosen, seen)
        excluded = ExcludedImages(int(trained.sum()), int((selected & ~trained).sum()), seen.complete)
        rows = chosen.rows[~(trained | selected)]
        if rows.empty:
            whose = "The run's test split is --split test." if chosen.split_of == "run" else "Name other data."
            raise InputError(
                f"None of the {len(chosen.rows):,} images of {chosen.describe(arguments.data)} is left to evaluate "
                f"{model.id} on. {excluded.describe()} {whose}"
            )
        yield EvaluationImages(rows, chosen.source, chosen.split, chosen.split_of, excluded)


@contextmanager
def split_images(arguments: argparse.Namespace, model: ModelEntry, split: str) -> Iterator[EvaluationImages]:
    """All images of a split, whatever the model has seen of them.

    Args:
        split: a split's name, empty for all: the run's where it was trained on this data, else the dataset's; the
            dataset's in any case where `--published-split` is given.
    Raises:
        InputError: there is no such data or split.
    """
    here, data, wanted = settings(), arguments.data, named_split(split)
    if data in {dataset.id for dataset in list_datasets(here)}:
        dataset = open_dataset(data, here)
        trained = find_training_dataset(model.folder, here)
        own = load_split_by_id(model.folder) if trained and trained.fingerprint == dataset.fingerprint else None
        with dataset.source(here) as source:
            index = dataset.index()
            index = index[~index["excluded"]]
            if own is not None and not arguments.published_split:
                splits = index["id"].map(own).fillna(EXCLUDED).to_numpy(str)
                yield EvaluationImages(_of_run(index, splits, wanted), source, wanted, "run", ExcludedImages())
            else:
                yield EvaluationImages(_chosen(index, wanted), source, wanted, _dataset(wanted), ExcludedImages())
        return
    with open_source(Path(data).expanduser(), here) as source:
        rows = _chosen(load_labels(source, here, arguments.layout), wanted)
        yield EvaluationImages(rows, source, wanted, _dataset(wanted), ExcludedImages())


def named_split(split: str) -> str:
    """The split that an argument asks for, as an index calls it; empty for all."""
    return str(Split.parse(split)) if split else ""


def _dataset(split: str) -> SplitOf:
    return "dataset" if split else ""


def _seen_rows(images: EvaluationImages, seen: TrainingImages) -> tuple[np.ndarray, np.ndarray]:
    """Which rows the model was trained and which it was selected on, by the pixels as they are now."""
    sums: list[str] = []
    owner: list[int] = []
    for place, pixels in enumerate(iter_images(images.source, get_face_refs(images.rows))):
        forms = [] if pixels is None else equivalent_hashes(pixels)
        sums += forms
        owner += [place] * len(forms)
    found = []
    for hits in seen.match(truncate_hashes(sums)):
        rows = np.zeros(len(images.rows), bool)
        rows[np.array(owner, np.int64)[hits]] = True
        found.append(rows)
    return found[0], found[1]


def _of_run(index: pd.DataFrame, splits: np.ndarray, split: str) -> pd.DataFrame:
    """The rows of a run's split; what it left out is in none."""
    chosen = index[splits == split if split else splits != EXCLUDED]
    if chosen.empty:
        there = ", ".join(sorted(set(splits) - {EXCLUDED})) or "none"
        raise InputError(f"The run has no split {split!r}. It has: {there}.")
    return chosen


def _chosen(rows: pd.DataFrame, split: str) -> pd.DataFrame:
    if not split:
        return rows
    chosen = rows[(rows["split"] == split).fillna(False)]
    if chosen.empty:
        there = ", ".join(sorted(set(rows["split"].dropna()))) or "none"
        raise InputError(f"The data has no split {split!r}. It has: {there}.")
    return chosen
