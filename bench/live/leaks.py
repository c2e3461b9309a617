"""Start and stop Live a hundred times: threads, open files and memory must return to where they were.

    python -m bench.live.leaks [--starts 100] [--ways browser WebRTC pictures] [--json]

A start is until the first prediction. The numbers are taken 12 seconds after a stop, as idle threads end after ten.
`heap` is that of the page's scripts after a collection, `workers` its threads. The last line says how long after a tab
is closed its seat is free. Needs Chromium.
"""

from __future__ import annotations

import json
import re
import sys
import time
from typing import Any

import psutil
from playwright.sync_api import Page

from bench.live.__main__ import WAYS
from bench.support.browsers import RunningApp, open_page, run_app, start_video
from bench.support.report import argument_parser, print_table

_SETTLE_S = 12.0
_WARM_UP = 5
_TABS = 5


def main() -> None:
    """Start and stop each way and print the table."""
    parser = argument_parser(__doc__)
    parser.add_argument("--starts", type=int, default=100)
    parser.add_argument("--ways", nargs="+", choices=[*WAYS], default=[*WAYS])
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with run_app({"FERSCOPE_LIVE_VIEWERS": "1"}) as app:
        for way in arguments.ways:
            context = app.new_context()
            choices = json.dumps(json.dumps(WAYS[way]))
            context.add_init_script(f"localStorage.setItem('ferscope-live', {choices})")
            page = context.new_page()
            open_page(page, "/live")
            marks = sorted({_WARM_UP, arguments.starts // 2, arguments.starts})
            for number in range(1, arguments.starts + 1):
                _start_and_stop(page, way)
                if number in marks:
                    rows.append({"way": way, "starts": number, **_measure(app, page)})
                    sys.stderr.write(f"{rows[-1]}\n")
            context.close()
        closing = [_seconds_until_free(app) for _ in range(_TABS)]
    print_table("Starts and stops of Live", rows, as_json=arguments.json)
    print(f"A closed tab frees its seat within {max(closing):.1f} s (the slowest of {_TABS}).")


def _start_and_stop(page: Page, way: str) -> None:
    start_video(page)
    if way == "WebRTC":
        page.locator(".speed").filter(has_text="over WebRTC").wait_for()
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Start", exact=True).wait_for()
    page.locator(".speed").filter(has_text=re.compile("^$")).wait_for(state="attached")


def _measure(app: RunningApp, page: Page) -> dict[str, Any]:
    time.sleep(_SETTLE_S)
    process = psutil.Process(app.server.pid)
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")["usedSize"]
    return {
        "threads": process.num_threads(),
        "open files": process.num_fds(),
        "memory": f"{process.memory_info().rss / 2**20:.0f} MiB",
        "heap": f"{heap / 2**20:.1f} MiB",
        "workers": len(page.workers),
    }


def _seconds_until_free(app: RunningApp) -> float:
    """Close a tab that is live, and wait until another is admitted, where there is one seat."""
    choices = json.dumps(json.dumps(WAYS["pictures"]))
    contexts = [app.new_context() for _ in range(2)]
    for context in contexts:
        context.add_init_script(f"localStorage.setItem('ferscope-live', {choices})")
    first, second = (context.new_page() for context in contexts)
    open_page(first, "/live")
    open_page(second, "/live")
    start_video(first)
    second.get_by_role("button", name="Start", exact=True).click()
    second.get_by_text("The server is full").wait_for()
    second.get_by_role("button", name="Stop", exact=True).click()
    contexts[0].close()
    started = time.monotonic()
    while True:
        second.get_by_role("radio", name="On the server").click()
        start_video(second)
        if not second.get_by_text("The server is full").is_visible():
            break
        second.get_by_role("button", name="Stop", exact=True).click()
    elapsed = time.monotonic() - started
    contexts[1].close()
    return elapsed


if __name__ == "__main__":
    main()
