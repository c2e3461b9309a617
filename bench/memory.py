"""Peak memory of indexing 10,000 and 100,000 images; only the list of files may grow with the dataset."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.support.report import argument_parser, print_table
from bench.support.synthetic_files import faces, gray_png, write_folder, write_zip

_TOTALS = (10_000, 100_000)
_PROCESSES = 2
_SOURCES: tuple[tuple[str, Callable[[Path, int], Path]], ...] = (
    ("gray 48x48 PNG in a zip", lambda at, n: write_zip(at, faces(n, 48, gray_png, "png"))),
    ("gray 48x48 PNG in a folder", lambda at, n: write_folder(at, faces(n, 48, gray_png, "png"))),
)


def main() -> None:
    """Write the sources, index each in a process of its own, print the table."""
    arguments = argument_parser(__doc__).parse_args()
    rows: list[dict[str, Any]] = []
    for title, make in _SOURCES:
        peaks: list[dict[str, float]] = []
        for total in _TOTALS:
            with tempfile.TemporaryDirectory() as folder:
                peaks.append(_peaks(make(Path(folder) / "source", total), Path(folder) / "index"))
        few, many = peaks
        for what in few:
            grown = (many[what] - few[what]) * 2**20 / (_TOTALS[1] - _TOTALS[0])
            rows.append(
                {
                    "images": title,
                    "peak memory of": what,
                    **{f"MiB at {n:,}": round(peak[what]) for n, peak in zip(_TOTALS, peaks, strict=True)},
                    "ratio": round(many[what] / few[what], 2),
                    "bytes_an_image": round(grown),
                }
            )
    print_table(f"Peak memory while indexing, {_PROCESSES} processes", rows, as_json=arguments.json)


def _peaks(source: Path, target: Path) -> dict[str, float]:
    """Measure the peak MiB of each step, each in a fresh process."""
    steps = ("nothing", "listing the files", "indexing", "indexing, its largest worker", "a whole import")
    found = {}
    for step in steps:
        shutil.rmtree(target, ignore_errors=True)
        done = subprocess.run(
            [sys.executable, "-m", "bench.memory", step, str(source), str(target)],
            capture_output=True,
            text=True,
            check=True,
        )
        found[step] = float(done.stdout)
    return found


def _child(step: str, source: Path, target: Path) -> None:
    """Do one step and print the peak."""
    from bench.index import index
    from fer_core.data.catalog import import_dataset
    from fer_core.data.sources.source import open_source
    from fer_core.settings import Settings

    if step == "listing the files":
        with open_source(source, Settings()) as opened:
            opened.names()
    elif step.startswith("indexing"):
        index(source, target, _PROCESSES)
    elif step == "a whole import":
        import_dataset(source, Settings(home=target, threads=_PROCESSES), dataset_id="bench")
    whose = resource.RUSAGE_CHILDREN if step.endswith("worker") else resource.RUSAGE_SELF
    print(resource.getrusage(whose).ru_maxrss / 1024)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        _child(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
