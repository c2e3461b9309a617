"""Soak test: browser sessions that upload photos and open datasets, beside a Live view."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from playwright.sync_api import BrowserContext
from playwright.sync_api import Error as BrowserError

from bench.support.browsers import DATASET, RunningApp, open_page, start_video, upload, wait_for_prediction

_SECTIONS = ("classes", "faces", "splits", "quality", "votes", "balance")
_SAMPLE_S = 15.0
_LIVE_VISIT_S = 300.0
_PAUSE_S = 2.0
_ROW_S = 300.0


class Sample(NamedTuple):
    """Memory of the server at a time, and the visits until then."""

    at_s: float
    memory_mb: float
    visits: int
    failed: int


def soak(app: RunningApp, minutes: float) -> tuple[list[dict[str, Any]], str]:
    """Use the app and return the rows of the table and a summary of the memory growth."""
    samples = list(_use_app(app, 60 * minutes))
    rows = [
        {"minute": round(sample.at_s / 60), **sample._asdict(), "memory_mb": round(sample.memory_mb)}
        for index, sample in enumerate(samples)
        if index in (0, len(samples) - 1) or sample.at_s // _ROW_S > samples[index - 1].at_s // _ROW_S
    ]
    last = samples[-1]
    growth = f"{growth_mb_per_h(samples):+.1f} MiB per hour over the second half"
    return rows, f"{growth}, {last.visits} visits of which {last.failed} failed"


def growth_mb_per_h(samples: list[Sample]) -> float:
    """The slope of a straight line through the second half of the samples."""
    half = [sample for sample in samples if sample.at_s >= samples[-1].at_s / 2]
    slope, _ = np.polyfit([sample.at_s / 3600 for sample in half], [sample.memory_mb for sample in half], 1)
    return float(slope)


def _use_app(app: RunningApp, for_s: float) -> Iterator[Sample]:
    """Visit pages beside a Live view that restarts every five minutes; yield a sample every 15 seconds."""
    started_s = time.monotonic()
    live: BrowserContext | None = None
    live_since_s, sampled_s, visits, failed = 0.0, float("-inf"), 0, 0
    while (now_s := time.monotonic() - started_s) < for_s:
        try:
            if live is None or now_s - live_since_s > _LIVE_VISIT_S:
                live, live_since_s = _restart_live(app, live), now_s
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


def _restart_live(app: RunningApp, previous: BrowserContext | None) -> BrowserContext:
    """Close the previous Live view and start one in a new session."""
    if previous is not None:
        previous.close()
    context = app.new_context()
    page = context.new_page()
    open_page(page, "/live")
    start_video(page)
    return context


def _visit(app: RunningApp, number: int) -> None:
    """Upload a photo or open a dataset section, alternately, in a new session."""
    context = app.new_context()
    try:
        page = context.new_page()
        if number % 2:
            open_page(page, f"/datasets?dataset={DATASET}&section={_SECTIONS[number // 2 % len(_SECTIONS)]}")
        else:
            open_page(page, "/predict")
            upload(page, app.photo)
            wait_for_prediction(page)
    finally:
        context.close()
