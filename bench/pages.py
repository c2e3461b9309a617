"""The pages in a browser, on a store with one dataset and 50 runs: seconds until the content is drawn, and memory.

    python -m bench.pages --store STORE [--before CHECKOUT] [--rounds 2] [--only opens|sections|faces|memory] [--json]

`--store` names a store with a dataset and a finished run (default: a small one is made); it is copied. `--before` names
a checkout of another version, measured in the same run: the two alternate, each with its own server and copy of the
store. Content is drawn once the script is idle, nothing is loading, and the main part no longer changes. An open is
cold: on a server that has just started, in a browser without a cache. Needs Chromium.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from bench.support import page_actions as actions
from bench.support.page_store import copy_store
from bench.support.report import argument_parser, print_table
from fer_core.settings import Settings
from tests.e2e.app_server import PROJECT, AppServer
from tests.e2e.conftest import FLAGS, chromium_path
from tests.support.sample_store import fill_store

_RUNS = 50
_NOW, _BEFORE = "now", "before"
_WINDOW = {"width": 1400, "height": 900}
_LOOK_MS = 3000
"""How long a user looks at the first section before the augmentation preview."""

_TARGETS = {"open": 2.5, "section": 0.7, "bar": 1.0, "tick": 0.3, "turn": 0.3, "preview": 3.0, "memory": 450.0}
"""Seconds; MiB for memory."""

_OPENS = {
    "Overview": "/",
    "Datasets, Classes": "/datasets?dataset={dataset}",
    "Datasets, Faces": "/datasets?dataset={dataset}&section=faces",
    "Datasets, Published counts": "/datasets?view=published",
    "Training, form": "/training",
    "Training, 50 runs": "/training?view=runs",
    "Training, one run": "/training?run={run}",
    "Jobs": "/jobs",
    "Evaluation": "/evaluation?run={run}",
    "Predict": "/predict",
    "Live": "/live",
    "Models": "/models",
}
_SECTIONS = ("Faces", "Votes", "Quality", "Corrections", "Splits", "Rebalancing", "About", "Classes")


class Measurement(NamedTuple):
    """A kind with a target, what was measured, and the value: seconds, or MiB of memory."""

    kind: str
    name: str
    value: float


class _Version(NamedTuple):
    """A checkout and its copy of the store."""

    project: Path
    store: Path
    names: Mapping[str, str]

    def link(self, pattern: str) -> str:
        return pattern.format(**self.names)


def main() -> None:
    """Measure the versions alternately and print the table."""
    parser = argument_parser(__doc__, rounds=2, rounds_help="how often each version is measured")
    parser.add_argument("--store", type=Path, help="a store with a dataset and a finished run")
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="another version to compare with")
    parser.add_argument("--only", choices=list(_PARTS), help="one part of the measurement")
    arguments = parser.parse_args()
    values: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        versions = _prepare(Path(folder), arguments.store, arguments.before)
        for _ in range(arguments.rounds):
            for version_name, version in versions.items():
                for part in [arguments.only] if arguments.only else _PARTS:
                    for kind, name, value in _PARTS[part](version, browser):
                        values[kind, name][version_name].append(value)
        browser.close()
    rows = [_row(*key, measured) for key, measured in values.items()]
    missed = sum(row["met"] == "no" for row in rows)
    print_table(f"Pages, {arguments.rounds} rounds; {missed} of {len(rows)} miss", rows, as_json=arguments.json)


def _prepare(folder: Path, store: Path | None, before: Path | None) -> dict[str, _Version]:
    if store is None:
        store = folder / "sample"
        fill_store(Settings(home=store, offline=True, threads=1))
    run = sorted(path.parent for path in (store / "runs").glob("*/run.json"))[0]
    names = {"run": run.name, "dataset": json.loads((run / "run.json").read_text())["dataset"]}
    projects = {**({_BEFORE: before.resolve()} if before else {}), _NOW: PROJECT}
    return {name: _Version(path, copy_store(store, folder / name, _RUNS), names) for name, path in projects.items()}


@contextmanager
def _served(version: _Version, browser: Browser) -> Iterator[tuple[AppServer, Page]]:
    """Start the server and open a browser without a cache; both end with the block."""
    server = AppServer(version.store, {}, version.project)
    server.start()
    context = browser.new_context(base_url=server.url, viewport=_WINDOW)
    context.add_init_script(actions.RECORD_CHANGES)
    try:
        yield server, context.new_page()
    finally:
        context.close()
        server.stop()


def _measure_opens(version: _Version, browser: Browser) -> Iterator[Measurement]:
    for name, link in _OPENS.items():
        with _served(version, browser) as (_, page):
            yield Measurement("open", name, actions.open_until_drawn(page, version.link(link)))


def _measure_sections(version: _Version, browser: Browser) -> Iterator[Measurement]:
    with _served(version, browser) as (_, page):
        actions.open_until_drawn(page, version.link("/datasets?dataset={dataset}"))
        page.wait_for_timeout(_LOOK_MS)
        yield Measurement(
            "preview", "Augmentation, first", actions.click_until_drawn(actions.option(page, "Augmentation"))
        )
        for visit in ("first", "again"):
            for name in _SECTIONS:
                seconds = actions.click_until_drawn(actions.option(page, name))
                yield Measurement("section", f"{name}, {visit}", seconds)


def _measure_faces(version: _Version, browser: Browser) -> Iterator[Measurement]:
    with _served(version, browser) as (_, page):
        actions.open_until_drawn(page, version.link("/datasets?dataset={dataset}"))
        for _ in range(2):
            yield Measurement("bar", "Bar to its faces", actions.click_point_until_drawn(actions.bar(page)))
            page.go_back()
            page.wait_for_timeout(_LOOK_MS)
        actions.open_until_drawn(page, version.link("/datasets?dataset={dataset}&section=faces"))
        for _ in range(3):
            yield Measurement("tick", "Tick of a face", actions.tick_until_drawn(actions.tick_box(page)))
        for _ in range(3):
            yield Measurement("turn", "Next page of faces", actions.click_until_drawn(actions.next_page(page)))


def _measure_memory(version: _Version, browser: Browser) -> Iterator[Measurement]:
    with _served(version, browser) as (server, page):
        for link in _OPENS.values():
            actions.open_until_drawn(page, version.link(link))
        actions.open_until_drawn(page, version.link("/datasets?dataset={dataset}"))
        for name in ("Augmentation", *_SECTIONS):
            actions.click_until_drawn(actions.option(page, name))
        memory_mb = actions.proportional_memory_mb(server.pid)
        yield Measurement("memory", "Server after every page, MiB", memory_mb)


_PARTS = {
    "opens": _measure_opens,
    "sections": _measure_sections,
    "faces": _measure_faces,
    "memory": _measure_memory,
}


def _row(kind: str, name: str, values: Mapping[str, list[float]]) -> dict[str, Any]:
    """Build a row: the median of each version, the worst of this one, and the ratio of the medians."""
    now = statistics.median(values[_NOW]) if values[_NOW] else None
    before = statistics.median(values[_BEFORE]) if values.get(_BEFORE) else None
    target = _TARGETS[kind]
    return {
        "kind": kind,
        "measurement": name,
        "target": target,
        "before": "" if before is None else _rounded(before),
        "now": "" if now is None else _rounded(now),
        "worst": _rounded(max(values[_NOW])) if values[_NOW] else "",
        "ratio": "" if now is None or not before else f"{now / before:.2f}",
        "met": "" if now is None else "yes" if now < target else "no",
    }


def _rounded(value: float) -> float:
    return round(value) if value >= 100 else round(value, 2)


if __name__ == "__main__":
    main()
