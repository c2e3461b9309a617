"""`datasets split`: divide a dataset into train, valid and test, and report the leakage."""

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


def add_command(action: AddAction) -> None:
    """Add the action."""
    parser = action("split", "split a dataset as training would, and check for leakage", _split)
    parser.add_argument("id")
    kinds = get_args(SplitConfig.model_fields["kind"].annotation)
    parser.add_argument("--kind", choices=kinds, help="default: published, or seeded where nothing is published")
    parser.add_argument("--valid", dest="valid_01", type=float, metavar="SHARE", help="share of validation images")
    parser.add_argument("--test", dest="test_01", type=float, metavar="SHARE", help="share of test images")
    parser.add_argument("--seed", type=int, help="the same seed gives the same split")
    parser.add_argument("--folds", type=int, help="number of folds (kfold)")
    parser.add_argument("--fold", type=int, help="which fold is the test, from 0 (kfold)")
    parser.add_argument("--out", type=Path, metavar="FILE.csv", help="write the split of each image")


def _split(arguments: argparse.Namespace) -> None:
    config = _config(arguments)
    dataset = open_dataset(arguments.id, settings())
    index = dataset.index(SPLIT_COLUMNS)
    groups = find_groups(index, dataset.pairs())
    report = split_report(index, config, groups)
    leakage = find_leakage(groups, report.splits)
    limits = copy_search_limits(dataset.columns(), index["split"])
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
        "excluded": {str(reason): n for reason, n in report.excluded.items()},
        "leakage": _to_json(leakage),
        "published_leakage": _to_json(report.published_leakage) if report.published_leakage else None,
        "search_limits": limits,
        "out": str(arguments.out) if arguments.out else None,
    }
    print_result(result, arguments.json, f"{_format_report(report, leakage, arguments.out)}\n{limits}")


def _config(arguments: argparse.Namespace) -> SplitConfig:
    """Read the split from the options.

    Raises:
        ConfigError: an option is out of range.
    """
    values = {field: getattr(arguments, field) for field in SplitConfig.model_fields}
    try:
        return SplitConfig.model_validate({field: value for field, value in values.items() if value is not None})
    except ValidationError as exc:
        problem = exc.errors()[0]
        flag = f"--{problem['loc'][0]}".removesuffix("_01")
        reason = problem["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{flag} {problem['input']} can't be used: {reason}.") from exc


def _to_json(leakage: Leakage) -> dict[str, Any]:
    return {
        "clean": leakage.clean,
        "text": leakage.describe(),
        "causes": {
            str(cause): {
                "groups": leak.groups,
                "images": len(leak.rows),
                "training": leak.training,
                "validation": leak.validation,
            }
            for cause, leak in leakage.leaks.items()
        },
        "unchecked": [str(cause) for cause in leakage.unchecked],
    }


def _format_report(report: SplitReport, leakage: Leakage, out: Path | None) -> str:
    rows: list[dict[str, Any]] = [
        {"expression": expression, **{str(split): f"{n:,}" for split, n in counts.items()}}
        for expression, counts in report.counts.T.to_dict("index").items()
    ]
    lines = [format_table(rows, ""), leakage.describe()]
    lines += [f"Excluded: {n:,} {REASONS[reason]}." for reason, n in report.excluded.items()]
    if report.published_leakage is not None:
        lines.append(report.published_leakage.describe("The published split"))
    if out is not None:
        lines.append(f"The split of each image is in {out}.")
    return "\n".join(lines)
