"""What every benchmark shares: timing pairs in turn, and printing rows."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from fer_core.system.processor import processor


def timed_in_turn(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median seconds of each, run one after the other in every round, so that a busy machine is busy for all."""
    for run in contestants.values():
        run()  # once uncounted: caches and lazy imports
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def show(title: str, rows: list[dict[str, Any]]) -> None:
    """Print the rows and the processor they come from, as JSON where `--json` is among the arguments."""
    if "--json" in sys.argv:
        print(json.dumps([{**row, "processor": str(processor())} for row in rows]))
        return
    print(title)
    print(f"on {processor()}, {os.cpu_count()} cores")
    widths = {name: max(len(name), *(len(str(row[name])) for row in rows)) for name in rows[0]}
    print("  ".join(name.ljust(width) for name, width in widths.items()))
    for row in rows:
        print("  ".join(str(row[name]).ljust(width) for name, width in widths.items()))
