"""`models`: list, choose, verify, export, import and delete models; fetch the face detector."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fer_core.bundles.archive import is_bundle_file, unpacked_bundle
from fer_core.bundles.bundle import Bundle
from fer_core.bundles.catalog import (
    ModelEntry,
    active_model_id,
    delete_model,
    find_model,
    list_models,
    set_active_model,
)
from fer_core.bundles.export_bundle import export_bundle
from fer_core.bundles.import_bundle import import_bundle, is_weights_file
from fer_core.bundles.training_images import record_training_images
from fer_core.bundles.verification import CheckResult, check_parity, verify_bundle
from fer_core.cli.output import ProgressLine, format_table, print_result
from fer_core.cli.parsing import add_command_group
from fer_core.data.catalog import open_dataset
from fer_core.detection.yunet_file import fetch_yunet
from fer_core.errors import BundleError
from fer_core.labels import LABEL_SETS
from fer_core.settings import settings
from fer_core.training.config.train_config import preset_paths


def add_command(commands: Any) -> None:
    """Add the command to a parser."""
    action = add_command_group(commands, "models", "list, choose, verify, export and import models")
    action("list", "list all models", _list)
    action("use", "choose the model for Predict and Live", _use).add_argument("model")
    verify = action("verify", "verify that a model still predicts the same", _verify)
    verify.add_argument("model", help="default, a run's or model's id, or a bundle: a folder or one file")
    export = action("export", "export a model as a bundle", _export)
    export.add_argument("model", help="default, or a run's or model's id")
    export.add_argument("--to", type=Path, required=True, help="the folder to create, or a file that ends in .zip")
    _add_import(action("import", "import a bundle or a file of weights into the store", _import))
    record = action(
        "record-training-images", "record the training images of a model of an older version", _record_training_images
    )
    record.add_argument("model", help="default, a run's or model's id, or a bundle's folder")
    record.add_argument("--data", required=True, help="the dataset in the store that it was trained on")
    action("delete", "delete an imported model", _delete).add_argument("id")
    fetch = action("fetch", "download the YuNet face detector into the store", _fetch)
    fetch.add_argument("what", choices=("yunet",))


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, help="a bundle (a folder or one file), or a state dict (.pt, .safetensors)")
    parser.add_argument("--id", default="", help="id of the model; by default that of the bundle, or the file's name")
    weights = parser.add_argument_group("for a bare state dict")
    weights.add_argument(
        "--preset",
        default="",
        help=f"defines network, labels and contract, which are guessed otherwise: {', '.join(preset_paths())}",
    )
    weights.add_argument("--network", default="", help="the network, if the guess from the tensors is not right")
    weights.add_argument("--labels", default="", help=f"the label set: {', '.join(LABEL_SETS)}")
    weights.add_argument(
        "--outputs",
        default="",
        help="order of the network's outputs: a known numbering, such as fer2013 or ferplus, or expressions separated "
        "by commas; by default the order of the label set",
    )
    weights.add_argument("--license", default="", help="license of the weights")
    weights.add_argument("--title", default="", help="title of the model")
    weights.add_argument("--data", default="", help="a dataset in the store for calibration and evaluation")
    weights.add_argument("--split", default="", help="split for the calibration: valid (the default) or train")


def _list(arguments: argparse.Namespace) -> None:
    active = active_model_id(settings())
    rows = [
        {
            "id": entry.id,
            "kind": entry.kind,
            "in_use": entry.id == active,
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
    entry = set_active_model(arguments.model, settings())
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


def _checks(model: str) -> list[CheckResult]:
    path = Path(model).expanduser()
    if path.is_file() and is_bundle_file(path):
        with unpacked_bundle(path, settings()) as folder:
            return [*verify_bundle(folder), *check_parity(folder)]
    folder = find_model(model, settings()).folder
    return [*verify_bundle(folder), *check_parity(folder)]


def _export(arguments: argparse.Namespace) -> None:
    written = export_bundle(find_model(arguments.model, settings()), arguments.to)
    kind = "file" if written.is_file() else "folder"
    print_result({"model": arguments.model, kind: str(written)}, arguments.json, f"Wrote {written}")


def _import(arguments: argparse.Namespace) -> None:
    entry = _import_model(arguments)
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
    text = f"Imported {entry.id}: {entry.info.title}, {entry.info.parameters:,} parameters, {len(labels)} expressions"
    print_result(result, arguments.json, f"{text}\nUse it with: python -m fer_core models use {entry.id}")


def _import_model(arguments: argparse.Namespace) -> ModelEntry:
    names = ("preset", "network", "labels", "license", "title", "data", "split")
    options = {name: value for name in names if (value := getattr(arguments, name))}
    if not is_weights_file(arguments.path):
        if options:
            flags = ", ".join(f"--{name}" for name in options)
            raise BundleError(f"{arguments.path.name} is not a bare state dict: leave {flags} out.")
        return import_bundle(arguments.path, settings(), model_id=arguments.id)
    from fer_core.bundles.import_weights import WeightsImportOptions, import_weights

    return import_weights(
        arguments.path, WeightsImportOptions(model_id=arguments.id, **options), settings(), ProgressLine()
    )


def _record_training_images(arguments: argparse.Namespace) -> None:
    seen = record_training_images(find_model(arguments.model, settings()), open_dataset(arguments.data, settings()))
    result = {
        "model": arguments.model,
        "trained_on": len(seen.trained_on),
        "selected_on": len(seen.selected_on),
        "copied": len(seen.copied),
    }
    text = (
        f"{arguments.model} was trained on {len(seen.trained_on):,} images and selected on {len(seen.selected_on):,}. "
        f"{len(seen.copied):,} other images have a copy among its training images."
    )
    print_result(result, arguments.json, text)


def _delete(arguments: argparse.Namespace) -> None:
    was_used = delete_model(arguments.id, settings())
    replaced = " Predict and Live used it, and now use the default model." if was_used else ""
    result = {"id": arguments.id, "was_in_use": was_used, "in_use": active_model_id(settings())}
    print_result(result, arguments.json, f"Deleted {arguments.id}.{replaced}")


def _fetch(arguments: argparse.Namespace) -> None:
    path = fetch_yunet(settings())
    print_result({"path": str(path)}, arguments.json, f"YuNet is at {path}")
