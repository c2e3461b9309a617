"""`models`: list, choose, verify and export models; fetch the face detector."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fer_core.cli.output import emit, table
from fer_core.cli.parsing import add_group
from fer_core.inference.catalog import find_model, list_models, model_in_use, use_model
from fer_core.inference.export import export_bundle
from fer_core.inference.golden import verify_bundle
from fer_core.inference.yunet_file import fetch_yunet
from fer_core.settings import settings


def add_to(commands: Any) -> None:
    """Add the command to a parser."""
    action = add_group(commands, "models", "list, choose, verify and export models")
    action("list", "every model that can be used", _list)
    action("use", "make a model the one that Predict and Live use", _use).add_argument("model")
    action("verify", "prove that a model still predicts what it did", _verify).add_argument("model")
    exporting = action("export", "write a finished run as a bundle of its own", _export)
    exporting.add_argument("model")
    exporting.add_argument("--to", type=Path, required=True, help="the folder to make")
    fetching = action("fetch", "fetch the YuNet face detector into the store", _fetch)
    fetching.add_argument("what", choices=("yunet",))


def _list(arguments: argparse.Namespace) -> None:
    used = model_in_use(settings())
    rows = [
        {
            "id": entry.id,
            "kind": entry.kind,
            "in_use": entry.id == used,
            "title": entry.about.title,
            "dataset": entry.about.dataset,
            "drawn": entry.about.drawn,
            "parameters": entry.about.parameters,
            "figures": entry.about.figures,
        }
        for entry in list_models(settings())
    ]
    short = [{name: row[name] for name in ("id", "kind", "in_use", "title", "dataset", "parameters")} for row in rows]
    emit(rows, arguments.json, table(short, "No models."))


def _use(arguments: argparse.Namespace) -> None:
    entry = use_model(arguments.model, settings())
    emit({"model": entry.id}, arguments.json, f"Predict and Live now use {entry.id}")


def _verify(arguments: argparse.Namespace) -> int:
    checks = verify_bundle(find_model(arguments.model, settings()).folder)
    rows = [{"check": check.name, "passed": check.passed, "detail": check.detail} for check in checks]
    passed = all(check.passed for check in checks)
    emit({"model": arguments.model, "passed": passed, "checks": rows}, arguments.json, table(rows, "Nothing to check."))
    return 0 if passed else 1


def _export(arguments: argparse.Namespace) -> None:
    folder = export_bundle(find_model(arguments.model, settings()), arguments.to)
    emit({"model": arguments.model, "folder": str(folder)}, arguments.json, f"Wrote {folder}")


def _fetch(arguments: argparse.Namespace) -> None:
    path = fetch_yunet(settings())
    emit({"path": str(path)}, arguments.json, f"YuNet is at {path}")
