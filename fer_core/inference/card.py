"""The model card: what a model is, how well it does, and what it is not for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fer_core.inference.bundle import About

_REFUSED = (
    "An expression is not a feeling: the model reads faces, it does not know what a person feels, thinks or intends.",
    "Not for hiring, policing, border control, teaching, insurance, or any decision about a person.",
    "Not for watching people who have not agreed to it.",
)


def model_card(about: About, report_file: Path) -> str:
    """The card as Markdown; figures are left out where there is no report."""
    facts = {
        "Architecture": f"{about.architecture}, {about.parameters:,} parameters",
        "Trained on": about.dataset + (" (drawings, not people)" if about.drawn else ""),
        "Made": about.created,
        "Licence": about.licence,
    }
    lines = [f"# {about.title}", "", *(f"- **{name}**: {value}" for name, value in facts.items()), ""]
    if about.drawn:
        lines += ["This model was trained on drawings. Its figures say nothing about people.", ""]
    if report_file.is_file():
        for part, found in json.loads(report_file.read_text()).items():
            lines += _part_lines(part, found)
    lines += ["## Refused uses", "", *(f"- {use}" for use in _REFUSED), ""]
    return "\n".join(lines)


def _part_lines(part: str, found: list[dict[str, Any]]) -> list[str]:
    meaning = {
        "valid": "validation part (the epoch and the calibration were chosen on it)",
        "test": "test part (neither training nor selection touched it)",
    }
    lines = [f"## Figures on the {meaning.get(part, part)}", ""]
    lines += [
        "| protocol | point | n | macro-F1 | balanced accuracy | accuracy | ECE |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for each in found:
        cells = [_with_interval(each, name) for name in ("macro_f1", "balanced_accuracy", "accuracy")]
        lines.append(
            f"| {each['protocol']} | {each['point']} | {each['n']:,} | {' | '.join(cells)} | {each['ece']:.3f} |"
        )
    lines += ["", "Shares in percent, with 95 % intervals.", ""]
    for each in found:
        lines += [f"### By class: {each['protocol']} protocol, {each['point']} point", ""]
        lines += ["| expression | precision | recall | F1 | images |", "| --- | --- | --- | --- | --- |"]
        for name, row in each["per_class"].items():
            low, high = row["recall_interval"]
            recall = f"{row['recall']:.1%} ({low:.0%} to {high:.0%})"
            lines.append(f"| {name} | {row['precision']:.1%} | {recall} | {row['f1']:.1%} | {row['support']:,} |")
        lines.append("")
    return lines


def _with_interval(report: dict[str, Any], name: str) -> str:
    low, high = report["intervals"][name]
    return f"{report[name]:.1%} ({low:.1%} to {high:.1%})"
