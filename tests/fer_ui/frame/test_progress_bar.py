"""Progress bars are named for screen readers and escape what they show."""

from __future__ import annotations

import re

import pytest

from fer_ui.frame.progress_bar import progress_bar_html


def test_a_bar_has_the_name_of_its_work() -> None:
    html = progress_bar_html('Import <b>"mine"</b>', 0.25, "Reading <i>images</i>")
    assert 'role="progressbar"' in html and 'aria-valuenow="25"' in html
    assert 'aria-label="Import &lt;b&gt;&quot;mine&quot;&lt;/b&gt;"' in html
    assert "<i>" not in html and "<b>" not in html


@pytest.mark.parametrize(("done_01", "percent"), [(-0.1, 0), (0.0, 0), (0.334, 33), (1.0, 100), (1.7, 100)])
def test_the_width_is_between_0_and_100_percent(done_01: float, percent: int) -> None:
    html = progress_bar_html("Training", done_01)
    assert re.findall(r"\d+(?=%)", html) == [str(percent)]
    assert "<span>" not in html
