"""`evaluate`: a model's figures on a dataset."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from fer_core.calibration import POINT_NAMES
from fer_core.cli.output import ProgressLine, emit, table
from fer_core.data.catalog import list_datasets, open_dataset, read_labels
from fer_core.data.record import Split
from fer_core.data.source import open_source
from fer_core.errors import InputError
from fer_core.evaluation.predictions import PROTOCOLS
from fer_core.evaluation.report import report
from fer_core.inference.bundle import Bundle
from fer_core.inference.catalog import find_model
from fer_core.inference.score import score
from fer_core.settings import settings


def add_to(commands: Any) -> None:
    """Add the command to a parser."""
    command: argparse.ArgumentParser = commands.add_parser("evaluate", help="a model's figures on a dataset")
    command.add_argument("--model", default="default", help="default, a run's id, or a bundle's folder")
    command.add_argument("--data", required=True, help="a dataset's id, a zip archive or a folder")
    command.add_argument("--layout", default="", help="how the files lie; recognised by default")
    command.add_argument("--split", default="", help="train, valid or test; all by default")
    command.add_argument("--protocol", choices=PROTOCOLS, default="argmax")
    command.add_argument("--point", choices=POINT_NAMES, default="accurate")
    command.add_argument("--json", action="store_true", help="print JSON alone")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Evaluate."""
    bundle = Bundle.open(find_model(arguments.model, settings()).folder)
    predictions = _predictions(bundle, arguments)
    result = report(predictions, bundle.calibration, bundle.contract.label_set, arguments.protocol, arguments.point)
    emit(result, arguments.json, in_words(result))


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
    return "\n".join([how, *headline, table(rows, "")])


def _predictions(bundle: Bundle, arguments: argparse.Namespace) -> pd.DataFrame:
    here = settings()
    if arguments.data in {dataset.id for dataset in list_datasets(here)}:
        dataset = open_dataset(arguments.data, here)
        with dataset.source(here) as source:
            index = dataset.index()
            return score(bundle, _chosen(index[~index["excluded"]], arguments.split), source, ProgressLine())
    with open_source(Path(arguments.data).expanduser(), here) as source:
        rows = read_labels(source, here, arguments.layout)
        return score(bundle, _chosen(rows, arguments.split), source, ProgressLine())


def _chosen(rows: pd.DataFrame, split: str) -> pd.DataFrame:
    if not split:
        return rows
    chosen = rows[(rows["split"] == str(Split.parse(split))).fillna(False)]
    if chosen.empty:
        there = ", ".join(sorted(set(rows["split"].dropna()))) or "none"
        raise InputError(f"The data has no split {split!r}. It has: {there}.")
    return chosen
