"""`datasets split`: who trains and who judges, and what leaks between them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from fer_core.cli.output import format_table, print_result
from fer_core.cli.parsing import AddAction
from fer_core.data.catalog import open_dataset
from fer_core.data.duplicates.augmented_copies import copy_search_limits
from fer_core.data.duplicates.groups import find_groups
from fer_core.data.splits.leakage import Leakage, find_leakage
from fer_core.data.splits.report import REASONS, SPLIT_COLUMNS, SplitReport, split_report, split_table
from fer_core.data.splits.split import SplitConfig
from fer_core.errors import ConfigError
from fer_core.files.csv_file import write_csv
from fer_core.settings import settings

_OPTIONS = {"kind": "kind", "valid": "valid_01", "test": "test_01", "seed": "seed", "folds": "folds", "fold": "fold"}
"""Options and the fields of `SplitConfig` that they mean."""


def add_command(action: AddAction) -> None:
    """Add the action."""
    splitting = action("split", "divide a dataset as training would, and look for leaks", _split)
    splitting.add_argument("id")
    kinds = get_args(SplitConfig.model_fields["kind"].annotation)
    splitting.add_argument("--kind", choices=kinds, help="by default published, or seeded where there is none")
    splitting.add_argument("--valid", type=float, metavar="SHARE", help="of the images to validate with, such as 0.1")
    splitting.add_argument("--test", type=float, metavar="SHARE", help="of the images to test with, such as 0.1")
    splitting.add_argument("--seed", type=int, help="the same seed gives the same split")
    splitting.add_argument("--folds", type=int, help="how many folds (kfold)")
    splitting.add_argument("--fold", type=int, help="which fold judges, from 0 (kfold)")
    splitting.add_argument("--out", type=Path, metavar="FILE.csv", help="write the part of each image")


def _split(arguments: argparse.Namespace) -> None:
    config = _config(arguments)
    dataset = open_dataset(arguments.id, settings())
    index = dataset.index(SPLIT_COLUMNS)
    ties = find_groups(index, dataset.pairs())
    report = split_report(index, config, ties)
    found = find_leakage(ties, report.splits)
    unseen = copy_search_limits(dataset.columns(), index["split"])
    if arguments.out is not None:
        write_csv(split_table(index, report.splits), arguments.out)
    result = {
        "id": dataset.id,
        "n": len(index),
        "split": {**config.model_dump(), "kind": report.kind},
        "counts": {
            str(split): {name: int(n) for name, n in row.items()}
            for split, row in report.counts.to_dict("index").items()
        },
        "left_out": {str(reason): n for reason, n in report.left_out.items()},
        "leakage": _as_json(found),
        "published_leakage": _as_json(report.published_leakage) if report.published_leakage else None,
        "not_seen": unseen,
        "out": str(arguments.out) if arguments.out else None,
    }
    print_result(result, arguments.json, f"{_in_words(report, found, arguments.out)}\n{unseen}")


def _config(arguments: argparse.Namespace) -> SplitConfig:
    """The split that the options mean.

    Raises:
        ConfigError: an option is out of range.
    """
    given = {
        field: getattr(arguments, option)
        for option, field in _OPTIONS.items()
        if getattr(arguments, option) is not None
    }
    try:
        return SplitConfig.model_validate(given)
    except ValidationError as exc:
        problem = exc.errors()[0]
        option = next(option for option, field in _OPTIONS.items() if field in problem["loc"])
        raise ConfigError(
            f"--{option} {problem['input']} can't be used: {problem['msg'].removeprefix('Value error, ')}."
        ) from exc


def _as_json(found: Leakage) -> dict[str, Any]:
    return {
        "clean": found.clean,
        "words": found.in_words(),
        "causes": {
            str(cause): {
                "groups": leak.groups,
                "images": len(leak.rows),
                "training": leak.training,
                "validation": leak.validation,
            }
            for cause, leak in found.leaks.items()
        },
        "unchecked": [str(cause) for cause in found.unchecked],
    }


def _in_words(report: SplitReport, found: Leakage, out: Path | None) -> str:
    rows: list[dict[str, Any]] = [
        {"expression": expression, **{str(split): f"{n:,}" for split, n in counts.items()}}
        for expression, counts in report.counts.T.to_dict("index").items()
    ]
    said = [format_table(rows, ""), found.in_words()]
    said += [f"Left out: {n:,} ({REASONS[reason]})." for reason, n in report.left_out.items()]
    if report.published_leakage is not None:
        said.append(report.published_leakage.in_words("The published split as it comes"))
    if out is not None:
        said.append(f"The part of each image is in {out}.")
    return "\n".join(said)
