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
    """Write the sources, index each in a fresh process and print the table."""
    arguments = argument_parser(__doc__).parse_args()
    rows: list[dict[str, Any]] = []
    for title, write in _SOURCES:
        peaks: list[dict[str, float]] = []
        for total in _TOTALS:
            with tempfile.TemporaryDirectory() as folder:
                peaks.append(_peaks(write(Path(folder) / "source", total), Path(folder) / "index"))
        small, large = peaks
        for step in small:
            bytes_per_image = (large[step] - small[step]) * 2**20 / (_TOTALS[1] - _TOTALS[0])
            rows.append(
                {
                    "images": title,
                    "step": step,
                    **{f"MiB at {n:,}": round(peak[step]) for n, peak in zip(_TOTALS, peaks, strict=True)},
                    "ratio": round(large[step] / small[step], 2),
                    "bytes_per_image": round(bytes_per_image),
                }
            )
    print_table(f"Peak memory while indexing, {_PROCESSES} processes", rows, as_json=arguments.json)


def _peaks(source: Path, target: Path) -> dict[str, float]:
    """Measure the peak MiB of each step, each in a fresh process."""
    steps = ("nothing", "listing the files", "indexing", "indexing, its largest worker", "a whole import")
    peaks = {}
    for step in steps:
        shutil.rmtree(target, ignore_errors=True)
        done = subprocess.run(
            [sys.executable, "-m", "bench.memory", step, str(source), str(target)],
            capture_output=True,
            text=True,
            check=True,
        )
        peaks[step] = float(done.stdout)
    return peaks


def _child(step: str, source: Path, target: Path) -> None:
    """Run one step and print its peak memory in MiB."""
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
    usage = resource.RUSAGE_CHILDREN if step.endswith("worker") else resource.RUSAGE_SELF
    print(resource.getrusage(usage).ru_maxrss / 1024)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        _child(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
