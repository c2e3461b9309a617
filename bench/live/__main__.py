"""Live in a real browser: delay, frames a second, and what it costs the server, in each of its ways.

    python -m bench.live [--seconds 15] [--sizes 640x480 1280x720] [--sessions 1 4] [--ways browser …] [--json]

The camera's frames have their number in the picture. `shown`: frames a second that the browser displays; `analyzed`:
results a second; `delay`: from the moment a frame is on the screen until its result is, or for the loop in the
callback until it is back from the server with its drawing; `picture`: how much older the displayed picture is than the
camera's. `server CPU` is in cores for each session. The loop is the usual demo: the Haar cascade at full size and study
A's network in the callback. Needs Chromium and the clip of the test data.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from playwright.sync_api import Browser, Locator, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from bench.support.browsers import open_page, run_app, start_video
from bench.support.report import argument_parser, print_table
from bench.support.time_code import READ_CODE, write_coded_video
from tests.e2e.app_server import PROJECT, AppServer
from tests.e2e.conftest import CAMERA_FLAGS, FLAGS, chromium_path
from tests.waiting import wait_until

_LOOP = "Haar and a network in the callback"
WAYS = {
    "browser": {"way": "browser"},
    "WebRTC": {"way": "server", "transport": "video"},
    "pictures": {"way": "server", "transport": "pictures"},
}
"""Choices of the stage."""

_WARM_UP_S = 6.0

_COMMON = f"""
    {READ_CODE}
    const preview = document.createElement("video");
    preview.muted = true;
    preview.srcObject = await navigator.mediaDevices.getUserMedia({{ video: {{ width: 4096, height: 2160 }} }});
    await preview.play();
    const found = {{ shown: 0, delays: [], pictures: [] }};
    const count = () => {{
        found.shown++;
        found.pictures.push(behindMs(readCode(preview), readCode(video)));
        video.requestVideoFrameCallback(count);
    }};
    video.requestVideoFrameCallback(count);
"""

_MEASURE_STAGE = f"""async (root) => {{
    const {{ live }} = root.stage;
    const {{ video, engine }} = live;
    {_COMMON}
    const codes = new Map();
    const [send, take] = [engine.send.bind(engine), live.take.bind(live)];
    engine.send = (shown, number, ...rest) => {{ codes.set(number, readCode(shown)); send(shown, number, ...rest); }};
    live.take = (result) => {{
        take(result);
        if (codes.has(result.number)) found.delays.push(behindMs(readCode(video), codes.get(result.number)));
    }};
    window.found = found;
}}"""

_MEASURE_LOOP = f"""async (video) => {{
    {_COMMON}
    found.delays = found.pictures;
    window.found = found;
}}"""


def main() -> None:
    """Measure every combination and print a row for each."""
    parser = argument_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--sizes", nargs="+", default=["640x480", "1280x720"])
    parser.add_argument("--sessions", nargs="+", type=int, default=[1, 4])
    parser.add_argument("--ways", nargs="+", choices=[*WAYS, "loop"], default=[*WAYS, "loop"])
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for size in arguments.sizes:
            width, height = map(int, size.split("x"))
            camera = write_coded_video(Path(folder) / f"{size}.mjpeg", width, height)
            for sessions in arguments.sessions:
                for way in arguments.ways:
                    measure = _measure_loop if way == "loop" else _measure_stage
                    row = {"way": _LOOP if way == "loop" else way, "size": size, "sessions": sessions}
                    rows.append(row | measure(way, size, sessions, camera, arguments.seconds))
                    sys.stderr.write(f"{json.dumps(rows[-1])}\n")
    print_table("Live in a browser", rows, as_json=arguments.json)


def _measure_stage(way: str, size: str, sessions: int, camera: Path, seconds: float) -> dict[str, Any]:
    choices = json.dumps({**WAYS[way], "resolution": size})
    with run_app({"FERSCOPE_LIVE_VIEWERS": str(sessions)}, camera) as app, ExitStack() as stack:
        pages = []
        for _ in range(sessions):
            context = stack.enter_context(app.new_context())
            context.add_init_script(f"localStorage.setItem('ferscope-live', {json.dumps(choices)})")
            pages.append(context.new_page())
            open_page(pages[-1], "/live")
            start_video(pages[-1])
            if way == "WebRTC":
                pages[-1].locator(".speed").filter(has_text="over WebRTC").wait_for()
        roots = [page.locator(".stage") for page in pages]
        return _measure(app.server.pid, roots, _MEASURE_STAGE, "root => window.found", seconds)


def _measure_loop(way: str, size: str, sessions: int, camera: Path, seconds: float) -> dict[str, Any]:
    del way, size
    with _run_loop() as server, _browser(camera) as browser:
        videos = []
        for _ in range(sessions):
            page = browser.new_page()
            page.goto(server.url)
            videos.append(_start_loop(page))
        try:
            return _measure(server.pid, videos, _MEASURE_LOOP, "video => window.found", seconds)
        except PlaywrightError:  # streamlit-webrtc closed a stream, as it does where a server is late
            return dict.fromkeys(("shown", "analyzed", "delay", "p95", "picture", "server CPU", "memory"), "ended")


def _measure(pid: int, places: list[Locator], begin: str, end: str, seconds: float) -> dict[str, Any]:
    time.sleep(_WARM_UP_S)
    process = psutil.Process(pid)
    before = [
        place.evaluate(f"async (element) => {{ await ({begin})(element); return performance.now(); }}")
        for place in places
    ]
    cpu = sum(process.cpu_times()[:2])
    started = time.monotonic()
    time.sleep(seconds)
    elapsed, cpu = time.monotonic() - started, sum(process.cpu_times()[:2]) - cpu
    found = [place.evaluate(f"element => ({{ ...({end})(element), at: performance.now() }})") for place in places]
    spans = [(each["at"] - start) / 1000 for each, start in zip(found, before, strict=True)]
    delays = np.concatenate([each["delays"] for each in found])
    return {
        "shown": f"{np.mean([each['shown'] / span for each, span in zip(found, spans, strict=True)]):.1f}",
        "analyzed": f"{np.mean([len(each['delays']) / span for each, span in zip(found, spans, strict=True)]):.1f}",
        "delay": f"{np.median(delays):.0f} ms" if len(delays) else "–",
        "p95": f"{np.percentile(delays, 95):.0f} ms" if len(delays) else "–",
        "picture": f"{np.median(np.concatenate([each['pictures'] for each in found])):.0f} ms",
        "server CPU": f"{cpu / elapsed / len(places):.3f}",
        "memory": f"{process.memory_info().rss / 2**20:.0f} MiB",
    }


@contextmanager
def _run_loop() -> Iterator[AppServer]:
    with tempfile.TemporaryDirectory() as folder:
        command = ("-m", "streamlit", "run", "bench/support/callback_loop.py")
        server = AppServer(Path(folder), {"PYTHONPATH": str(PROJECT)}, command=command)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def _browser(camera: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        flags = [*FLAGS, *CAMERA_FLAGS, f"--use-file-for-fake-video-capture={camera}"]
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=flags)
        yield browser
        browser.close()


def _start_loop(page: Page) -> Locator:
    player = page.frame_locator('iframe[title="streamlit_webrtc.component.webrtc_streamer"]')
    player.get_by_role("button", name="START").click(timeout=60_000)
    video = player.locator("video")
    video.wait_for(timeout=60_000)
    wait_until(lambda: bool(video.evaluate("video => video.currentTime > 0")))
    return video


if __name__ == "__main__":
    main()
