"""Evaluation reports of a bundle or run: by split in `report.json`, on other datasets in `evaluations/*.json`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_core.bundles.bundle import REPORT_FILE
from fer_core.data.record import SPLIT_TITLES
from fer_core.evaluation.report import sort_reports
from fer_core.evaluation.report_schema import STORED_REPORTS, AnnotatedReport, Evaluation, StoredReport
from fer_core.files.atomic import write_json
from fer_core.files.json_file import load_json
from fer_core.ids import check_id

EVALUATIONS_FOLDER = "evaluations"

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SplitReports:
    """The reports on one split.

    Attributes:
        split: test, valid or train.
        reports: at least one, sorted by `sort_reports`.
    """

    split: str
    reports: tuple[StoredReport, ...]

    @property
    def title(self) -> str:
        """Name of the split: "validation split"."""
        return f"{SPLIT_TITLES.get(self.split, self.split)} split"

    @property
    def headline(self) -> StoredReport:
        """The report for the headline's protocol and operating point."""
        return self.reports[0]

    @property
    def headline_by_point(self) -> list[StoredReport]:
        """The reports for the headline's protocol, one for each operating point."""
        return [each for each in self.reports if each.protocol == self.headline.protocol]


def reports_by_split(reports: Mapping[str, Sequence[StoredReport]]) -> list[SplitReports]:
    """Group reports by split, the test split first."""
    return [SplitReports(name, tuple(sort_reports(reports[name]))) for name in SPLIT_TITLES if reports.get(name)]


def read_report(folder: Path) -> dict[str, list[StoredReport]]:
    """Read the reports of a bundle or run by split; empty if there are none, or if they are invalid."""
    path = folder / REPORT_FILE
    if not path.is_file():
        return {}
    try:
        stored = STORED_REPORTS.validate_python(load_json(path))
    except (OSError, ValueError) as exc:
        _LOG.warning("The report of %s is invalid: %s", folder.name, exc)
        return {}
    return {str(split): reports for split, reports in stored.items()}


def reports_with_curve(folder: Path) -> list[StoredReport]:
    """Read the reports of the reliability diagram, one for each point; those of earlier versions have no curve."""
    splits = reports_by_split(read_report(folder))
    return [each for each in splits[0].headline_by_point if each.calibration_curve] if splits else []


def split_caveat(split: str, origin: str = "trained") -> str:
    """Describe how the split was used, for a model of this `BundleInfo.origin`."""
    if split == "test":
        return "not used for training or model selection" if origin == "trained" else "not used for calibration"
    if origin == "weights":
        return "also used to fit the calibration, so these metrics are slightly optimistic"
    return "also used to choose the epoch and fit the calibration, so these metrics are slightly optimistic"


def read_evaluations(folder: Path) -> list[Evaluation]:
    """Read the evaluations of a bundle or run, sorted by file name; invalid files are skipped.

    A file is from `save_evaluation`, or one report that `evaluate --json` printed, with `dataset`, `source` and `note`
    added by hand if wanted.
    """
    evaluations = (_read_evaluation(path) for path in sorted((folder / EVALUATIONS_FOLDER).glob("*.json")))
    return [evaluation for evaluation in evaluations if evaluation]


def save_evaluation(folder: Path, name: str, evaluation: Evaluation) -> None:
    """Write an evaluation into a run's folder; replaces an earlier one of that name."""
    path = folder / EVALUATIONS_FOLDER / f"{check_id(name, 'evaluation')}.json"
    write_json(path, evaluation.model_dump(mode="json"))


def _read_evaluation(path: Path) -> Evaluation | None:
    try:
        content = load_json(path)
        if "reports" in content:
            evaluation = Evaluation.model_validate(content)
        else:
            report = AnnotatedReport.model_validate(content)
            evaluation = Evaluation(source=report.source, note=report.note, dataset=report.dataset, reports=[report])
    except (OSError, ValueError, TypeError):
        return None
    return evaluation if evaluation.dataset else evaluation.model_copy(update={"dataset": path.stem})
