"""Load on the server, with and without Streamlit's garbage collection after every rerun.

    python -m bench.server [--rounds 2] [--json]
    python -m bench.server --soak 60 [--json]

The options alternate, each with a fresh app and store: four idle tabs, one Live view, twelve concurrent uploads.
`--soak` uses the app as it ships for as many minutes and reports how its memory grows. Needs Chromium and ffmpeg.
"""

from __future__ import annotations

import statistics
import time
from typing import NamedTuple

from bench.support.browsers import RunningApp, measure_fps, open_page, run_app, start_video, upload, wait_for_prediction
from bench.support.report import argument_parser, print_table
from bench.support.soak import soak

_OPTIONS = {"full collection": "true", "without": "false"}
"""Title and value of `STREAMLIT_RUNNER_POST_SCRIPT_GC`."""

_IDLE_PAGES = ("/", "/datasets", "/predict", "/training")
_UPLOADS = 12
_SETTLE_S = 10.0
_IDLE_S = 30.0
_LIVE_S = 30.0


class Measurement(NamedTuple):
    """Measurements of one start of the server."""

    idle_cpu_01: float
    frames_per_s: float
    freeze_s: float
    uploads_s: float


_TITLES = {
    "idle_cpu_01": "four idle tabs, CPU seconds per second",
    "frames_per_s": "Live, displayed frames per second",
    "freeze_s": "Live, longest freeze, s",
    "uploads_s": "twelve concurrent uploads, s until all have predictions",
}


def main() -> None:
    """Run the chosen measurement and print the table."""
    parser = argument_parser(__doc__, rounds=2, rounds_help="how often each option is started")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="use the app so long and measure its memory")
    arguments = parser.parse_args()
    if arguments.soak:
        with run_app({}) as app:
            rows, verdict = soak(app, arguments.soak)
        print_table(f"Memory of the server while browsers use it: {verdict}", rows, as_json=arguments.json)
        return
    measurements: dict[str, list[Measurement]] = {option: [] for option in _OPTIONS}
    for _ in range(arguments.rounds):
        for option, value in _OPTIONS.items():
            with run_app({"STREAMLIT_RUNNER_POST_SCRIPT_GC": value}) as app:
                measurements[option].append(Measurement(_idle(app), *_live(app), _uploads(app)))
    print_table(
        f"The server, {arguments.rounds} rounds",
        [_row(name, measurements) for name in Measurement._fields],
        as_json=arguments.json,
    )


def _row(name: str, measurements: dict[str, list[Measurement]]) -> dict[str, object]:
    """Build a row: the range of each option, and the median ratio over the rounds."""
    with_gc, without_gc = ([float(getattr(run, name)) for run in measurements[option]] for option in _OPTIONS)
    ratio = statistics.median(without / full for without, full in zip(without_gc, with_gc, strict=True))
    return {
        "measurement": _TITLES[name],
        "full collection": _range(with_gc),
        "without": _range(without_gc),
        "ratio": float(f"{ratio:.2g}"),
    }


def _range(values: list[float]) -> str:
    ends = (min(values), max(values))
    return " to ".join(dict.fromkeys(f"{value:.2g}" if value < 1 else f"{value:.1f}" for value in ends))


def _idle(app: RunningApp) -> float:
    """CPU seconds per second while four tabs are open and idle."""
    contexts = [app.new_context() for _ in _IDLE_PAGES]
    for context, path in zip(contexts, _IDLE_PAGES, strict=True):
        open_page(context.new_page(), path)
    time.sleep(_SETTLE_S)
    started_s, used_s = time.monotonic(), app.cpu_s()
    time.sleep(_IDLE_S)
    spent = (app.cpu_s() - used_s) / (time.monotonic() - started_s)
    for context in contexts:
        context.close()
    return spent


def _live(app: RunningApp) -> tuple[float, float]:
    """Displayed frames per second of one Live view, and its longest freeze in seconds."""
    context = app.new_context()
    page = context.new_page()
    open_page(page, "/live")
    video = start_video(page)
    page.wait_for_timeout(1000 * _SETTLE_S)
    result = measure_fps(video, _LIVE_S)
    context.close()
    return result


def _uploads(app: RunningApp) -> float:
    """Seconds from the first of twelve uploads to the last prediction."""
    contexts = [app.new_context() for _ in range(_UPLOADS)]
    pages = [context.new_page() for context in contexts]
    for page in pages:
        open_page(page, "/predict")
    started_s = time.monotonic()
    for page in pages:
        upload(page, app.photo)
    for page in pages:
        wait_for_prediction(page)
    taken_s = time.monotonic() - started_s
    for context in contexts:
        context.close()
    return taken_s


if __name__ == "__main__":
    main()
