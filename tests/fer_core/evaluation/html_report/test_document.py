"""The report: one file that needs nothing else, with every section, and the engine's numbers."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import ImageFile

from fer_core.evaluation.analysis.paired_comparison import compare_on_same_images
from fer_core.evaluation.analysis.slices import Attribute, slice_images
from fer_core.evaluation.html_report import document
from fer_core.evaluation.html_report.document import ReportContext, build_html_report, lay_out, print_pdf
from fer_core.evaluation.scores import score
from tests.support.evaluated import make_evaluated, make_judged

IMAGES = make_evaluated(make_judged(400, skill=2.0))
HOSTILE = '<script>alert("1")</script>'


def context(**fields: object) -> ReportContext:
    import pandas as pd

    values = Attribute("brightness", "Brightness", pd.Series(np.linspace(0, 1, 400)))
    other = make_evaluated(make_judged(400, skill=1.0, seed=0))
    compared = compare_on_same_images({"a": IMAGES, "b": replace(other, truth=IMAGES.truth)})
    slices = [("Brightness", slice_images(IMAGES, values))]
    return ReportContext("Model", "Data", "400 images.", 0.5, slices, compared, **fields)  # type: ignore[arg-type]


def test_every_section_is_there_with_its_figures() -> None:
    html = build_html_report(context(), IMAGES.report, IMAGES)
    titles = re.findall("<h2>(.*?)</h2>", html)
    assert titles == [
        *("Scores", "Confusion matrix", "Classes", "Curves", "Calibration", "Slices", "Likely label errors"),
        *("Comparison", "Methods"),
    ]
    assert html.count("<svg") == html.count("</svg>") == 9
    values = score(IMAGES.labeled_predictions)
    assert f"{values['macro_f1'] * 100:.1f} %" in html and f"{values['log_loss']:.3f}" in html


def test_the_file_needs_nothing_else() -> None:
    html = build_html_report(context(), IMAGES.report, IMAGES)
    assert not re.search(r"(src|href)=|url\(|@import|<script|<img", html)


def test_titles_and_ids_are_escaped() -> None:
    hostile = replace(IMAGES, ids=np.full(400, HOSTILE, object))
    html = build_html_report(ReportContext(HOSTILE, HOSTILE, HOSTILE), hostile.report, hostile)
    assert "<script>" not in html and "&lt;script&gt;" in html


def test_a_stored_report_alone_has_what_it_knows() -> None:
    html = build_html_report(ReportContext("Model", "Data", "400 images."), IMAGES.report)
    titles = re.findall("<h2>(.*?)</h2>", html)
    assert titles == ["Confusion matrix", "Classes", "Calibration", "Methods"]


def test_the_pdf_has_pages_with_all_of_it() -> None:
    html = build_html_report(context(), IMAGES.report, IMAGES)
    content = print_pdf(html)
    assert content.startswith(b"%PDF") and len(content) > 20_000
    assert len(lay_out(html).pages) > 3


def test_printing_leaves_the_decoder_strict() -> None:
    print_pdf("<h1>Report</h1>")
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_a_pdf_fetches_nothing() -> None:
    with pytest.raises(ValueError, match="refers to nothing outside"):
        document._refuse("http://example.com/a.png")
