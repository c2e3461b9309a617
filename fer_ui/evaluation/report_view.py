"""A run's report as the pages need it."""

from __future__ import annotations

from typing import Any, TypeAlias

from fer_core.errors import RunError
from fer_core.runs.folder import Run
from fer_ui.header import notice

Report: TypeAlias = dict[str, Any]


def reports_of(run: Run) -> dict[str, dict[tuple[str, str], Report]]:
    """The reports of each judged part, by protocol and operating point.

    Raises:
        RunError: the run's report is missing or says nothing.
    """
    splits = {
        split: {(report["protocol"], report["point"]): report for report in reports}
        for split, reports in run.report().items()
        if reports
    }
    if not splits:
        raise RunError(f"The run {run.id} has no figures: none of its held-out images had a label.")
    return splits


def run_title(run: Run) -> str:
    """What a run is called, and when it ended: one of several with the same title is told by its time."""
    try:
        summary = run.summary()
        return f"{summary['title']}, {str(summary['created'])[:16].replace('T', ' ')}"
    except (RunError, KeyError):
        return run.id


def show_warnings(report: Report) -> None:
    """What the report's figures can't bear; an older report says nothing of it."""
    if said := report.get("warnings"):
        notice("warning", " ".join(said))
