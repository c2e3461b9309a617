"""The Datasets page on an index of a million rows: seconds for each action of the user.

The rows are random and share a few images. The page runs in AppTest, so that the server's time is measured.
"""

from __future__ import annotations

import io
import json
import logging
import os
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from streamlit.testing.v1 import AppTest

from bench.support.report import argument_parser, print_table
from fer_core.data.catalog import open_dataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.ingest.import_folder import DATASET_MARKER, INDEX, MANIFEST
from fer_core.data.manifest import builtin_manifests, dump_manifest
from fer_core.data.splits.split import SplitConfig
from fer_core.data.votes import OUTCOMES, VOTE_COLUMNS, Unlabeled, argmax_outcomes
from fer_core.labels import Expression
from fer_core.settings import Settings, settings
from fer_ui.datasets.split_choice import split_to_query
from fer_ui.navigation import Page

_ROWS = 1_000_000
_N_FILES = 512
_SIDE = 48
_VOTERS = 10
_EXCLUDED = 1_000
_DATASET = "million"
_APP = Path(__file__).resolve().parent.parent / "app.py"
_FIRST_VIEW = "first view"

UserAction = Callable[[AppTest], AppTest]


def main() -> None:
    """Make the store, open the page, run the actions and print the table."""
    arguments = argument_parser(__doc__).parse_args()
    logging.getLogger("streamlit").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FERSCOPE_HOME"], os.environ["FERSCOPE_OFFLINE"] = folder, "true"
        settings.cache_clear()
        _make_store(settings())
        rows = [*_face_rows(), *_classes_rows(), *_splits_rows()]
    slowest = max((row for row in rows if row["action"] != _FIRST_VIEW), key=lambda row: row["worst_s"])
    slowest_text = f"slowest: {slowest['action']} in {slowest['section']}, {slowest['worst_s']:.2f} s"
    print_table(f"The Datasets page on {_ROWS:,} rows; {slowest_text}", rows, as_json=arguments.json)


def _face_rows() -> list[dict[str, Any]]:
    labels = ["happiness", "contempt", "unlabeled", "all"]
    return _measure(
        "faces",
        {
            "filter by expression": [_select("label", value) for value in labels],
            "filter by split": [_select("split", value) for value in ("train", "valid", "test", "all")],
            "filter by mark": [_select("mark", value) for value in ("used", "excluded", "all")],
            "change the order": [_select("order", value) for value in ("1", "2", "all")],
            "search a name": [_search(text) for text in ("face00", "0077", "")],
            "next page": [_set_query_param("page", page) for page in ("2", "3", "4")],
        },
    )


def _classes_rows() -> list[dict[str, Any]]:
    return _measure(
        "classes",
        {
            "filter by split": [_select("split", value) for value in ("train", "valid", "test", "all")],
            "change the scale": [_choose("scale", value) for value in ("share", "log", "count")],
            "stack bars": [_choose("bars", value) for value in ("stacked", "grouped")],
        },
    )


def _splits_rows() -> list[dict[str, Any]]:
    seeds = [split_to_query(SplitConfig(kind="seeded", seed=seed)) for seed in (1, 2, 3)]
    return _measure(
        "splits",
        {
            "new seed": [_set_query_param("split_config", seed) for seed in seeds],
            "cached split": [_set_query_param("split_config", seed) for seed in (seeds[0], "published")],
        },
    )


def _measure(section: str, actions: dict[str, Sequence[UserAction]]) -> list[dict[str, Any]]:
    """Measure one section: its first view, then each kind of action."""
    app = AppTest.from_file(str(_APP), default_timeout=300).run()
    app.query_params["dataset"], app.query_params["section"] = _DATASET, section
    started = time.perf_counter()
    app = app.switch_page(f"pages/{Page.DATASETS}/page.py").run()
    rows = [_row(section, _FIRST_VIEW, [time.perf_counter() - started])]
    for action_name, repeats in actions.items():
        seconds = []
        for action in repeats:
            started = time.perf_counter()
            app = action(app)
            seconds.append(time.perf_counter() - started)
            if app.exception or app.error:
                raise RuntimeError(f"The page failed after {action_name}: {[*app.exception, *app.error]}")
        rows.append(_row(section, action_name, seconds))
    first = rows[0]["median_s"]
    return [{**row, "ratio": round(first / row["median_s"], 1)} for row in rows]


