"""Evaluation of 50,000 predictions of 8 classes: seconds of the engine and of the page in a browser, and memory.

    python -m bench.evaluation [--rounds 3] [--json]

The store is made here: the rows of a small dataset are repeated, and the predictions are random around the labels. The
first view of a section computes what later views read. Content is drawn as in `bench.pages`. Needs Chromium.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from playwright.sync_api import sync_playwright

from bench.support import page_actions as actions
from bench.support.report import argument_parser, print_table
from fer_core.bundles.catalog import SHIPPED, SHIPPED_FOLDER
from fer_core.calibration import OperatingPoint
from fer_core.contract import CONTRACT_FILE, Contract
from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.duplicates.duplicates import pairs_version, write_pairs
from fer_core.data.ingest.import_folder import DATASET_MARKER, INDEX, PAIRS
from fer_core.evaluation.analysis.label_errors import find_label_errors
from fer_core.evaluation.analysis.paired_comparison import compare_on_same_images
from fer_core.evaluation.dataset_predictions import ALL_IMAGES, load_predictions
from fer_core.evaluation.html_report.document import ReportContext, build_html_report
from fer_core.evaluation.prediction_cache import PredictionKey, logit_table, write_predictions
from fer_core.evaluation.scores import score_with_intervals
from fer_core.jobs.store import JobStore
from fer_core.labels import Expression
from fer_core.settings import Settings
from tests.e2e.app_server import AppServer
from tests.e2e.conftest import FLAGS, chromium_path
from tests.support.sample_store import DATASET, RUN, fill_store

_IMAGES = 50_000
_TARGETS = {"bootstrap": 2.0, "first view": 3.0, "interaction": 1.0, "memory": 500.0}
_SECTIONS = ("Scores", "Classes", "Thresholds", "Calibration", "Slices", "Label errors", "Map", "Confusion matrix")
_LINK = f"/evaluation?model={SHIPPED}&dataset={DATASET}&split={ALL_IMAGES}"


def main() -> None:
    """Make the store, measure engine and page, and print the table."""
    parser = argument_parser(__doc__, rounds=3, rounds_help="how often everything is measured")
    arguments = parser.parse_args()
    values: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "store", offline=True, threads=1)
        fill_store(settings)
        with JobStore(settings) as jobs:  # no training beside the measurement
            jobs.request_cancel("waiting")
        dataset = _enlarge(settings)
        for _ in range(arguments.rounds):
            for kind, name, value in (*_measure_engine(dataset, settings), *_measure_page(settings)):
                values.setdefault((kind, name), []).append(value)
    rows = [_row(kind, name, measured) for (kind, name), measured in values.items()]
    print_table(f"{_IMAGES:,} predictions of 8 classes", rows, as_json=arguments.json)


def _enlarge(settings: Settings) -> StoredDataset:
    """Repeat the rows of the dataset as other images, and write predictions of them by two models."""
    folder = settings.datasets_dir / DATASET
    rng = np.random.default_rng(0)
    index = pd.read_parquet(folder / INDEX)
    repeated = index.iloc[np.arange(_IMAGES) % len(index)].reset_index(drop=True)
    repeated["id"] = [f"{name}#{number}" for number, name in enumerate(repeated["id"])]
    repeated["sha256"] = [f"{number:016x}" + "0" * 48 for number in range(1, _IMAGES + 1)]
    marker = json.loads((folder / DATASET_MARKER).read_text())
    dataset = open_dataset(DATASET, settings)
    pairs = dataset.pairs().head(0)  # the repeated images are all duplicates; an import would have found them
    repeated.to_parquet(folder / INDEX, index=False)
    write_pairs(pairs, folder / PAIRS, pairs_version(dataset.columns(), "enlarged"))
    (folder / DATASET_MARKER).write_text(json.dumps({**marker, "n": _IMAGES, "fingerprint": "enlarged"}))
    dataset = open_dataset(DATASET, settings)
    for model in (SHIPPED_FOLDER, settings.runs_dir / RUN):
        contract = Contract.load(model / CONTRACT_FILE)
        codes = pd.Categorical(repeated["label"], [str(label) for label in contract.labels]).codes
        logits = rng.normal(size=(_IMAGES, len(contract.labels))).astype(np.float32)
        known = np.flatnonzero(codes >= 0)
        logits[known, codes[known]] += 2.5
        path = PredictionKey.of(dataset.fingerprint, model).path(settings)
        write_predictions(logit_table(repeated["id"], logits, contract), path)
    return dataset


def _measure_engine(dataset: StoredDataset, settings: Settings) -> Iterator[tuple[str, str, float]]:
    seconds, predictions = _timed(lambda: load_predictions(SHIPPED_FOLDER, dataset, settings))
    yield "engine", "read predictions and labels", seconds
    seconds, images = _timed(lambda: predictions.evaluate(ALL_IMAGES, "majority", OperatingPoint.ACCURATE))
    yield "engine", "evaluate a split", seconds
    yield (
        "bootstrap",
        "nine scores, 1,000 resamples",
        _timed(lambda: score_with_intervals(images.labeled_predictions))[0],
    )
    yield "engine", "faces of a cell", _timed(lambda: images.cell(Expression.FEAR, Expression.SURPRISE))[0]
    yield "engine", "label errors", _timed(lambda: find_label_errors(images))[0]
    other = load_predictions(settings.runs_dir / RUN, dataset, settings)
    second = other.evaluate(ALL_IMAGES, "majority", OperatingPoint.ACCURATE)
    yield "engine", "compare two models", _timed(lambda: compare_on_same_images({"a": images, "b": second}))[0]
    context = ReportContext("Model", "Data", "50,000 images.")
    yield "engine", "report as HTML", _timed(lambda: build_html_report(context, images.report, images))[0]


def _measure_page(settings: Settings) -> Iterator[tuple[str, str, float]]:
    server = AppServer(settings.store, {})
    server.start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        context = browser.new_context(base_url=server.url, viewport={"width": 1400, "height": 900})
        context.add_init_script(actions.RECORD_CHANGES)
        page = context.new_page()
        yield "first view", "Evaluation, cold", actions.open_until_drawn(page, _LINK)
        for visit in ("first", "again"):
            for name in _SECTIONS:
                kind = "interaction" if visit == "again" else "first view"
                yield kind, f"{name}, {visit}", actions.click_until_drawn(actions.option(page, name))
        cells = page.locator('.ferscope-drawing [role="gridcell"]')
        for number in (1, 10):
            yield "interaction", f"cell {number} to its faces", actions.click_until_drawn(cells.nth(number))
        yield "interaction", "shares by column", actions.click_until_drawn(actions.option(page, "By column"))
        yield (
            "interaction",
            "similar classes together",
            actions.click_until_drawn(actions.option(page, "Similar together")),
        )
        yield "memory", "web process, MiB", actions.proportional_memory_mb(server.pid)
        browser.close()
    server.stop()


def _timed(run: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result


def _row(kind: str, name: str, measured: list[float]) -> dict[str, Any]:
    """Build a row: the median and the worst, against the target if there is one."""
    median, target = statistics.median(measured), _TARGETS.get(kind)
    return {
        "kind": kind,
        "measurement": name,
        "target": "" if target is None else target,
        "median": round(median, 2 if median < 100 else None),
        "worst": round(max(measured), 2 if max(measured) < 100 else None),
        "met": "" if target is None else "yes" if median < target else "no",
    }


if __name__ == "__main__":
    main()
