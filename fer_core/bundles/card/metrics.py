"""The model card's metrics: the headline table, those of each expression, and the confusion matrix."""

from __future__ import annotations

from fer_core.bundles.reports import SplitReports
from fer_core.evaluation.predictions import PROTOCOLS
from fer_core.evaluation.report_schema import StoredReport
from fer_core.markdown import escape_markdown, format_percent, format_with_interval, table
from fer_core.metrics import FEW_IMAGES, HEADLINE_METRICS

_GLOSSARY = (
    (
        "**majority**: single votes are dropped, and the winner needs more than half of the rest; other "
        "images are excluded. **most frequent vote**: the label with the most votes; ties are excluded."
    ),
    ("**accurate** has the highest accuracy; **balanced** favors the rare expressions, at some cost in accuracy."),
    (
        "**macro-F1** and **balanced accuracy** (mean recall) count every expression alike, however rare it is. "
        "**ECE** (expected calibration error) is the mean gap between confidence and accuracy, in 15 bins."
    ),
    (
        "In parentheses are 95 % intervals: Wilson's for shares; for macro-F1 and balanced accuracy combined from "
        "those of the recalls."
    ),
)


def headline_lines(split_reports: SplitReports) -> list[str]:
    """Format the headline metrics of each protocol at each point."""
    rows = [
        [
            f"{PROTOCOLS[each.protocol]}, {each.point}",
            f"{each.n:,}",
            *(format_with_interval(each.scores[name], each.intervals[name]) for name in HEADLINE_METRICS),
            f"{each.ece:.3f}",
        ]
        for each in split_reports.reports
    ]
    heads = ["labels by, point", "images", "macro-F1", "balanced accuracy", "accuracy", "ECE"]
    return table(heads, rows)


def glossary_lines(copied: int) -> list[str]:
    """Define the terms in the tables.

    Args:
        copied: images that are not evaluated as they have a copy among the training images.
    """
    copies = (
        "Not evaluated: images of which the training images include a copy (mirrored, rotated, cropped or nearly the "
        f"same picture), {copied:,} different ones. They would not show how the model does on new faces."
    )
    return [*(f"- {sentence}" for sentence in (*_GLOSSARY, *([copies] if copied else []))), ""]


def expression_lines(split_reports: SplitReports) -> list[str]:
    """Format the metrics by expression, for each protocol at each point."""
    lines = []
    for each in split_reports.reports:
        lines += [f"### {PROTOCOLS[each.protocol].capitalize()}, {each.point} point", ""]
        rows = [
            [
                name,
                f"{row.support:,}",
                format_with_interval(row.recall, row.recall_interval, 0) if row.support else "–",
                format_percent(row.precision, 0),
                format_percent(row.f1, 0),
            ]
            for name, row in each.per_class.items()
        ]
        lines += table(["expression", "images", "recall", "precision", "F1"], rows)
    return lines


def confusion_lines(split_reports: SplitReports) -> list[str]:
    """Format the confusion matrix for the headline's protocol at each point: images, and shares of the row."""
    lines = [
        "Rows are the labels, columns the predictions: images, and their share of the row.",
        "",
    ]
    for each in split_reports.headline_by_point:
        lines += [f"### {PROTOCOLS[each.protocol].capitalize()}, {each.point} point", ""]
        rows = [
            [f"**{name}**", *(_cell(n, sum(row), is_diagonal=at == column) for column, n in enumerate(row))]
            for at, (name, row) in enumerate(zip(each.labels, each.confusion, strict=True))
        ]
        lines += table(["", *each.labels], rows)
    return lines


def weaknesses(report: StoredReport) -> list[str]:
    """Weaknesses that the metrics show, a sentence each."""
    rows = {name: row for name, row in report.per_class.items() if row.support}
    sentences = []
    if missed := [f"{name} {format_percent(row.recall, 0)}" for name, row in rows.items() if row.recall < 0.5]:
        sentences.append(f"Recall below 50 % at the {report.point} point: {', '.join(missed)}.")
    if few := [f"{name} ({row.support})" for name, row in rows.items() if row.support < FEW_IMAGES]:
        sentences.append(f"Evaluated on few images, so their metrics are uncertain: {', '.join(few)}.")
    if absent := [name for name in report.per_class if name not in rows]:
        sentences.append(f"Not evaluated, as there are no images: {', '.join(absent)}.")
    return sentences + [escape_markdown(each) for each in report.warnings]


def _cell(n: int, total: int, *, is_diagonal: bool) -> str:
    text = f"{n:,}\u00a0({format_percent(n / total, 0)})" if total else "–"
    return f"**{text}**" if is_diagonal and total else text
