"""`datasets`: list, count and delete datasets; the other actions are in modules of their own."""

from __future__ import annotations

import argparse
from typing import Any

from fer_core.cli.datasets import corrections as dataset_corrections
from fer_core.cli.datasets import imports as dataset_import
from fer_core.cli.datasets import manifests as dataset_manifest
from fer_core.cli.datasets import predictions as dataset_predictions
from fer_core.cli.datasets import quality as dataset_quality
from fer_core.cli.datasets import split as dataset_split
from fer_core.cli.output import format_table, print_result
from fer_core.cli.parsing import add_command_group
from fer_core.data.catalog import delete_dataset, list_datasets, open_dataset
from fer_core.data.imbalance.imbalance import dataset_statistics
from fer_core.data.manifest_store import all_manifests
from fer_core.jobs.deletion import assert_dataset_unused
from fer_core.jobs.store import JobStore
from fer_core.labels import Expression
from fer_core.settings import settings


def add_command(commands: Any) -> None:
    """Add the command to a parser."""
    action = add_command_group(commands, "datasets", "list, import, count and delete datasets")
    action("list", "list manifests and imported datasets", _list)
    action("stats", "show class counts and imbalance of a dataset", _stats).add_argument("id")
    modules = (
        dataset_import,
        dataset_manifest,
        dataset_quality,
        dataset_corrections,
        dataset_split,
        dataset_predictions,
    )
    for module in modules:
        module.add_command(action)
    action("delete", "delete a dataset from the store", _delete).add_argument("id")


def _list(arguments: argparse.Namespace) -> None:
    imported = {dataset.id: dataset for dataset in list_datasets(settings())}
    known = all_manifests(settings())
    rows = [
        {
            "id": dataset_id,
            "title": (imported[dataset_id].manifest if dataset_id in imported else known[dataset_id]).title,
            "imported": dataset_id in imported,
            "n": imported[dataset_id].n if dataset_id in imported else None,
        }
        for dataset_id in dict.fromkeys([*imported, *known])
    ]
    print_result(rows, arguments.json, format_table([{**row, "n": row["n"] or "-"} for row in rows], "No datasets."))


def _stats(arguments: argparse.Namespace) -> None:
    result = dataset_statistics(arguments.id, open_dataset(arguments.id, settings()).index())
    rows = [
        {"expression": str(e), **{split or "all": counts[str(e)] for split, counts in result["splits"].items()}}
        for e in Expression
    ]
    print_result(
        result,
        arguments.json,
        f"{format_table(rows, '')}\n{result['n']:,} images; {_format_imbalance(result['imbalance'])}",
    )


def _format_imbalance(imbalance: dict[str, float] | None) -> str:
    if not imbalance:
        return "no labels"
    return (
        f"imbalance ratio {imbalance['ratio']:.1f}, entropy {imbalance['entropy_01']:.2f}, Gini {imbalance['gini']:.2f}"
    )


def _delete(arguments: argparse.Namespace) -> None:
    with JobStore(settings()) as store:
        assert_dataset_unused(arguments.id, store, settings())
    delete_dataset(arguments.id, settings())
    print_result({"id": arguments.id, "deleted": True}, arguments.json, f"{arguments.id} was deleted")
