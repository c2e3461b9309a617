"""The reports of a bundle or run: by split in `report.json`, and on other datasets in `evaluations/*.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fer_core.bundles.bundle import REPORT_FILE, BundleInfo
from fer_core.data.record import SPLIT_TITLES
from fer_core.evaluation.report import sort_reports
from fer_core.files.atomic import write_json
from fer_core.files.json_file import load_json
from fer_core.ids import check_id


@dataclass(frozen=True, slots=True)
class SplitReports:
    """The reports on one split, the headline's protocol and the accurate point first.

    Attributes:
        split: test, valid or train.
        reports: at least one, as `evaluation.report.build_report` makes them.
    """

    split: str
    reports: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, split: str, reports: Sequence[dict[str, Any]]) -> SplitReports:
        """Sort them as the card shows them."""
        return cls(split, tuple(sort_reports(reports)))

    @property
    def first(self) -> dict[str, Any]:
        """The headline's report."""
        return self.reports[0]

    @property
    def main(self) -> list[dict[str, Any]]:
        """The reports by the headline's protocol, one a point."""
        return [each for each in self.reports if each["protocol"] == self.first["protocol"]]


def reports_by_split(report: Mapping[str, Sequence[dict[str, Any]]]) -> list[SplitReports]:
    """Group a report by split, the test split first."""
    names = [name for name in (*SPLIT_TITLES, *(set(report) - set(SPLIT_TITLES))) if report.get(name)]
    return [SplitReports.of(name, report[name]) for name in names]


def read_report(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Read the reports of a bundle or run by split; empty where it has none that can be read."""
    try:
        found = load_json(folder / REPORT_FILE)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def reports_with_curve(folder: Path) -> list[dict[str, Any]]:
    """Read the reports that the reliability diagram shows, one a point; reports of old versions have no curve."""
    splits = reports_by_split(read_report(folder))
    return [each for each in splits[0].main if "calibration_curve" in each] if splits else []


def split_caveat(split: str, info: BundleInfo) -> str:
    """How the split was used, and so how far its metrics can be trusted."""
    if split == "test":
        return "not used for training or model selection" if info.origin == "trained" else "not used for calibration"
    if info.origin == "weights":
        return "also used to fit the calibration, so these metrics are slightly optimistic"
    return "also used to choose the epoch and fit the calibration, so these metrics are slightly optimistic"


EVALUATIONS_FOLDER = "evaluations"
_NEEDED = ("n", "protocol", "point", "accuracy", "balanced_accuracy", "macro_f1", "intervals")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics on one dataset.

    Attributes:
        dataset: what it is called; the file's name by default.
        source: where it comes from, in a sentence.
        note: anything else worth knowing.
        reports: as `evaluation.report.build_report` makes them.
    """

    dataset: str
    source: str
    note: str
    reports: tuple[dict[str, Any], ...]


def read_evaluations(folder: Path) -> list[Evaluation]:
    """The evaluations of a bundle or run, by file name; a file that is no report is passed over.

    A file is what `save_evaluation` writes; or one report as `evaluate --json` prints it, with `dataset`, `source` and
    `note` added by hand as wanted.
    """
    read = (_read(path) for path in sorted((folder / EVALUATIONS_FOLDER).glob("*.json")))
    return [evaluation for evaluation in read if evaluation]


def save_evaluation(folder: Path, name: str, evaluation: Evaluation) -> Path:
    """Write an evaluation into a run's folder, in the place of an earlier one of that name."""
    path = folder / EVALUATIONS_FOLDER / f"{check_id(name, 'evaluation')}.json"
    write_json(path, asdict(evaluation))
    return path


def _read(path: Path) -> Evaluation | None:
    try:
        content = load_json(path)
        reports = tuple(content.get("reports") or [content])
        if not all(name in each for each in reports for name in _NEEDED):
            return None
    except (OSError, ValueError, AttributeError, TypeError):
        return None
    words = {name: str(content.get(name) or "") for name in ("dataset", "source", "note")}
    return Evaluation(words["dataset"] or path.stem, words["source"], words["note"], reports)
