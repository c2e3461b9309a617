"""A model card's figures: the headline table, each expression's, and what is read as what."""

from __future__ import annotations

from fer_core.bundles.reports import SplitReports
from fer_core.evaluation.predictions import PROTOCOLS
from fer_core.markdown import percent, plain, table, with_interval

_SCORES = ("macro_f1", "balanced_accuracy", "accuracy")
_FEW_IMAGES = 50
_READING = (
    (
        "**majority**: votes that stand alone are zeroed, and the winner must hold more than half of the rest; other "
        "images are left out. **commonest vote**: whatever most voters said; ties are left out."
    ),
    ("**accurate** is right most often; **balanced** gives the rare expressions more room, at some cost in accuracy."),
    (
        "**macro-F1** and **balanced accuracy** (mean recall) count every expression alike, however rare it is. "
        "**Calibration error** is the mean gap between how sure it is and how often it is right, in 15 bins."
    ),
    (
        "Behind each share is its 95 % interval: Wilson's, and for the two means over expressions one made of their "
        "recalls'."
    ),
)


def headline_lines(judged: SplitReports) -> list[str]:
    """One table: each protocol at each point, with intervals."""
    rows = [
        [
            f"{PROTOCOLS[each['protocol']]}, {each['point']}",
            f"{each['n']:,}",
            *(with_interval(each[name], each["intervals"][name]) for name in _SCORES),
            f"{each['ece']:.3f}",
        ]
        for each in judged.reports
    ]
    heads = ["labels by, point", "images", "macro-F1", "balanced accuracy", "accuracy", "calibration error"]
    return table(heads, rows)


def reading_lines() -> list[str]:
    """What the words of the tables mean."""
    return [*(f"- {sentence}" for sentence in _READING), ""]


def expression_lines(judged: SplitReports) -> list[str]:
    """A table of each expression's figures, for each protocol at each point."""
    lines = []
    for each in judged.reports:
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


def confusion_lines(judged: SplitReports) -> list[str]:
    """The matrix of the protocol that counts, at each point: images, and their share of the row."""
    lines = [
        "A row is what the image shows by its label, a column what it is read as: images, and their share of the row.",
        "",
    ]
    for each in judged.main:
        lines += [f"### {PROTOCOLS[each['protocol']].capitalize()}, {each['point']} point", ""]
        rows = [
            [f"**{name}**", *(_cell(number, sum(row), here == place) for place, number in enumerate(row))]
            for here, (name, row) in enumerate(zip(each["labels"], each["confusion"], strict=True))
        ]
        lines += table(["", *each["labels"]], rows)
    return lines


def weak_points(judged: SplitReports) -> list[str]:
    """Sentences on what the figures of the protocol that counts say against the model, at the accurate point."""
    rows = {name: row for name, row in judged.first["per_class"].items() if row["support"]}
    said = []
    missed = {name: row for name, row in rows.items() if row["recall"] < 0.5}
    if missed:
        each = ", ".join(f"{name} {percent(row['recall'], 0)}" for name, row in missed.items())
        said.append(f"Found in fewer than half of their images at the accurate point: {each}.")
    few = [f"{name} ({row['support']})" for name, row in rows.items() if row["support"] < _FEW_IMAGES]
    if few:
        said.append(f"Judged on few images, so that chance decides much: {', '.join(few)}.")
    if absent := [name for name, row in judged.first["per_class"].items() if not row["support"]]:
        said.append(f"Not judged at all, for want of images: {', '.join(absent)}.")
    said += [plain(each) for each in judged.first.get("warnings", ())]
    return said


def _cell(number: int, of: int, diagonal: bool) -> str:
    text = f"{number:,}\u00a0({percent(number / of, 0)})" if of else "–"
    return f"**{text}**" if diagonal and of else text
