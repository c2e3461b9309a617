"""The model card's metrics: the headline table, those of each expression, and the confusion matrix."""

from __future__ import annotations

from fer_core.bundles.reports import SplitReports
from fer_core.evaluation.predictions import PROTOCOLS
from fer_core.markdown import percent, plain, table, with_interval
from fer_core.metrics import HEADLINE_METRICS

_FEW_IMAGES = 50
_READING = (
    (
        "**majority**: votes that stand alone are zeroed, and the winner must hold more than half of the rest; other "
        "images are excluded. **commonest vote**: what most voters said; ties are excluded."
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
    """A table of each protocol at each point, with intervals."""
    rows = [
        [
            f"{PROTOCOLS[each['protocol']]}, {each['point']}",
            f"{each['n']:,}",
            *(with_interval(each[name], each["intervals"][name]) for name in HEADLINE_METRICS),
            f"{each['ece']:.3f}",
        ]
        for each in split_reports.reports
    ]
    heads = ["labels by, point", "images", "macro-F1", "balanced accuracy", "accuracy", "ECE"]
    return table(heads, rows)


def reading_lines() -> list[str]:
    """Definitions of the terms in the tables."""
    return [*(f"- {sentence}" for sentence in _READING), ""]


def expression_lines(split_reports: SplitReports) -> list[str]:
    """A table of each expression's metrics, for each protocol at each point."""
    lines = []
    for each in split_reports.reports:
        lines += [f"### {PROTOCOLS[each['protocol']].capitalize()}, {each['point']} point", ""]
        rows = [
            [
                name,
                f"{row['support']:,}",
                with_interval(row["recall"], row["recall_interval"], 0) if row["support"] else "–",
                percent(row["precision"], 0),
                percent(row["f1"], 0),
            ]
            for name, row in each["per_class"].items()
        ]
        lines += table(["expression", "images", "recall", "precision", "F1"], rows)
    return lines


def confusion_lines(split_reports: SplitReports) -> list[str]:
    """The matrix by the headline's protocol, at each point: images, and their share of the row."""
    lines = [
        "Rows are the labels, columns the predictions: images, and their share of the row.",
        "",
    ]
    for each in split_reports.main:
        lines += [f"### {PROTOCOLS[each['protocol']].capitalize()}, {each['point']} point", ""]
        rows = [
            [f"**{name}**", *(_cell(number, sum(row), here == place) for place, number in enumerate(row))]
            for here, (name, row) in enumerate(zip(each["labels"], each["confusion"], strict=True))
        ]
        lines += table(["", *each["labels"]], rows)
    return lines


def weak_points(split_reports: SplitReports) -> list[str]:
    """Weaknesses that the metrics show, by the headline's protocol at the accurate point, a sentence each."""
    rows = {name: row for name, row in split_reports.first["per_class"].items() if row["support"]}
    sentences = []
    missed = {name: row for name, row in rows.items() if row["recall"] < 0.5}
    if missed:
        each = ", ".join(f"{name} {percent(row['recall'], 0)}" for name, row in missed.items())
        sentences.append(f"Recall below 50 % at the accurate point: {each}.")
    few = [f"{name} ({row['support']})" for name, row in rows.items() if row["support"] < _FEW_IMAGES]
    if few:
        sentences.append(f"Evaluated on few images, so their metrics are uncertain: {', '.join(few)}.")
    if absent := [name for name, row in split_reports.first["per_class"].items() if not row["support"]]:
        sentences.append(f"Not evaluated, as there are no images: {', '.join(absent)}.")
    sentences += [plain(each) for each in split_reports.first.get("warnings", ())]
    return sentences


def _cell(number: int, of: int, diagonal: bool) -> str:
    text = f"{number:,}\u00a0({percent(number / of, 0)})" if of else "–"
    return f"**{text}**" if diagonal and of else text
