"""Robustness section of a model."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fer_core.corruptions.corruption import CORRUPTIONS, SEVERITIES
from fer_core.evaluation.robustness_report import ROBUSTNESS_FILE, RobustnessReport
from fer_ui.models.robustness_view import example_face, example_strip, reproducible_corruptions
from tests.support.app_test import charts
from tests.support.robustness_reports import make_report
from tests.support.texts import assert_mentions


def _page() -> None:
    import os
    from pathlib import Path

    import streamlit as st

    from fer_ui.models.robustness_view import show_robustness

    show_robustness(Path(os.environ["SHOWN"]))
    st.caption("After it.")


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("SHOWN", str(tmp_path))
    return AppTest.from_function(_page, default_timeout=60)


def _html_text(app: AppTest) -> str:
    return " ".join(split.proto.body for split in app.get("html")).replace("&nbsp;", " ")


def test_it_opens_with_the_largest_drop_chart_and_examples(page: AppTest) -> None:
    folder = Path(os.environ["SHOWN"])
    make_report({"blur": [0.6, 0.5, 0.4, 0.3, 0.2]}).save(folder / ROBUSTNESS_FILE)
    app = page.run()
    assert not app.exception
    markdown_text = " ".join(item.value for item in app.markdown)
    assert_mentions(markdown_text, "blur", "severity 5", "macro-F1", "70.0 % to 20.0 %")
    assert_mentions(_html_text(app), "macro-F1, clean", "mean over corruptions", "worst macro-F1")
    assert len(charts(app)) == 2
    assert [expander.label for expander in app.expander] == ["Curves with 95 % intervals", "Example images"]
    assert len(app.get("image")) == len(CORRUPTIONS)
    assert all(item.title in markdown_text for item in CORRUPTIONS.values())
    captions = [item.value for item in app.caption]
    assert any("3,191 faces of the split that FER+ calls test" in caption for caption in captions)


def test_without_a_report_nothing_is_shown(page: AppTest) -> None:
    app = page.run()
    assert not app.exception
    assert [split.value for split in app.caption] == ["After it."]
    assert len(app.main) == 1


def test_an_invalid_report_shows_an_error(page: AppTest) -> None:
    (Path(os.environ["SHOWN"]) / ROBUSTNESS_FILE).write_text("{}")
    app = page.run()
    assert not app.exception
    assert "is not valid at model" in app.error[0].value
    assert app.caption[-1].value == "After it."


def test_corruptions_of_another_version_have_no_examples() -> None:
    report = make_report().model_dump()
    report["corruptions"][0]["severities"][2]["parameter"] = 99
    report["corruptions"][1]["name"] = "fog"
    names = [item.name for item in reproducible_corruptions(RobustnessReport.model_validate(report))]
    assert names == list(CORRUPTIONS)[2:]


def test_examples_are_a_synthetic_face_at_each_severity() -> None:
    face = example_face().astype(int)
    side_px = len(face)
    for name in CORRUPTIONS:
        strip = example_strip(name)[::2, ::2]
        visible = strip[:, strip[:, :, 3].all(0)]
        faces = np.split(visible[:, :, :3].astype(int), SEVERITIES + 1, axis=1)
        np.testing.assert_array_equal(faces[0], face)
        changes = [np.abs(item - face).mean() for item in faces]
        assert faces[0].shape == (side_px, side_px, 3)
        assert min(changes[1:]) > 0
        assert changes[-1] > changes[1]
