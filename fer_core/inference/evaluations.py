"""A bundle's figures on other data: `evaluations/*.json`, each what `evaluate --json` prints, with words added."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = "evaluations"
_NEEDED = ("n", "protocol", "point", "accuracy", "balanced_accuracy", "macro_f1", "intervals")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures on one dataset.

    Attributes:
        dataset: what it is called; the file's name by default.
        source: where it comes from, in a sentence.
        note: anything else worth knowing.
        reports: as `evaluation.report.report` makes them.
    """

    dataset: str
    source: str
    note: str
    reports: tuple[dict[str, Any], ...]


def read_evaluations(folder: Path) -> list[Evaluation]:
    """The evaluations of a bundle or run, by file name; a file that is no report is passed over.

    A file is a report as `evaluate --json` prints it, with `dataset`, `source` and `note` added by hand as wanted; or
    an object with those and `reports`, a list of reports.
    """
    read = (_read(path) for path in sorted((folder / FOLDER).glob("*.json")))
    return [evaluation for evaluation in read if evaluation]


def _read(path: Path) -> Evaluation | None:
    try:
        content = json.loads(path.read_text())
        reports = tuple(content.get("reports") or [content])
        if not all(name in each for each in reports for name in _NEEDED):
            return None
    except (OSError, ValueError, AttributeError, TypeError):
        return None
    words = {name: str(content.get(name) or "") for name in ("dataset", "source", "note")}
    return Evaluation(words["dataset"] or path.stem, words["source"], words["note"], reports)
