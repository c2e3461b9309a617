"""An hour of use: a Live view, photos, and the Datasets page, by visitors who come and go."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from playwright.sync_api import BrowserContext
from playwright.sync_api import Error as BrowserError

from bench.support.browsers import DATASET, Scene, open_page, start_video, upload, wait_until_read

_SECTIONS = ("classes", "faces", "splits", "quality", "votes", "balance")
_SAMPLE_S = 15.0
_LIVE_VISIT_S = 300.0
_PAUSE_S = 2.0
_ROW_S = 300.0


class Sample(NamedTuple):
    """The server's memory at a time of the soak, and how many visits there were until then."""

    at_s: float
    memory_mb: float
    visits: int
    failed: int


def soak(app: Scene, minutes: float) -> tuple[list[dict[str, Any]], str]:
    """Use the app and watch its memory; the table's rows, and how it grows in words."""
    samples = list(_use(app, 60 * minutes))
    rows = [
        {"minute": round(each.at_s / 60), **each._asdict(), "memory_mb": round(each.memory_mb)}
        for place, each in enumerate(samples)
        if place in (0, len(samples) - 1) or each.at_s // _ROW_S > samples[place - 1].at_s // _ROW_S
    ]
    last = samples[-1]
    growth = f"{growth_mb_per_h(samples):+.1f} MiB an hour over the second half"
    return rows, f"{growth}, {last.visits} visits of which {last.failed} failed"


def growth_mb_per_h(samples: list[Sample]) -> float:
    """The slope of a straight line through the second half of the samples."""
    half = [each for each in samples if each.at_s >= samples[-1].at_s / 2]
    slope, _ = np.polyfit([each.at_s / 3600 for each in half], [each.memory_mb for each in half], 1)
    return float(slope)


def _use(app: Scene, for_s: float) -> Iterator[Sample]:
    """Visit after visit beside a Live view that is started anew every five minutes; a sample every 15 seconds."""
    began_s = time.monotonic()
    live: BrowserContext | None = None
    live_since_s, sampled_s, visits, failed = 0.0, float("-inf"), 0, 0
    while (now_s := time.monotonic() - began_s) < for_s:
        try:
            if live is None or now_s - live_since_s > _LIVE_VISIT_S:
                live, live_since_s = _live_anew(app, live), now_s
            _visit(app, visits)
        except BrowserError as error:
            failed += 1
            sys.stderr.write(f"{now_s / 60:.1f} min: {error}\n")
        visits += 1
        if now_s - sampled_s >= _SAMPLE_S:
            sampled_s = now_s
            sample = Sample(now_s, app.memory_mb(), visits, failed)
            sys.stderr.write(f"{now_s / 60:.1f} min: {sample.memory_mb:.0f} MiB after {visits} visits\n")
            yield sample
        time.sleep(_PAUSE_S)


def _live_anew(app: Scene, before: BrowserContext | None) -> BrowserContext:
    """A new visitor's Live view, playing, instead of the one before."""
    if before is not None:
        before.close()
    visitor = app.visitor()
    page = visitor.new_page()
    open_page(page, "/live")
    start_video(page)
    return visitor


def _visit(app: Scene, number: int) -> None:
    """Somebody new uploads a photo, or looks at the dataset: in turns."""
    visitor = app.visitor()
    try:
        page = visitor.new_page()
        if number % 2:
            open_page(page, f"/datasets?dataset={DATASET}&section={_SECTIONS[number // 2 % len(_SECTIONS)]}")
        else:
            open_page(page, "/predict")
            upload(page, app.photo)
            wait_until_read(page)
    finally:
        visitor.close()
