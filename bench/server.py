"""Load on the server, with and without Streamlit's garbage collection after every rerun.

    python -m bench.server [--rounds 2] [--json]
    python -m bench.server --soak 60 [--json]

Each option starts the app anew with a store of its own, in turn: four idle tabs, one Live view, twelve browsers that
upload a photo at once. `--soak` runs the app as it ships for as many minutes while
browsers use it, and says how its memory grows. It needs Chromium and ffmpeg.
"""

from __future__ import annotations

import statistics
import time
from typing import NamedTuple

from bench.support.browsers import Scene, open_page, scene, shown_frames, start_video, upload, wait_until_read
from bench.support.report import argument_parser, print_table
from bench.support.soak import soak

_OPTIONS = {"collects": "true", "doesn't": "false"}
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
    "idle_cpu_01": "four idle tabs, s of CPU a second",
    "frames_per_s": "Live, frames a second displayed",
    "freeze_s": "Live, longest freeze, s",
    "uploads_s": "twelve uploads at once, s until all are read",
}


def main() -> None:
    """Measure what was arguments for and print the table."""
    parser = argument_parser(__doc__, rounds=2, rounds_help="how often each side is started")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="use the app for this long, watch its memory")
    arguments = parser.parse_args()
    if arguments.soak:
        with scene({}) as app:
            rows, verdict = soak(app, arguments.soak)
        print_table(f"Memory of the server while browsers use it: {verdict}", rows, as_json=arguments.json)
        return
    turns: dict[str, list[Measurement]] = {side: [] for side in _OPTIONS}
    for _ in range(arguments.rounds):
        for side, option in _OPTIONS.items():
            with scene({"STREAMLIT_RUNNER_POST_SCRIPT_GC": option}) as app:
                turns[side].append(Measurement(_idle(app), *_live(app), _uploads(app)))
    print_table(
        f"The server, {arguments.rounds} rounds",
        [_row(name, turns) for name in Measurement._fields],
        as_json=arguments.json,
    )


def _row(name: str, turns: dict[str, list[Measurement]]) -> dict[str, object]:
    """A line of the table: the values of each side, and the median of the ratios of its rounds."""
    before, after = ([float(getattr(turn, name)) for turn in turns[side]] for side in _OPTIONS)
    ratio = statistics.median(one / other for one, other in zip(after, before, strict=True))
    return {
        "what": _TITLES[name],
        "collects": _range(before),
        "doesn't": _range(after),
        "ratio": float(f"{ratio:.2g}"),
    }


def _range(values: list[float]) -> str:
    return " to ".join(dict.fromkeys(f"{value:.2g}" if value < 1 else f"{value:.1f}" for value in _ends(values)))


def _ends(values: list[float]) -> tuple[float, float]:
    return min(values), max(values)


def _idle(app: Scene) -> float:
    """Processor seconds a second while four tabs are open and nobody touches them."""
    visitors = [app.visitor() for _ in _IDLE_PAGES]
    for visitor, address in zip(visitors, _IDLE_PAGES, strict=True):
        open_page(visitor.new_page(), address)
    time.sleep(_SETTLE_S)
    began_s, used_s = time.monotonic(), app.cpu_s()
    time.sleep(_IDLE_S)
    spent = (app.cpu_s() - used_s) / (time.monotonic() - began_s)
    for visitor in visitors:
        visitor.close()
    return spent


def _live(app: Scene) -> tuple[float, float]:
    """Frames a second really displayed by one Live view, and its longest freeze in seconds."""
    visitor = app.visitor()
    page = visitor.new_page()
    open_page(page, "/live")
    video = start_video(page)
    page.wait_for_timeout(1000 * _SETTLE_S)
    shown = shown_frames(video, _LIVE_S)
    visitor.close()
    return shown


def _uploads(app: Scene) -> float:
    """Seconds from the first of twelve uploads to the last answer."""
    visitors = [app.visitor() for _ in range(_UPLOADS)]
    pages = [visitor.new_page() for visitor in visitors]
    for page in pages:
        open_page(page, "/predict")
    began_s = time.monotonic()
    for page in pages:
        upload(page, app.photo)
    for page in pages:
        wait_until_read(page)
    taken_s = time.monotonic() - began_s
    for visitor in visitors:
        visitor.close()
    return taken_s


if __name__ == "__main__":
    main()
