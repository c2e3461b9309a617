from __future__ import annotations

from xml.etree import ElementTree

import pytest

from fer_core.bundles.card.reliability_diagram import calibration_svg
from fer_core.evaluation.report_schema import StoredReport
from tests.support.reports import make_calibration_report as report

SVG = "{http://www.w3.org/2000/svg}"


def parse_diagram(*reports: StoredReport) -> ElementTree.Element:
    return ElementTree.fromstring(calibration_svg(reports))


def dots(diagram: ElementTree.Element) -> list[tuple[float, float]]:
    return [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in diagram.iter(f"{SVG}circle")]


def test_each_bin_has_a_dot_at_its_accuracy() -> None:
    diagram = parse_diagram(report("accurate", [0.4] * 20 + [0.9] * 20, [False] * 20 + [True] * 20))
    (low_x, low_y), (high_x, high_y) = dots(diagram)
    assert low_x < high_x and low_y > high_y
    bars = [bar for bar in diagram.iter(f"{SVG}rect") if bar.attrib["class"] == "bar"]
    assert len(bars) == 2


def test_each_point_has_a_panel() -> None:
    accurate = report("accurate", [0.5] * 12, [True] * 12)
    single, double = parse_diagram(accurate), parse_diagram(accurate, report("balanced", [0.5] * 12, [True] * 12))
    widths = [float(diagram.attrib["viewBox"].split()[2]) for diagram in (single, double)]
    assert widths[1] > widths[0] + 200
    assert "Balanced point" in "".join(double.itertext())


def test_bins_of_few_faces_have_no_dot_unless_all_are_small() -> None:
    assert len(dots(parse_diagram(report("accurate", [0.3] + [0.9] * 30, [True] * 31)))) == 1
    assert len(dots(parse_diagram(report("accurate", [0.3, 0.9], [True, False])))) == 2


def test_everything_is_inside_the_diagram_in_light_and_dark() -> None:
    diagram = parse_diagram(report("accurate", [0.02, 0.5, 1.0], [False, True, True]))
    _, _, width, height = map(float, diagram.attrib["viewBox"].split())
    assert all(0 <= x <= width and 0 <= y <= height for x, y in dots(diagram))
    assert "prefers-color-scheme:dark" in "".join(diagram.itertext())
    assert diagram.attrib["aria-label"].endswith("calibration error 0.173")
    assert "script" not in ElementTree.tostring(diagram, "unicode")


@pytest.mark.parametrize("count", [1, 1000])
def test_any_number_of_faces_can_be_plotted(count: int) -> None:
    assert dots(parse_diagram(report("accurate", [0.7] * count, [True] * count)))
