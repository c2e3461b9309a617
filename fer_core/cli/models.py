"""`models`: list, choose, verify, export, import and delete models; fetch the face detector."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fer_core.bundles.archive import is_bundle_file, unpacked
from fer_core.bundles.bundle import Bundle
from fer_core.bundles.catalog import ModelEntry, delete_model, find_model, list_models, model_in_use, use_model
from fer_core.bundles.export_bundle import export_bundle
from fer_core.bundles.import_bundle import import_bundle, is_weights_file
from fer_core.bundles.training_images import save_training_images
from fer_core.bundles.verification import Check, check_parity, verify_bundle
from fer_core.cli.output import ProgressLine, format_table, print_result
from fer_core.cli.parsing import add_command_group
from fer_core.data.catalog import open_dataset
from fer_core.detection.yunet_file import fetch_yunet
from fer_core.errors import BundleError
from fer_core.settings import settings
from fer_core.training.config.train_config import presets


def add_command(commands: Any) -> None:
    """Add the command to a parser."""
    action = add_command_group(commands, "models", "list, choose, verify, export and import models")
    action("list", "every model that can be used", _list)
    action("use", "make a model the one that Predict and Live use", _use).add_argument("model")
    verifying = action("verify", "verify that a model still predicts the same", _verify)
    verifying.add_argument("model", help="default, a run's or model's id, or a bundle: a folder or one file")
    exporting = action("export", "export a model as a bundle", _export)
    exporting.add_argument("model", help="default, or a run's or model's id")
    exporting.add_argument(
        "--to", type=Path, required=True, help="the folder to make; or, where it ends in .zip, the one file"
    )
    _add_import(action("import", "import a bundle or a file of weights into the store", _import))
    listing = action("list-images", "record which images a model of an older FERscope was trained on", _list_images)
    listing.add_argument("model", help="default, a run's or model's id, or a bundle's folder")
    listing.add_argument("--data", required=True, help="the dataset in the store that it was trained on")
    action("delete", "delete an imported model", _delete).add_argument("id")
    fetching = action("fetch", "fetch the YuNet face detector into the store", _fetch)
    fetching.add_argument("what", choices=("yunet",))


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, help="a bundle (a folder or one file), or a state dict (.pt, .safetensors)")
    parser.add_argument("--id", default="", help="what to call it; by default what it calls itself, or the file's name")
    weights = parser.add_argument_group("for a bare state dict")
    weights.add_argument("--preset", default="", help=f"gives network, labels and contract: {', '.join(presets())}")
    weights.add_argument("--license", default="", help="what may be done with the weights")
    weights.add_argument("--title", default="", help="how people call it")
    weights.add_argument("--data", default="", help="a dataset in the store for calibration and evaluation")
    weights.add_argument(
        "--split", default="", help="the split that the calibration is fitted on: valid (the default) or train"
    )


def _list(arguments: argparse.Namespace) -> None:
    used = model_in_use(settings())
    rows = [
        {
            "id": entry.id,
            "kind": entry.kind,
            "in_use": entry.id == used,
            "title": entry.info.title,
            "dataset": entry.info.dataset,
            "synthetic": entry.info.synthetic,
            "parameters": entry.info.parameters,
            "metrics": entry.info.metrics,
        }
        for entry in list_models(settings())
    ]
    short = [{name: row[name] for name in ("id", "kind", "in_use", "title", "dataset", "parameters")} for row in rows]
    print_result(rows, arguments.json, format_table(short, "No models."))


def _use(arguments: argparse.Namespace) -> None:
    entry = use_model(arguments.model, settings())
    print_result({"model": entry.id}, arguments.json, f"Predict and Live now use {entry.id}")


def _verify(arguments: argparse.Namespace) -> int:
    checks = _checks(arguments.model)
    rows = [{"check": check.name, "passed": check.passed, "detail": check.detail} for check in checks]
    passed = all(check.passed for check in checks)
    print_result(
        {"model": arguments.model, "passed": passed, "checks": rows},
        arguments.json,
        format_table(rows, "Nothing to check."),
    )
    return 0 if passed else 1


def _checks(model: str) -> list[Check]:
    path = Path(model).expanduser()
    if path.is_file() and is_bundle_file(path):
        with unpacked(path, settings()) as folder:
            return [*verify_bundle(folder), *check_parity(folder)]
    folder = find_model(model, settings()).folder
    return [*verify_bundle(folder), *check_parity(folder)]


def _export(arguments: argparse.Namespace) -> None:
    written = export_bundle(find_model(arguments.model, settings()), arguments.to)
    kind = "file" if written.is_file() else "folder"
    print_result({"model": arguments.model, kind: str(written)}, arguments.json, f"Wrote {written}")


def _import(arguments: argparse.Namespace) -> None:
    entry = _imported(arguments)
    labels = [str(label) for label in Bundle.open(entry.folder).contract.labels]
    result = {
        "id": entry.id,
        "n": entry.info.parameters,
        "parameters": entry.info.parameters,
        "labels": labels,
        "title": entry.info.title,
        "license": entry.info.license,
        "metrics": entry.info.metrics,
        "folder": str(entry.folder),
    }
    said = f"Imported {entry.id}: {entry.info.title}, {entry.info.parameters:,} parameters, {len(labels)} expressions"
    print_result(result, arguments.json, f"{said}\nUse it with: python -m fer_core models use {entry.id}")


def _imported(arguments: argparse.Namespace) -> ModelEntry:
    weights = {name: getattr(arguments, name) for name in ("preset", "license", "title", "data", "split")}
    given = [f"--{name}" for name, value in weights.items() if value]
    if not is_weights_file(arguments.path) or not arguments.preset:
        if given and not is_weights_file(arguments.path):
            raise BundleError(f"{arguments.path.name} is no bare state dict: leave {', '.join(given)} out.")
        return import_bundle(arguments.path, settings(), model_id=arguments.id)
    from fer_core.bundles.import_weights import WeightsImport, import_weights

    said = {name: value for name, value in weights.items() if value}
    asked = WeightsImport(model_id=arguments.id, **said)
    return import_weights(arguments.path, asked, settings(), ProgressLine())


def _list_images(arguments: argparse.Namespace) -> None:
    seen = save_training_images(find_model(arguments.model, settings()), open_dataset(arguments.data, settings()))
    result = {"model": arguments.model, "trained_on": len(seen.trained_on), "selected_on": len(seen.selected_on)}
    said = f"{arguments.model} was trained on {len(seen.trained_on):,} images and selected on {len(seen.selected_on):,}"
    print_result(result, arguments.json, said)


def _delete(arguments: argparse.Namespace) -> None:
    was_used = delete_model(arguments.id, settings())
    fallen = " Predict and Live used it, and now use the one that ships." if was_used else ""
    result = {"id": arguments.id, "was_in_use": was_used, "in_use": model_in_use(settings())}
    print_result(result, arguments.json, f"Deleted {arguments.id}.{fallen}")


def _fetch(arguments: argparse.Namespace) -> None:
    path = fetch_yunet(settings())
    print_result({"path": str(path)}, arguments.json, f"YuNet is at {path}")
