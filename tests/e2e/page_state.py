"""What a page looks like once it is settled: its shifts, what is above the fold, and what a reload must show again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import ConsoleMessage, Page

SHIFT_MAX = 0.05
"""Largest cumulative layout shift of a page while it opens; the web's own limit for a good page is .1."""

RECORD_SHIFTS = """
window.shifts = [];
const describe = (node) => {
  const element = node?.nodeType === 1 ? node : node?.parentElement;
  if (!element) return "removed";
  const keyed = element.closest('[class*="st-key-"]');
  const key = keyed ? [...keyed.classList].find(name => name.startsWith("st-key-")) : "";
  const test = element.closest("[data-testid]")?.dataset.testid ?? element.tagName;
  const text = element.textContent.trim().replace(/\\s+/g, " ").slice(0, 50);
  return [test, key, text && `"${text}"`].filter(Boolean).join(" ");
};
const weight = ({ by, across, area }) => area * Math.max(Math.abs(by), Math.abs(across));
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.shifts.push({
      at: entry.startTime, score: entry.value,
      moved: entry.sources.map(({ node, previousRect: from, currentRect: to }) => ({
        element: describe(node), by: Math.round(to.y - from.y), across: Math.round(to.x - from.x),
        grown: Math.round(to.height - from.height), area: to.width * to.height,
      })).sort((a, b) => weight(b) - weight(a)),
    });
  }
}).observe({ type: "layout-shift", buffered: true });
"""
"""Runs before the page's own scripts; collects every shift that no click or key caused."""

_READ_STATE = """() => {
  const seen = element => element.offsetParent !== null;
  const main = document.querySelector('[data-testid="stMain"]');
  const all = selector => [...main.querySelectorAll(selector)].filter(seen);
  const text = element => (element.innerText ?? element.textContent).trim().replace(/\\s+/g, " ");
  return {
    address: location.pathname + location.search,
    headings: all('h1, h2, h3').map(text),
    selected: all('[aria-checked="true"], [aria-selected="true"]').map(text),
    choices: all('input[role="combobox"]').map(input => input.value || text(input.parentElement)),
    numbers: all('dl.ferscope-headline').map(text),
    figures: all('.js-plotly-plot, .ferscope-drawing').length,
    tables: all('[data-testid="stDataFrame"]').length,
  };
}"""

_BOTTOM_OF_FIRST = """() => {
  const main = '[data-testid="stMain"]';
  const kinds = ['.js-plotly-plot', '.ferscope-drawing', '[data-testid="stDataFrame"]', '[data-testid="stImage"] img'];
  const boxes = kinds.flatMap(kind => [...document.querySelectorAll(`${main} ${kind}`)])
    .map(element => element.getBoundingClientRect()).filter(box => box.width > 150 && box.height > 80);
  return boxes.length ? boxes.sort((a, b) => a.top - b.top)[0].bottom : null;
}"""

_IS_SETTLED = """quietMs => {
  const app = document.querySelector('[data-testid="stApp"]');
  const main = document.querySelector('[data-testid="stMain"]');
  const idle = app?.dataset.testScriptState === "notRunning" && document.querySelector('[data-testid="stHeading"]')
    && !main.querySelector(':is([data-testid="stSpinner"], [data-testid="stSkeleton"])');
  const shape = idle && [main.scrollHeight, main.scrollWidth, main.querySelectorAll("*").length].join();
  if (!idle || window.settling?.shape !== shape) window.settling = { shape, since: performance.now() };
  return idle && performance.now() - window.settling.since > quietMs;
}"""
"""Whether the script has been idle, and the page has kept its size and its number of elements, for this long."""

_SETTLED_MS = 1000
_READY_MS = 300

_KEEPS_SIZE = """quietMs => {
  const main = document.querySelector('[data-testid="stMain"]');
  const size = [innerWidth, main.scrollHeight, main.scrollWidth].join();
  if (window.resizing?.size !== size) window.resizing = { size, since: performance.now() };
  return performance.now() - window.resizing.since > quietMs;
}"""


@dataclass
class Messages:
    """What the browser's console reports as an error."""

    errors: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("console", self._keep_errors)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _keep_errors(self, message: ConsoleMessage) -> None:
        # Streamlit looks for its server below the page's path first.
        if message.type == "error" and "/_stcore/" not in message.location["url"]:
            self.errors.append(f"{message.text} {message.location['url']}")


def wait_until_settled(page: Page, timeout_s: float = 120, quiet_ms: float = _SETTLED_MS) -> None:
    """Wait until the script has been idle for a second, nothing is loading and nothing changes its size."""
    # What an earlier wait has seen says nothing about what was pressed since.
    page.evaluate("window.settling = undefined")
    page.wait_for_function(_IS_SETTLED, arg=quiet_ms, timeout=timeout_s * 1000, polling=50)


def wait_until_ready(page: Page) -> None:
    """Wait until the page can be used; shorter than `wait_until_settled`, whose result is compared."""
    wait_until_settled(page, quiet_ms=_READY_MS)


def resize_window(page: Page, width_px: int, height_px: int) -> None:
    """Resize the window and wait until the page, whose charts follow, keeps its size; its script may run."""
    page.set_viewport_size({"width": width_px, "height": height_px})
    page.wait_for_function(_KEEPS_SIZE, arg=_READY_MS, polling=50)


def read_state(page: Page) -> dict[str, Any]:
    """Read what a reload of the page must show again: address, headings, choices, numbers, figures."""
    state: dict[str, Any] = page.evaluate(_READ_STATE)
    return state


def bottom_of_first_picture(page: Page) -> float | None:
    """Lower edge of the first chart, table or picture, in pixels from the window's top; None without one."""
    bottom: float | None = page.evaluate(_BOTTOM_OF_FIRST)
    return bottom


def scrolls_sideways(page: Page) -> bool:
    """Whether the page or its main part is wider than the window."""
    wide = "e => e.scrollWidth > e.clientWidth + 1"
    return bool(
        page.evaluate("document.documentElement.scrollWidth > innerWidth")
        or page.get_by_test_id("stMain").evaluate(wide)
    )


def read_shifts(page: Page) -> list[dict[str, Any]]:
    """Read the recorded shifts; `RECORD_SHIFTS` must be an init script of the page."""
    shifts: list[dict[str, Any]] = page.evaluate("window.shifts")
    return shifts


def cumulative_shift(shifts: list[dict[str, Any]]) -> float:
    """The largest sum of shifts in a session window: gaps below 1 s, at most 5 s long (https://web.dev/articles/cls)."""
    largest = current = first = last = 0.0
    for shift in shifts:
        if current and shift["at"] - last < 1000 and shift["at"] - first < 5000:
            current += shift["score"]
        else:
            current, first = shift["score"], shift["at"]
        last, largest = shift["at"], max(largest, current)
    return largest


def describe_shifts(shifts: list[dict[str, Any]], most: int = 3) -> str:
    """Name the elements that moved most."""
    lines = []
    for shift in sorted(shifts, key=lambda shift: -shift["score"])[:most]:
        moved = "; ".join(
            f"{source['element']} down {source['by']} px, right {source['across']} px, {source['grown']} px taller"
            for source in shift["moved"][:2]
        )
        lines.append(f"{shift['score']:.3f} at {shift['at'] / 1000:.1f} s: {moved}")
    return "\n".join(lines)
