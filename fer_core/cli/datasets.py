"""`datasets`: what is known, what is in the store, importing and counting."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fer_core.cli.output import emit, table
from fer_core.cli.parsing import add_group
from fer_core.cli.reporting import reported
from fer_core.data.balance import statistics
from fer_core.data.catalog import StoredDataset, delete_dataset, import_dataset, list_datasets, open_dataset
from fer_core.data.drawn import make_drawn_dataset
from fer_core.data.manifest import known_manifests
from fer_core.labels import Expression
from fer_core.settings import settings


def add_to(commands: Any) -> None:
    """Add the command to a parser."""
    action = add_group(commands, "datasets", "list, import, count and delete datasets")
    action("list", "known manifests and imported datasets", _list)
    action("stats", "class counts and imbalance of an imported dataset", _stats).add_argument("id")
    importing = action("import", "index a zip archive or folder and add it to the store", _import)
    importing.add_argument("path", type=Path)
    importing.add_argument("--id", default="", help="the dataset's id; by default that of its manifest or file")
    importing.add_argument("--layout", default="", help="how the files lie; recognised by default")
    importing.add_argument("--take", action="store_true", help="move the archive into the store")
    drawing = action("draw", "draw the drawn-faces dataset", _draw)
    drawing.add_argument("--id", default="drawn-faces")
    drawing.add_argument("--total", type=int, default=4000, help="how many images")
    drawing.add_argument("--seed", type=int, default=0)
    action("delete", "remove a dataset from the store", _delete).add_argument("id")


def _list(arguments: argparse.Namespace) -> None:
    imported = {dataset.id: dataset for dataset in list_datasets(settings())}
    rows = [
        {
            "id": dataset_id,
            "title": (imported[dataset_id].manifest if dataset_id in imported else known_manifests()[dataset_id]).title,
            "imported": dataset_id in imported,
            "n": imported[dataset_id].n if dataset_id in imported else None,
        }
        for dataset_id in dict.fromkeys([*imported, *known_manifests()])
    ]
    emit(rows, arguments.json, table([{**row, "n": row["n"] or "-"} for row in rows], "No datasets."))


def _stats(arguments: argparse.Namespace) -> None:
    result = statistics(arguments.id, open_dataset(arguments.id, settings()).index())
    rows = [
        {"expression": str(e), **{split or "all": counts[str(e)] for split, counts in result["splits"].items()}}
        for e in Expression
    ]
    judged = result["imbalance"]
    ratio = f"imbalance ratio {judged['ratio']:.1f}, entropy {judged['entropy_01']:.2f}, Gini {judged['gini']:.2f}"
    emit(result, arguments.json, f"{table(rows, '')}\n{result['n']:,} images; {ratio if judged else 'no labels'}")


def _import(arguments: argparse.Namespace) -> None:
    def work(progress: Any) -> StoredDataset:
        try:
            return import_dataset(
                arguments.path,
                settings(),
                dataset_id=arguments.id,
                layout=arguments.layout,
                move=arguments.take,
                progress=progress,
            )
        finally:
            # An upload is in the store by now, or is not wanted; a file of the user's own is never deleted.
            if arguments.take and arguments.path.absolute().is_relative_to(settings().uploads_dir):
                arguments.path.unlink(missing_ok=True)

    _emit_imported(arguments, reported(work))


def _draw(arguments: argparse.Namespace) -> None:
    def work(progress: Any) -> StoredDataset:
        return make_drawn_dataset(arguments.id, arguments.total, arguments.seed, settings(), progress)

    _emit_imported(arguments, reported(work))


def _emit_imported(arguments: argparse.Namespace, dataset: StoredDataset) -> None:
    problems = int((dataset.index(["problem"])["problem"] != "").sum())
    result = {"id": dataset.id, "n": dataset.n, "problems": problems, "source": str(dataset.source_path)}
    emit(result, arguments.json, f"{dataset.id}: {dataset.n:,} images, {problems:,} with problems")


def _delete(arguments: argparse.Namespace) -> None:
    delete_dataset(arguments.id, settings())
    emit({"id": arguments.id, "deleted": True}, arguments.json, f"{arguments.id} was deleted")
