"""`evaluate`: a model's figures on a dataset."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from fer_core.calibration import POINT_NAMES
from fer_core.cli.output import ProgressLine, emit, table
from fer_core.data.catalog import list_datasets, open_dataset, read_labels
from fer_core.data.record import Split
from fer_core.data.source import Source, open_source
from fer_core.errors import InputError
from fer_core.evaluation.predictions import PROTOCOLS
from fer_core.evaluation.report import report, reports
from fer_core.ids import slug
from fer_core.inference.bundle import Bundle
from fer_core.inference.catalog import ModelEntry, find_model
from fer_core.inference.evaluations import Evaluation, keep_evaluation
from fer_core.inference.score import score
from fer_core.settings import settings


def add_to(commands: Any) -> None:
    """Add the command to a parser."""
    command: argparse.ArgumentParser = commands.add_parser("evaluate", help="a model's figures on a dataset")
    add_what_is_judged(command)
    command.add_argument("--note", default="", help="with --keep: what is to be known of the data, in a sentence")
    command.add_argument("--json", action="store_true", help="print JSON alone")
    command.set_defaults(run=run)


def add_what_is_judged(command: argparse.ArgumentParser) -> None:
    """Add the arguments that say which model is judged, on what and how, and whether that is kept."""
    add_model_and_data(command)
    command.add_argument("--protocol", choices=PROTOCOLS, default="argmax")
    command.add_argument("--point", choices=POINT_NAMES, default="accurate")
    command.add_argument("--keep", action="store_true", help="keep the report with the run, for its model card")


def add_model_and_data(command: argparse.ArgumentParser) -> None:
    """Add the arguments that say which model is judged and on what; `rows_of` takes the data."""
    command.add_argument("--model", default="default", help="default, a run's id, or a bundle's folder")
    command.add_argument("--data", required=True, help="a dataset's id, a zip archive or a folder")
    command.add_argument("--layout", default="", help="how the files lie; recognised by default")
    command.add_argument("--split", default="", help="train, valid or test; all by default")


def run(arguments: argparse.Namespace) -> None:
    """Evaluate."""
    model = find_model(arguments.model, settings())
    keeping = folder_to_keep_in(model) if arguments.keep else None
    bundle = Bundle.open(model.folder)
    with rows_of(arguments.data, arguments.split, arguments.layout) as (rows, source):
        predictions = score(bundle, rows, source, ProgressLine())
    if keeping:
        every = reports(predictions, bundle.calibration, bundle.contract.label_set)
        part = named_split(arguments.split)
        evaluation = Evaluation(_data_title(arguments.data, part), "", arguments.note, tuple(every))
        keep_evaluation(keeping, slug(f"{Path(arguments.data).stem} {part}"), evaluation)
    result = report(predictions, bundle.calibration, bundle.contract.label_set, arguments.protocol, arguments.point)
    emit(result, arguments.json, in_words(result))


def folder_to_keep_in(entry: ModelEntry) -> Path:
    """The run's folder, where `--keep` keeps a report.

    Raises:
        InputError: the model is no run of this store.
    """
    if entry.kind != "run":
        raise InputError(
            f"--keep: {entry.id} is a finished bundle and stays as it is. Name the run; its export then has the report."
        )
    return entry.folder


def in_words(result: dict[str, Any]) -> str:
    """A report as text: the headline with its intervals, then a row a class."""
    names = ("macro_f1", "balanced_accuracy", "accuracy")
    headline = [
        f"{name.replace('_', ' ')} {result[name]:.1%} (95 %: {low:.1%} to {high:.1%})"
        for name in names
        for low, high in [result["intervals"][name]]
    ]
    rows = [
        {
            "expression": name,
            **{figure: f"{each[figure]:.3f}" for figure in ("precision", "recall", "f1")},
            "support": each["support"],
        }
        for name, each in result["per_class"].items()
    ]
    how = f"{result['n']:,} faces, {result['protocol']} protocol, {result['point']} point, ECE {result['ece']:.3f}"
    classes = f"{len(result['classes'])} of {len(result['labels'])} classes: {', '.join(result['classes'])}"
    over = f"macro f1 and balanced accuracy over {classes}"
    warnings = [f"warning: {each}" for each in result["warnings"]]
    return "\n".join([how, *headline, over, *warnings, table(rows, "")])


@contextmanager
def rows_of(data: str, split: str, layout: str = "") -> Iterator[tuple[pd.DataFrame, Source]]:
    """The index rows of a dataset, an archive or a folder, and where their images are.

    Args:
        data: a dataset's id, or a path.
        split: the part that is wanted; empty for all.
        layout: how a path's files lie; recognised where it is empty.
    Raises:
        InputError: there is no such data, or it has no such split.
    """
    here = settings()
    if data in {dataset.id for dataset in list_datasets(here)}:
        dataset = open_dataset(data, here)
        with dataset.source(here) as source:
            index = dataset.index()
            yield _chosen(index[~index["excluded"]], named_split(split)), source
        return
    with open_source(Path(data).expanduser(), here) as source:
        yield _chosen(read_labels(source, here, layout), named_split(split)), source


def named_split(split: str) -> str:
    """The part that `--split` asks for, as an index calls it; empty for all."""
    return str(Split.parse(split)) if split else ""


def _data_title(data: str, part: str) -> str:
    """What the data is called on a card."""
    titles = {dataset.id: dataset.manifest.title for dataset in list_datasets(settings())}
    title = titles.get(data, Path(data).stem)
    return f"{title}, {part}" if part else title


def _chosen(rows: pd.DataFrame, split: str) -> pd.DataFrame:
    if not split:
        return rows
    chosen = rows[(rows["split"] == split).fillna(False)]
    if chosen.empty:
        there = ", ".join(sorted(set(rows["split"].dropna()))) or "none"
        raise InputError(f"The data has no split {split!r}. It has: {there}.")
    return chosen
