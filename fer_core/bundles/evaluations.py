"""A model's figures on other data: `evaluations/*.json` of a run or bundle, shown on its card."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fer_core.files.atomic import write_json
from fer_core.files.json_file import load_json
from fer_core.ids import check_id

FOLDER = "evaluations"
_NEEDED = ("n", "protocol", "point", "accuracy", "balanced_accuracy", "macro_f1", "intervals")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics on one dataset.

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

    A file is what `save_evaluation` writes; or one report as `evaluate --json` prints it, with `dataset`, `source` and
    `note` added by hand as wanted.
    """
    read = (_read(path) for path in sorted((folder / FOLDER).glob("*.json")))
    return [evaluation for evaluation in read if evaluation]


def save_evaluation(folder: Path, name: str, evaluation: Evaluation) -> Path:
    """Write an evaluation into a run's folder, in the place of an earlier one of that name."""
    path = folder / FOLDER / f"{check_id(name, 'evaluation')}.json"
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
