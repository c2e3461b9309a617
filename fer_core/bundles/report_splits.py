"""A bundle's report as people read it: its parts in order, what each was used for, and the reports that count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core.bundles.bundle import REPORT_FILE, BundleInfo
from fer_core.evaluation.report import sort_reports
from fer_core.files.json_file import load_json

SPLIT_TITLES = {"test": "test part", "valid": "validation part", "train": "training part"}


@dataclass(frozen=True, slots=True)
class SplitReports:
    """The reports on one part, the protocol that counts and the accurate point first.

    Attributes:
        split: test, valid or train.
        reports: at least one, as `evaluation.report.report` makes them.
    """

    split: str
    reports: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, split: str, reports: Sequence[dict[str, Any]]) -> SplitReports:
        """In the order that the card shows."""
        return cls(split, tuple(sort_reports(reports)))

    @property
    def first(self) -> dict[str, Any]:
        """The report that the card opens with."""
        return self.reports[0]

    @property
    def main(self) -> list[dict[str, Any]]:
        """The reports by the protocol that counts, a point each."""
        return [each for each in self.reports if each["protocol"] == self.first["protocol"]]


def reports_by_split(report: Mapping[str, Sequence[dict[str, Any]]]) -> list[SplitReports]:
    """The parts that a report speaks of, the test part first."""
    names = [name for name in (*SPLIT_TITLES, *(set(report) - set(SPLIT_TITLES))) if report.get(name)]
    return [SplitReports.of(name, report[name]) for name in names]


def read_report(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The reports of a bundle or run by part; empty where it has none that can be read."""
    try:
        found = load_json(folder / REPORT_FILE)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def reports_with_curve(folder: Path) -> list[dict[str, Any]]:
    """The reports that the calibration picture shows, a point each; those of an older FERscope have no curve."""
    splits = reports_by_split(read_report(folder))
    return [each for each in splits[0].main if "calibration_curve" in each] if splits else []


def split_caveat(split: str, info: BundleInfo) -> str:
    """What a part was used for, in words."""
    if split == "test":
        return "neither training nor selection touched these images" if info.origin == "trained" else "not fitted on"
    if info.origin == "weights":
        return "the calibration was fitted on these images, so their figures flatter a little"
    return "the epoch and the calibration were chosen on these images, so their figures flatter a little"