def _row(section: str, action_name: str, seconds: Sequence[float]) -> dict[str, Any]:
    return {
        "section": section,
        "action": action_name,
        "n": len(seconds),
        "median_s": round(statistics.median(seconds), 3),
        "worst_s": round(max(seconds), 3),
    }


def _select(key: str, value: str) -> UserAction:
    return lambda app: app.selectbox(key=key).set_value(value).run()


def _choose(key: str, value: str) -> UserAction:
    return lambda app: app.segmented_control(key=key).set_value(value).run()


def _search(text: str) -> UserAction:
    return lambda app: app.text_input(key="find").set_value(text).run()


def _set_query_param(name: str, value: str) -> UserAction:
    def action(app: AppTest) -> AppTest:
        app.query_params[name] = value
        return app.run()

    return action


def _make_store(store: Settings) -> None:
    folder = store.datasets_dir / _DATASET
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    names = [f"faces/face{number:06d}.png" for number in range(_N_FILES)]
    with zipfile.ZipFile(folder / "source.zip", "w") as archive:
        for name in names:
            archive.writestr(name, _png(rng))
    _index(names, rng).to_parquet(folder / INDEX, index=False, compression="zstd", row_group_size=32_768)
    manifest = builtin_manifests()["ferplus"].model_copy(update={"id": _DATASET, "title": "A million faces"})
    (folder / MANIFEST).write_text(dump_manifest(manifest))
    marker = {"source": "source.zip", "n": _ROWS, "fingerprint": "bench", "created": "2026-01-01T00:00:00+00:00"}
    (folder / DATASET_MARKER).write_text(json.dumps(marker))
    dataset = open_dataset(_DATASET, store)
    dataset.corrections().mark(Action.EXCLUDE, dataset.raw_index(["id"])["id"].iloc[:_EXCLUDED], "bench")


def _png(rng: np.random.Generator) -> bytes:
    content = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (_SIDE, _SIDE), np.uint8)).save(content, "PNG")
    return content.getvalue()


def _index(names: Sequence[str], rng: np.random.Generator) -> pd.DataFrame:
    """Build a million rows with ten votes each and the class shares of FER+; every file has many rows."""
    published = builtin_manifests()["ferplus"].published
    assert published is not None
    counts = np.array([published.splits["train"][expression] for expression in Expression], float)
    truth = rng.choice(len(Expression), _ROWS, p=counts / counts.sum())
    votes = np.zeros((_ROWS, len(VOTE_COLUMNS)), np.int16)
    for _ in range(_VOTERS):
        voted = np.where(rng.random(_ROWS) < 0.75, truth, rng.integers(0, len(VOTE_COLUMNS), _ROWS))
        votes[np.arange(_ROWS), voted] += 1
    outcomes = np.array([str(outcome) for outcome in OUTCOMES], object)[argmax_outcomes(votes)]
    is_unlabeled = np.isin(outcomes, [str(reason) for reason in Unlabeled])
    files = np.array(names, object)[rng.integers(0, len(names), _ROWS)]
    return pd.DataFrame(
        {
            "id": [f"{name}#{number}" for number, name in enumerate(files)],
            "path": files,
            "split": rng.choice(np.array(["train", "valid", "test"], object), _ROWS, p=[0.8, 0.1, 0.1]),
            "label": np.where(is_unlabeled, None, outcomes),
            "raw_label": outcomes,
            "unlabeled": np.where(is_unlabeled, outcomes, ""),
            "identity": np.array([f"person{number:05d}" for number in range(50_000)], object)[
                rng.integers(0, 50_000, _ROWS)
            ],
            **dict(zip(VOTE_COLUMNS, votes.T, strict=True)),
            "width": np.int32(_SIDE),
            "height": np.int32(_SIDE),
            "channels": np.int32(1),
            "bytes": rng.integers(1_000, 3_000, _ROWS),
            "sha256": [f"{number:064x}" for number in range(_ROWS)],
            "phash": rng.integers(-(2**63), 2**63 - 1, _ROWS),
            **{
                name: rng.random(_ROWS, np.float32)
                for name in ("brightness", "contrast", "sharpness", "dark_01", "bright_01")
            },
            "problem": "",
        }
    )


if __name__ == "__main__":
    main()
