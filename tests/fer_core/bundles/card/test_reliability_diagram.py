from __future__ import annotations

from xml.etree import ElementTree

import pytest

from fer_core.bundles.card.reliability_diagram import calibration_svg
from fer_core.evaluation.report_schema import StoredReport
from tests.support.reports import make_calibration_report as report

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*reports: StoredReport) -> ElementTree.Element:
    return ElementTree.fromstring(calibration_svg(reports))


def dots(picture: ElementTree.Element) -> list[tuple[float, float]]:
    return [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in picture.iter(f"{SVG}circle")]


def test_a_dot_a_bin_with_faces_and_higher_where_it_is_right_more_often() -> None:
    picture = drawn(report("accurate", [0.4] * 20 + [0.9] * 20, [False] * 20 + [True] * 20))
    (low_x, low_y), (high_x, high_y) = dots(picture)
    assert low_x < high_x and low_y > high_y
    bars = [bar for bar in picture.iter(f"{SVG}rect") if bar.attrib["class"] == "bar"]
    assert len(bars) == 2


def test_a_panel_a_point_side_by_side() -> None:
    one = report("accurate", [0.5] * 12, [True] * 12)
    alone, both = drawn(one), drawn(one, report("balanced", [0.5] * 12, [True] * 12))
    widths = [float(picture.attrib["viewBox"].split()[2]) for picture in (alone, both)]
    assert widths[1] > widths[0] + 200
    assert "Balanced point" in "".join(both.itertext())


def test_a_bin_of_few_faces_is_no_dot_unless_all_are_few() -> None:
    assert len(dots(drawn(report("accurate", [0.3] + [0.9] * 30, [True] * 31)))) == 1
    assert len(dots(drawn(report("accurate", [0.3, 0.9], [True, False])))) == 2


def test_everything_lies_inside_the_picture_and_follows_light_and_dark() -> None:
    picture = drawn(report("accurate", [0.02, 0.5, 1.0], [False, True, True]))
    _, _, width, height = map(float, picture.attrib["viewBox"].split())
    assert all(0 <= x <= width and 0 <= y <= height for x, y in dots(picture))
    assert "prefers-color-scheme:dark" in "".join(picture.itertext())
    assert picture.attrib["aria-label"].endswith("calibration error 0.173")
    assert "script" not in ElementTree.tostring(picture, "unicode")


@pytest.mark.parametrize("count", [1, 1000])
def test_one_face_and_many_are_drawn(count: int) -> None:
    assert dots(drawn(report("accurate", [0.7] * count, [True] * count)))
