"""A dataset of a few tiny images, and helpers that run a view without the app."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from streamlit.testing.v1 import AppTest

from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.manifest import Manifest, PublishedCounts
from fer_core.labels import Expression
from fer_core.settings import Settings

DATASET = "small"
TRAIN = {"neutral": 40, "happiness": 20, "fear": 2}
TEST = {"neutral": 6, "happiness": 4, "fear": 1}
IGNORED = 3
TOTAL = sum(TRAIN.values()) + sum(TEST.values()) + IGNORED
BROKEN = "train/happiness/019.png"

MANIFEST = Manifest(
    id=DATASET,
    title="Small set",
    summary="A few images.",
    license="none needed",
    layout="folders",
    labels={"other": None},
    published=PublishedCounts(
        source="made up",
        splits={split: {Expression(name): number for name, number in TRAIN.items()} for split in ("train",)}
        | {"test": {Expression(name): number for name, number in (TEST | {"fear": 4}).items()}},
    ),
)


def import_small(folder: Path, settings: Settings, dataset_id: str = DATASET) -> StoredDataset:
    """Import 12 px images of different gray levels, one of them broken and some with an ignored label."""
    level = 0
    for split, counts in (("train", {**TRAIN, "other": IGNORED}), ("test", TEST)):
        for name, number in counts.items():
            (folder / split / name).mkdir(parents=True)
            for file_number in range(number):
                level += 1
                path = folder / split / name / f"{file_number:03d}.png"
                path.write_bytes(cv2.imencode(".png", np.full((12, 12), level, np.uint8))[1].tobytes())
    (folder / BROKEN).write_bytes(b"no picture")
    return import_dataset(folder, settings, dataset_id=dataset_id, manifest=MANIFEST, allow_partial=True)


def open_view(view: Callable[[], None], **query: str) -> AppTest:
    """Run a view with query parameters. AppTest runs only the source, so views import what they need."""
    app = AppTest.from_function(view, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()
