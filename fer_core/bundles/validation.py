"""Validate the texts, metrics and files of an untrusted bundle before it is stored or shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from fer_core.bundles.bundle import CARD_FILE, CONFIG_FILE, INFO_FILE, REPORT_FILE, read_bundle_info
from fer_core.bundles.quantization_report import read_quantization_report
from fer_core.bundles.reports import EVALUATIONS_FOLDER
from fer_core.contract import CONTRACT_FILE, Contract
from fer_core.data.training_images import TRAINING_IMAGES_FILE, TrainingImages
from fer_core.errors import BundleError
from fer_core.evaluation.report_schema import (
    STORED_REPORTS,
    AnnotatedReport,
    Evaluation,
    HeadlineMetrics,
    StoredReport,
)
from fer_core.evaluation.robustness_report import read_robustness
from fer_core.files.json_file import format_validation_error, read_json_bytes
from fer_core.files.migration import rename_json_keys
from fer_core.labels import Expression

TEXT_BYTES_MAX = 2**20
EVALUATIONS_MAX = 50

_Kind = TypeVar("_Kind")

_REMEDY = "Export the bundle again with `models export`."


def check_bundle(folder: Path) -> None:
    """Validate every file of an unpacked bundle except the network.

    Its card is never shown; pages and exports build their own from the metrics.

    Raises:
        BundleError: a file is invalid; names file, field, value, what is allowed and the remedy.
    """
    for name in (CARD_FILE, CONFIG_FILE):
        _check_text(folder / name)
    info = read_bundle_info(folder)
    if info.metrics:
        _validate(TypeAdapter(HeadlineMetrics), info.metrics, folder / INFO_FILE)
    labels = Contract.load(folder / CONTRACT_FILE).labels
    reports = folder / REPORT_FILE
    if reports.is_file():
        for stored in _validate(STORED_REPORTS, _load(reports), reports).values():
            _check_labels(stored, labels, reports)
    evaluations = sorted((folder / EVALUATIONS_FOLDER).glob("*.json"))
    if len(evaluations) > EVALUATIONS_MAX:
        raise BundleError(
            f"{folder.name} has {len(evaluations):,} evaluations, but at most {EVALUATIONS_MAX} are allowed. {_REMEDY}"
        )
    for path in evaluations:
        content = _load(path)
        if isinstance(content, dict) and "reports" in content:
            _check_labels(_validate(TypeAdapter(Evaluation), content, path).reports, labels, path)
        else:
            _check_labels([_validate(TypeAdapter(AnnotatedReport), content, path)], labels, path)
    read_robustness(folder)
    read_quantization_report(folder)
    if (folder / TRAINING_IMAGES_FILE).is_file():
        TrainingImages.load(folder / TRAINING_IMAGES_FILE)


def _load(path: Path) -> Any:
    try:
        return json.loads(rename_json_keys(read_json_bytes(path)))
    except (ValueError, RecursionError) as exc:
        raise BundleError(f"{path.name} of {path.parent.name} is not JSON ({exc}). {_REMEDY}") from exc


def _validate(kind: TypeAdapter[_Kind], content: Any, path: Path) -> _Kind:
    """Validate the content strictly: a number in quotation marks is an error."""
    try:
        return kind.validate_json(json.dumps(content), strict=True)
    except ValidationError as exc:
        raise BundleError(format_validation_error(exc, path, "report", _REMEDY)) from exc


def _check_labels(reports: Sequence[StoredReport], labels: tuple[Expression, ...], path: Path) -> None:
    for report in reports:
        if tuple(report.labels) != labels:
            raise BundleError(
                f"{path.name} of {path.parent.name} is of another model: its labels are {', '.join(report.labels)}, "
                f"and the contract's {', '.join(labels)}. {_REMEDY}"
            )


def _check_text(path: Path) -> None:
    if not path.is_file():
        return
    size = path.stat().st_size
    if size > TEXT_BYTES_MAX:
        raise BundleError(f"{path.name} has {size:,} bytes, but at most {TEXT_BYTES_MAX:,} are allowed. {_REMEDY}")
    try:
        path.read_bytes().decode()
    except UnicodeDecodeError as exc:
        raise BundleError(f"{path.name} is not UTF-8 ({exc.reason} at byte {exc.start:,}). {_REMEDY}") from exc
