"""The sections of the report: from plain results to HTML. Every text is escaped here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from fer_core.evaluation.analysis.comparison_text import describe_difference, format_p
from fer_core.evaluation.analysis.confusions import find_confusions, row_shares
from fer_core.evaluation.analysis.curves import (
    ThresholdCurve,
    class_curves,
    confidence_table,
    coverage_curve,
    threshold_curve,
)
from fer_core.evaluation.analysis.label_errors import LabelErrors
from fer_core.evaluation.analysis.paired_comparison import PairedComparison
from fer_core.evaluation.analysis.slices import Slice
from fer_core.evaluation.analysis.vote_scores import VoteScores
from fer_core.evaluation.calibration_metrics import bin_images_min, nonempty_bins
from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_core.evaluation.html_report.svg import ACCENT, COLORS, Dot, Line, dot_plot, line_plot, stacked_bars
from fer_core.evaluation.report_schema import StoredReport
from fer_core.evaluation.scores import SCORE_TITLES, SHARES, LabeledPredictions, Score, ScoreName
from fer_core.intervals import Interval
from fer_core.text import format_points

_PAIRS, _ERRORS_SHOWN = 10, 50


def scores_section(scores: dict[ScoreName, Score], votes: VoteScores | None) -> str:
    """Show the scores as dots and as a table, and the agreement with votes if there are any."""
    dots = [
        Dot(SCORE_TITLES[name], each.value, each.interval, percent(each.value))
        for name, each in scores.items()
        if name in SHARES
    ]
    rows = [[SCORE_TITLES[name], *_score_cells(name, each)] for name, each in scores.items()]
    parts = [dot_plot("Scores with 95 % intervals", dots), table(["Score", "Value", "95 % interval"], rows)]
    if votes:
        parts.append(
            _paragraph(
                f"Against the votes of {votes.n:,} images: a vote picked at random agrees with the model in "
                f"{percent(votes.agreement)} (95 %: {interval(votes.agreement_interval)}), with another vote in "
                f"{percent(votes.annotator_agreement)}; {percent(votes.best_agreement)} are possible at best. "
                f"Cross-entropy to the votes: {votes.cross_entropy:.3f} nats, the least possible "
                f"{votes.least_cross_entropy:.3f}."
            )
        )
    return section("Scores", *parts)


def confusion_section(report: StoredReport) -> str:
    """Show the confusion matrix with its shares by row, and the most frequent confusions."""
    confusion = report.metrics.confusion
    shares = np.nan_to_num(row_shares(confusion))
    head = "".join(f"<th>{escape(label.value)}</th>" for label in report.labels)
    body = ""
    for row, label in enumerate(report.labels):
        cells = "".join(map(_matrix_cell, confusion[row].tolist(), shares[row].tolist()))
        body += f"<tr><th>{escape(label.value)}<br><small>{confusion[row].sum():,}</small></th>{cells}</tr>"
    matrix = f'<table class="matrix"><tr><th>label / predicted</th>{head}</tr>{body}</table>'
    pairs = [
        [
            pair.label.value,
            pair.predicted.value,
            f"{pair.number:,} of {pair.support:,}",
            percent(pair.number / pair.support),
        ]
        for pair in find_confusions(confusion, report.labels)[:_PAIRS]
    ]
    return section(
        "Confusion matrix",
        _paragraph("Images, and below them the percentage of the row: of the images with that label."),
        matrix,
        "<h3>Most confused</h3>",
        table(["Label", "Predicted as", "Images", "Share"], pairs),
    )


def classes_section(report: StoredReport) -> str:
    """Show precision, recall and F1 of each class with their intervals."""
    rows = []
    for label, each in zip(report.labels, report.metrics.per_class, strict=True):
        bounds = (each.precision_interval, each.recall_interval, each.f1_interval)
        cells = [
            f"{percent(value)} ({interval(span)})"
            for value, span in zip((each.precision, each.recall, each.f1), bounds, strict=True)
        ]
        rows.append([label.value, f"{each.support:,}", *cells])
    dots = [
        Dot(f"{label.value} ({each.support:,})", each.f1, each.f1_interval, percent(each.f1))
        for label, each in zip(report.labels, report.metrics.per_class, strict=True)
    ]
    return section(
        "Classes",
        dot_plot("F1 by class", dots),
        table(["Expression", "Images", "Precision (95 %)", "Recall (95 %)", "F1 (95 %)"], rows),
    )


def curves_section(images: EvaluatedImages) -> str:
    """Show precision-recall and ROC curves of each class with the areas below them."""
    curves = class_curves(images.labeled_predictions)
    if not curves:
        return ""
    names = [images.labels[curve.label] for curve in curves]
    recall = [
        Line(
            f"{name.value} {curve.average_precision:.3f}", curve.recall.tolist(), curve.precision.tolist(), COLORS[name]
        )
        for name, curve in zip(names, curves, strict=True)
    ]
    roc = [
        Line(f"{name.value} {c.auc:.3f}", c.false_positives.tolist(), c.true_positives.tolist(), COLORS[name])
        for name, c in zip(names, curves, strict=True)
    ]
    chance = Line("chance", [0, 1], [0, 1], "#6b7785", dashed=True)
    rows = [
        [
            name.value,
            f"{c.positives:,}",
            f"{c.average_precision:.3f}",
            f"{c.auc:.3f}",
            "{:.3f} to {:.3f}".format(*c.auc_interval),
            *_best_threshold(threshold_curve(images.labeled_predictions, c.label)),
        ]
        for name, c in zip(names, curves, strict=True)
    ]
    return section(
        "Curves",
        line_plot("Precision by recall", recall, "Recall", "Precision"),
        line_plot("ROC curves", [*roc, chance], "False positive rate", "True positive rate"),
        table(["Expression", "Images", "Average precision", "ROC AUC", "95 % interval", "Threshold", "F1 there"], rows),
        _paragraph("The threshold is that of the best F1 on these very images; on others F1 will be lower."),
    )


def _best_threshold(curve: ThresholdCurve) -> tuple[str, str]:
    return f"{curve.thresholds[curve.best]:.0%}", f"{curve.f1[curve.best]:.1%}"


def calibration_section(
    report: StoredReport, predictions: LabeledPredictions | None, confidence_threshold: float
) -> str:
    """Show the reliability diagram and, from the predictions, confidence and coverage."""
    parts = [_paragraph(f"Calibration error (ECE): {report.ece:.3f}. 0 is perfect.")]
    if report.calibration_curve:
        bins = nonempty_bins(report.calibration_curve)
        plotted = [each for each in bins if each.n >= bin_images_min(max(one.n for one in bins))]
        curve = Line(
            "model",
            [each.confidence for each in plotted],
            [each.accuracy for each in plotted],
            ACCENT,
            intervals=[each.interval for each in plotted],
        )
        ideal = Line("perfect calibration", [0, 1], [0, 1], "#6b7785", dashed=True)
        parts.append(line_plot("Reliability diagram", [ideal, curve], "Confidence", "Accuracy"))
    if predictions is not None:
        rows = [
            (f"{each['from'] * 100:.0f} to {each['to'] * 100:.0f} %", int(each["right"]), int(each["wrong"]))
            for each in confidence_table(predictions).to_dict("records")
            if each["right"] + each["wrong"]
        ]
        coverage = coverage_curve(predictions, confidence_threshold)
        line = Line("accuracy", coverage.coverage.tolist(), coverage.accuracy.tolist(), ACCENT)
        answered = (
            ""
            if math.isnan(coverage.answered_accuracy)
            else f"Of the {percent(coverage.answered)} with a confidence of at least {percent(confidence_threshold)}, "
            f"{percent(coverage.answered_accuracy)} are right."
        )
        parts += [
            "<h3>Confidence</h3>",
            stacked_bars("Right and wrong predictions by confidence", rows),
            "<h3>Accuracy by coverage</h3>",
            _paragraph(f"{answered} Area under the error-coverage curve (AURC): {coverage.area:.3f}."),
            line_plot("Accuracy by coverage", [line], "Share of the images that it answers", "Accuracy on them"),
        ]
    return section("Calibration", *parts)


def slices_section(attributes: Sequence[tuple[str, Sequence[Slice]]]) -> str:
    """Show accuracy by slice, beside what the expressions of the slice reach elsewhere."""
    parts = [_paragraph("The diamond is what the expressions of the slice reach in all other images.")]
    for title, slices in attributes:
        dots = [Dot(f"{s.name} ({s.n:,})", s.accuracy, s.interval, percent(s.accuracy), s.expected) for s in slices]
        rows = [
            [s.name, f"{s.n:,}", percent(s.macro_f1), percent(s.accuracy), _points(s.difference), _p(s)] for s in slices
        ]
        columns = ["Slice", "Images", "Macro-F1", "Accuracy", "Points from expected", "P value"]
        parts += [f"<h3>{escape(title)}</h3>", dot_plot(f"Accuracy by {title}", dots), table(columns, rows)]
    return section("Slices", *parts) if attributes else ""


def label_errors_section(images: EvaluatedImages, errors: LabelErrors) -> str:
    """List the likeliest label errors by their ids; faces are left out, as they are personal data."""
    wrong, disputed = errors.of_kind("wrong"), errors.of_kind("disputed")
    rows = [
        [
            str(images.ids[errors.numbers[place]]),
            images.labels[images.truth[errors.numbers[place]]].value,
            images.labels[errors.suggested[place]].value,
            percent(float(errors.suggested_probability[place])),
        ]
        for place in wrong[:_ERRORS_SHOWN]
    ]
    text = f"{len(wrong):,} of {errors.judged:,} labels are likely wrong"
    text += f", and annotators dispute {len(disputed):,} more." if errors.has_votes else "."
    more = f" The first {_ERRORS_SHOWN} are listed." if len(wrong) > _ERRORS_SHOWN else ""
    return section(
        "Likely label errors", _paragraph(text + more), table(["Image", "Label", "Suggested", "Probability"], rows)
    )


def comparison_section(compared: PairedComparison) -> str:
    """Show how other models differ on the same images."""
    parts = [
        _paragraph(
            f"On the {compared.n:,} images that all models are evaluated on; {compared.reference} is the reference."
        )
    ]
    for each in compared.differences:
        end = max(0.05, *(abs(bound) for one in each.classes for bound in one.interval))
        dots = [
            Dot(one.label.value, one.difference, one.interval, format_points(one.difference)) for one in each.classes
        ]
        rows = [
            [one.label.value, f"{one.n:,}", format_points(one.difference), format_p(one.p), format_p(one.recall_p)]
            for one in each.classes
        ]
        parts += [
            f"<h3>{escape(each.title)}</h3>",
            _paragraph(describe_difference(each, compared.reference, compared.n)),
            _paragraph(
                f"McNemar's test of all images: {format_p(each.p)}; {len(each.fixed):,} fixed, "
                f"{len(each.broken):,} broken."
            ),
            dot_plot("Difference in F1 by class", dots, -end, end, "points"),
            table(["Expression", "Images", "Points of F1", "P value", "P value of recall"], rows),
        ]
    return section("Comparison", *parts)


def section(title: str, *parts: str) -> str:
    """Build a section; the parts are HTML."""
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Build a table of plain texts."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def percent(value: float) -> str:
    """Format a share; a dash where it is not defined."""
    return "–" if math.isnan(value) else f"{value * 100:.1f} %"


def interval(bounds: Interval) -> str:
    """Format an interval of shares."""
    return f"{bounds[0] * 100:.1f} to {bounds[1] * 100:.1f}"


def _score_cells(name: ScoreName, score: Score) -> list[str]:
    if math.isnan(score.value):
        return ["–", "–"]
    if name in SHARES:
        return [percent(score.value), interval(score.interval) + " %"]
    return [f"{score.value:.3f}", "{:.3f} to {:.3f}".format(*score.interval)]


def _matrix_cell(number: int, share: float) -> str:
    style = f"background:{_shade(share)};color:{'#fff' if share > 0.5 else '#10161e'}"
    return f'<td style="{style}">{number:,}<br><small>{share * 100:.1f}</small></td>'


def _points(difference: float) -> str:
    return "–" if math.isnan(difference) else format_points(difference)


def _p(each: Slice) -> str:
    return "–" if math.isnan(each.difference) else format_p(each.p)


def _paragraph(text: str) -> str:
    return f"<p>{escape(text.strip())}</p>"


def _shade(share: float) -> str:
    """Mix white and the accent color."""
    accent = [int(ACCENT[at : at + 2], 16) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(255 + (value - 255) * min(1, share)):02x}" for value in accent)
