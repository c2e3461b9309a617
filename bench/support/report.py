"""Arguments, alternating timing and tables of the benchmarks."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from fer_core.system.allocator import MALLOC_SETTINGS, has_malloc_settings
from fer_core.system.processor import processor


def argument_parser(description: str | None, *, rounds: int = 0, rounds_help: str = "") -> argparse.ArgumentParser:
    """Create a parser with `--json`, and with `--rounds` if a default is given."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    if rounds:
        parser.add_argument("--rounds", type=int, default=rounds, help=rounds_help or "how often each method is timed")
    return parser


def add_model_and_split(parser: argparse.ArgumentParser, faces: int) -> None:
    """Add `--model`, `--data`, `--split` and `--faces` (0 is all)."""
    parser.add_argument("--model", default="default")
    parser.add_argument("--data", default="ferplus")
    parser.add_argument("--split", default="valid", help="a split of the dataset, or all")
    parser.add_argument("--faces", type=int, default=faces, help="number of random faces; 0 for all")


def restart_with_malloc_settings(module: str) -> None:
    """Restart this process with the allocator settings of a training."""
    if not has_malloc_settings():
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], {**os.environ, **MALLOC_SETTINGS})


def time_alternately(methods: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Measure the median seconds of each method. They alternate, so that other load affects all of them alike."""
    for run in methods.values():
        run()  # warm-up: caches and lazy imports
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(rounds):
        for name, run in methods.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def print_table(title: str, rows: list[dict[str, Any]], *, as_json: bool) -> None:
    """Print the rows and the processor that they were measured on."""
    if as_json:
        print(json.dumps([{**row, "processor": str(processor())} for row in rows]))
        return
    print(title)
    print(f"on {processor()}, {os.cpu_count()} cores")
    widths = {name: max(len(name), *(len(str(row[name])) for row in rows)) for name in rows[0]}
    print("  ".join(name.ljust(width) for name, width in widths.items()))
    for row in rows:
        print("  ".join(str(row[name]).ljust(width) for name, width in widths.items()))
