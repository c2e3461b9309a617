"""Build the report as one HTML file that needs nothing else, and print it as PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any

from PIL import ImageFile

from fer_core.errors import FerscopeError, InputError
from fer_core.evaluation.analysis.label_errors import find_label_errors
from fer_core.evaluation.analysis.paired_comparison import PairedComparison
from fer_core.evaluation.analysis.slices import Slice
from fer_core.evaluation.analysis.vote_scores import VoteScores, score_votes
from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_core.evaluation.html_report.sections import (
    calibration_section,
    classes_section,
    comparison_section,
    confusion_section,
    curves_section,
    interval,
    label_errors_section,
    percent,
    scores_section,
    section,
    slices_section,
    table,
)
from fer_core.evaluation.predictions import describe_protocol
from fer_core.evaluation.report_schema import StoredReport
from fer_core.evaluation.scores import score_with_intervals
from fer_core.evaluation.weakest_class import find_weakest_class
from fer_core.metrics import HEADLINE_METRICS, METRIC_TITLES

_STYLE = """
@page{size:A4;margin:16mm 14mm;@bottom-right{content:counter(page) " / " counter(pages);font-size:9pt;color:#55606e}}
body{font:10.5pt/1.5 system-ui,"DejaVu Sans",sans-serif;color:#10161e;background:#fff;max-width:50rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.7em;line-height:1.25;margin:0 0 .3em}
h2{font-size:1.3em;margin:1.8em 0 .5em;border-bottom:1px solid #d5dbe3}
h3{font-size:1.05em;margin:1.2em 0 .3em;break-after:avoid}h2{break-after:avoid}
table{border-collapse:collapse;margin:.6em 0;font-size:.9em;width:100%}
th,td{padding:.25em .5em;text-align:left;border-bottom:1px solid #e3e7ed;vertical-align:top;overflow-wrap:break-word}
tr,svg,table{break-inside:avoid}svg{max-width:100%;height:auto;display:block;margin:.5em 0}
.matrix{font-size:.8em}.matrix td,.matrix th{text-align:center;border:1px solid #fff}small{opacity:.8}
.verdict{font-weight:600;font-size:1.1em}.warning{border-left:3px solid #9a5b13;padding-left:.8em}
@media(max-width:40rem){.matrix{display:block;overflow-x:auto}}
@media print{body{margin:0;max-width:none;padding:0}}
"""
_METHODS = (
    "Macro-F1 and balanced accuracy are means over the expressions that occur; each counts alike. Their intervals, and "
    "those of precision, recall and F1, are computed from the counts (Wilson 1927; Zou and Donner 2008); those of the "
    "other scores are percentiles over 1,000 resamples of the images (Efron and Tibshirani 1993). ECE is the mean gap "
    "between confidence and accuracy in 15 bins (Guo et al. 2017). AUC intervals are by Hanley and McNeil (1982). "
    "AURC is the mean error over all coverages (Geifman and El-Yaniv 2017). Label errors are found by confident "
    "learning (Northcutt et al. 2021). P values are corrected for their number (Holm 1979)."
)
_PDF_NEEDS = (
    "A PDF needs the system library Pango, which is missing: install it (Debian and Ubuntu: apt install "
    "libpangoft2-1.0-0), or open the HTML report in a browser and print it."
)


@dataclass(frozen=True)
class ReportContext:
    """What a report is of.

    Attributes:
        model, dataset: titles.
        images: which images these are and which were left out, in a sentence or two.
        confidence_threshold: below which the model abstains.
        slices: attributes with their slices.
        comparison: with other models; None without any.
    """

    model: str
    dataset: str
    images: str
    confidence_threshold: float = 0.0
    slices: Sequence[tuple[str, Sequence[Slice]]] = ()
    comparison: PairedComparison | None = None


def build_html_report(context: ReportContext, report: StoredReport, images: EvaluatedImages | None = None) -> str:
    """Build the report as HTML.

    Args:
        images: of the report; None if only its totals are stored, for which the sections that need each prediction are
            left out.
    """
    parts = [_head(context, report)]
    predictions = None
    if images is not None:
        predictions = images.labeled_predictions
        parts.append(scores_section(score_with_intervals(predictions), _votes(images)))
    parts += [confusion_section(report), classes_section(report)]
    if images is not None:
        parts.append(curves_section(images))
    parts.append(calibration_section(report, predictions, context.confidence_threshold))
    if images is not None:
        parts += [slices_section(context.slices), _label_errors(images)]
    if context.comparison is not None:
        parts.append(comparison_section(context.comparison))
    parts.append(section("Methods", f"<p>{escape(_METHODS)}</p>"))
    title = escape(f"Evaluation of {context.model} on {context.dataset}")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def print_pdf(html: str) -> bytes:
    """Print a report of `build_html_report` as PDF.

    Raises:
        InputError: a system library is missing.
    """
    content: bytes = lay_out(html).write_pdf()
    return content


def lay_out(html: str) -> Any:
    """Lay out a report in pages, a `weasyprint.Document`.

    Raises:
        InputError: a system library is missing.
    """
    accepts_truncated = ImageFile.LOAD_TRUNCATED_IMAGES
    try:
        from weasyprint import HTML
    except OSError as exc:
        raise InputError(_PDF_NEEDS) from exc
    finally:
        # Its import makes Pillow accept truncated images in the whole process, which would then be predicted.
        ImageFile.LOAD_TRUNCATED_IMAGES = accepts_truncated
    return HTML(string=html, url_fetcher=_refuse).render()


def _refuse(url: str, *_: object, **__: object) -> dict[str, object]:
    raise ValueError(f"A report refers to nothing outside of it, but it has {url}.")


def _head(context: ReportContext, report: StoredReport) -> str:
    scores = [
        f"{METRIC_TITLES[name]} {percent(getattr(report, name))} ({interval(report.intervals[name])})"
        for name in HEADLINE_METRICS
    ]
    weakest = find_weakest_class(report)
    hidden = (
        f" The weakest expression is {weakest.label}: {weakest.found:,} of {weakest.support:,} found "
        f"({percent(weakest.recall)})."
        if weakest
        else ""
    )
    rows = [
        ["Model", context.model],
        ["Data", context.dataset],
        ["Images", context.images],
        ["Labels", describe_protocol(report.protocol)],
        ["Operating point", str(report.point)],
        ["Created", datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")],
    ]
    warnings = "".join(f'<p class="warning">{escape(each)}</p>' for each in report.warnings)
    return (
        f"<h1>{escape(f'Evaluation of {context.model} on {context.dataset}')}</h1>"
        f'<p class="verdict">{escape(", ".join(scores) + "." + hidden)}</p>{warnings}{table(["", ""], rows)}'
    )


def _votes(images: EvaluatedImages) -> VoteScores | None:
    labeled = images.labeled
    if labeled.votes is None:
        return None
    try:
        return score_votes(labeled.votes, labeled.probabilities, labeled.labels)
    except InputError:  # the images of this split have no votes
        return None


def _label_errors(images: EvaluatedImages) -> str:
    try:
        return label_errors_section(images, find_label_errors(images))
    except FerscopeError as exc:
        return section("Likely label errors", f"<p>{escape(str(exc))}</p>")
