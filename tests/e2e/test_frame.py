"""What surrounds every page: downloads of charts, the keyboard, the focus."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from fer_core.bundles.catalog import SHIPPED
from tests.e2e.app_server import AppServer
from tests.e2e.conftest import DESKTOP, SCHEMES, Scheme
from tests.e2e.page_state import wait_until_settled

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

_PUBLISHED = "/datasets?view=published&manifest=affectnet"
_CONTRAST_MIN = 3.0
"""Of a focus ring against what is around it (WCAG 2.2, 1.4.11)."""

_READ_FOCUS = """() => {
  const active = document.activeElement;
  const main = document.querySelector('[data-testid="stMain"]');
  let ring = null, background = null;
  for (let element = active, depth = 0; element; element = element.parentElement, depth += 1) {
    const style = getComputedStyle(element);
    const visible = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    const box = element.getBoundingClientRect();
    if (!ring && depth < 4 && visible && box.width > 8 && box.height > 8 && style.opacity > 0.1) {
      ring = style.outlineColor;
      element = element.parentElement ?? element;
    }
    const color = getComputedStyle(element).backgroundColor;
    if (ring && !background && !/, 0\\)$|transparent/.test(color)) background = color;
  }
  const kind = active.tagName === "INPUT" ? active.getAttribute("role") ?? active.type
    : active.getAttribute("role") ?? active.tagName.toLowerCase();
  const box = active.getBoundingClientRect();
  return {
    kind, ring, background, inMain: main.contains(active) && active !== main, top: box.top, left: box.left,
    name: (active.innerText || active.getAttribute("aria-label") || "").trim().slice(0, 40),
  };
}"""


@pytest.fixture
def published(page: Page) -> Page:
    page.goto(_PUBLISHED)
    wait_until_settled(page)
    return page


@pytest.mark.parametrize(
    ("link", "name", "columns"),
    [
        (_PUBLISHED, "classes-published-affectnet", {"expression", "count"}),
        ("/", "overview-confusion", {"label", "predicted", "images"}),
        (f"/models?model={SHIPPED}&section=calibration", "calibration", {"confidence", "accuracy"}),
        (f"/models?model={SHIPPED}&section=robustness", "robustness", {"corruption", "severity"}),
    ],
    ids=["bars", "confusion matrix", "lines", "plotly"],
)
def test_a_chart_comes_down_as_csv_png_and_svg(
    page: Page, link: str, name: str, columns: set[str], tmp_path: Path
) -> None:
    page.goto(link)
    wait_until_settled(page)
    csv = _download(page, "Data as CSV", tmp_path)
    assert re.fullmatch(rf"ferscope-{name}[\w-]*\.csv", csv.name)
    header, *rows = csv.read_text("utf-8-sig").splitlines()
    assert columns <= set(header.split(",")) and len(rows) > 3
    for kind, start in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        picture = _download(page, f"Picture as {kind}", tmp_path)
        assert picture.name == csv.with_suffix(f".{kind.lower()}").name
        assert picture.read_bytes().startswith(start)
        assert picture.stat().st_size > 5000


def test_the_confusion_matrix_is_one_stop_and_read_by_arrow_keys(page: Page) -> None:
    page.goto("/")
    wait_until_settled(page)
    cells = page.locator('.ferscope-drawing [role="gridcell"]')
    expect(page.locator('.ferscope-drawing [role="gridcell"][tabindex="0"]')).to_have_count(1)
    cells.first.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    cell = page.locator('.ferscope-drawing [role="gridcell"]:focus')
    name = cell.get_attribute("aria-label") or ""
    assert re.match(r"Labeled happiness, predicted as happiness: \d+ of \d+ images", name)
    expect(page.locator(".ferscope-drawing .hint")).to_have_text(name)
    page.keyboard.press("Escape")
    expect(page.locator(".ferscope-drawing .hint")).to_be_hidden()


def test_lines_are_one_stop_and_read_by_arrow_keys(page: Page) -> None:
    page.goto(f"/models?model={SHIPPED}&section=calibration")
    wait_until_settled(page)
    ring, hint = page.locator(".ferscope-drawing .ring"), page.locator(".ferscope-drawing .hint")
    ring.focus()
    first = hint.inner_text()
    assert first.startswith("Accurate point, confidence") and ring.get_attribute("aria-label") == first
    places = [ring.get_attribute("cx")]
    for key in ("ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
        places.append(ring.get_attribute("cx"))
    assert float(places[0] or 0) < float(places[1] or 0)
    expect(hint).to_contain_text("Balanced point, confidence")
    page.keyboard.press("Tab")
    expect(hint).to_be_hidden()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_focus_is_seen_on_every_kind_of_element(browser: Browser, server: AppServer, scheme: Scheme) -> None:
    context = browser.new_context(base_url=server.url, viewport=DESKTOP, color_scheme=scheme)
    page = context.new_page()
    kinds: set[str] = set()
    for link in (_PUBLISHED, "/datasets?view=import", "/models"):
        page.goto(link)
        wait_until_settled(page)
        for stop in _press_tab(page, 40):
            if stop["kind"] in ("a", "button", "radio", "tab", "combobox", "checkbox", "text", "number", "summary"):
                kinds.add(stop["kind"])
                assert stop["ring"], f"no ring around {stop} on {link}"
                contrast = _contrast(stop["ring"], stop["background"] or "rgb(255, 255, 255)")
                assert contrast >= _CONTRAST_MIN, f"{contrast:.1f} : 1 around {stop} on {link}"
    assert {"a", "button", "radio", "combobox", "text", "summary"} <= kinds
    context.close()


def test_the_keyboard_goes_from_the_navigation_to_the_header_to_the_content(published: Page) -> None:
    stops = _press_tab(published, 30)
    content = [stop for stop in stops if stop["inMain"]]
    assert not any(stop["inMain"] for stop in stops[:9]), "the eight pages come first"
    header = [stop["kind"] for stop in content[:4]]
    assert "radio" in header and "combobox" in header, f"the header's choices come before the content, not {header}"


def _press_tab(page: Page, times: int) -> list[dict[str, Any]]:
    stops = []
    for _ in range(times):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(_READ_FOCUS))
    return stops


def _contrast(first: str, second: str) -> float:
    """Contrast of two CSS colors (WCAG 2.2); the second is opaque."""
    below = _channels(second)[:3]
    *above, alpha = _channels(first)
    mixed = [alpha * over + (1 - alpha) * under for over, under in zip(above, below, strict=True)]
    light, dark = sorted((_luminance(mixed), _luminance(below)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _channels(color: str) -> list[float]:
    """Read red, green, blue (0 to 255) and alpha of "rgb(…)" or "rgba(…)"."""
    values = [float(value) for value in re.findall(r"[\d.]+", color)]
    return [*values[:3], values[3] if len(values) > 3 else 1.0]


def _luminance(rgb: list[float]) -> float:
    linear = [v / 12.92 if (v := value / 255) <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for value in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _download(page: Page, name: str, folder: Path) -> Path:
    """Choose from the chart's menu, which closes after each choice of a picture, and keep the file."""
    button = page.get_by_role("button", name=name)
    if not button.is_visible():
        page.get_by_test_id("stPopoverButton").first.click()
    with page.expect_download() as started:
        button.click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path
