"""Measure how long a page takes to show its content, after it is opened or after a click on it."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page

WAIT_MS = 120_000

RECORD_CHANGES = """
window.lastChange = window.lastClick = 0;
const isSeen = ({ target }) => {
  const element = target.closest ? target : target.parentElement;
  return element?.closest('[data-testid="stMain"]') && !element.closest("canvas");
};
new MutationObserver(changes => {
  if (changes.some(isSeen)) window.lastChange = performance.now();
}).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
addEventListener("load", ({ target }) => {
  if (target.tagName === "IMG") window.lastChange = performance.now();
}, true);
for (const kind of ["click", "keydown"])
  addEventListener(kind, () => { window.lastClick = performance.now(); }, true);
"""
"""Runs before the page's own scripts. Times are milliseconds since the navigation began. What a table writes into its
canvas for screen readers, a third of a second after it is drawn, does not count."""

_IS_DRAWN = """() => {
  const main = document.querySelector('[data-testid="stMain"]');
  const state = document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState;
  if (!main?.querySelector('[data-testid="stHeading"]') || state !== "notRunning") return false;
  const loading = '[data-testid="stSpinner"], [data-testid="stSkeleton"], [data-stale="true"]';
  if ([...main.querySelectorAll(loading)].some(element => element.offsetParent)) return false;
  const images = [...main.querySelectorAll("img")].filter(image => image.getBoundingClientRect().top < innerHeight);
  if (!images.every(image => image.complete)) return false;
  return performance.now() - Math.max(window.lastChange, window.lastClick) > 500;
}"""
"""The script is idle, nothing is loading, and nothing in the main part has changed for half a second."""


def open_until_drawn(page: Page, link: str) -> float:
    """Open a link and return the seconds from the start of the navigation to the last change of the main part."""
    page.goto(link, timeout=WAIT_MS)
    page.wait_for_function(_IS_DRAWN, timeout=WAIT_MS, polling=50)
    return float(page.evaluate("window.lastChange")) / 1000


def click_until_drawn(target: Locator) -> float:
    """Click and return the seconds from the click to the last change of the main part."""
    page = target.page
    target.scroll_into_view_if_needed(timeout=WAIT_MS)
    page.wait_for_function(_IS_DRAWN, timeout=WAIT_MS, polling=50)
    target.click(timeout=WAIT_MS)
    return _time_since_click(page)


def tick_until_drawn(box: Locator) -> float:
    """Select a face by the space key, as `click_until_drawn`: a label or a picture may lie above a box."""
    page = box.page
    box.focus(timeout=WAIT_MS)
    page.wait_for_function(_IS_DRAWN, timeout=WAIT_MS, polling=50)
    page.keyboard.press("Space")
    return _time_since_click(page)


def click_point_until_drawn(target: Locator) -> float:
    """Click the middle of a shape, as `click_until_drawn`: shapes of charts lie below a layer that takes the clicks."""
    page = target.page
    target.scroll_into_view_if_needed(timeout=WAIT_MS)
    page.wait_for_function(_IS_DRAWN, timeout=WAIT_MS, polling=50)
    box = target.bounding_box()
    if box is None:
        raise RuntimeError("The shape is not on the page.")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    return _time_since_click(page)


def option(page: Page, title: str) -> Locator:
    """Find a tab or an option of the main part by its title."""
    named = page.get_by_test_id("stMain").locator('[role="radio"], [role="tab"], button, label')
    return named.filter(has_text=re.compile(rf"^\s*{re.escape(title)}\s*$")).first


def bar(page: Page) -> Locator:
    """Find the first bar of a chart."""
    return page.locator(".ferscope-drawing .part .shape, .js-plotly-plot .bars .point path").first


def tick_box(page: Page) -> Locator:
    """Find the fourth face that can be selected: an option of the gallery, in earlier versions a checkbox."""
    main = page.get_by_test_id("stMain")
    return main.get_by_role("option").or_(main.get_by_role("checkbox")).nth(3)


def next_page(page: Page) -> Locator:
    """Find the button that turns the page of a gallery."""
    return page.get_by_test_id("stMain").get_by_role("button", name=re.compile("^Next")).first


def proportional_memory_mb(pid: int) -> float:
    """Read the proportional set size of a process in MiB (Linux)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"The kernel reports no Pss for the process {pid}.")


def _time_since_click(page: Page) -> float:
    page.wait_for_function(_IS_DRAWN, timeout=WAIT_MS, polling=50)
    return max(0.0, float(page.evaluate("window.lastChange - window.lastClick"))) / 1000
