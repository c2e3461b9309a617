"""A small dataset with known faults: unreadable, blank, duplicate and leaking images."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import numpy as np

from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.manifest import Manifest
from fer_core.settings import Settings
from tests.support.sources import encode_png, png, write_folder

ID = "faulty"
CLEAN_IMAGES = 40
"""Number of images without a fault, each of another person, over three labels and all splits."""

UNREADABLE, BLANK = "train/anger/p50_a.png", "train/fear/p51_a.png"
TEST_COPY, TRAIN_COPY = "test/anger/p52_a.png", "train/fear/p53_a.png"
"""The same pixels in two splits, under different labels."""

DUPLICATES = ("train/happiness/p54_a.png", "train/happiness/p54_b.png")
"""The same pixels under one label in one split."""

SAME_PERSON = ("train/anger/p55_a.png", "valid/anger/p55_b.png")
"""One person in two splits."""

N = CLEAN_IMAGES + 8

_MANIFEST = Manifest(
    id=ID, title="Faulty", summary="", license="MIT", layout="folders", identity_pattern=r"^(p[0-9]+)_"
)


def faulty_files() -> dict[str, bytes]:
    """The dataset's files by name."""
    splits = cycle(["train"] * 7 + ["valid", "test", "test"])
    labels = cycle(["anger", "fear", "happiness"])
    clean = zip(range(CLEAN_IMAGES), splits, labels, strict=False)
    files = {f"{split}/{label}/p{number:02d}_a.png": png(number, 48, 48) for number, split, label in clean}
    return files | {
        UNREADABLE: b"no image",
        BLANK: encode_png(np.full((48, 48), 90, np.uint8)),
        TEST_COPY: png(100, 48, 48),
        TRAIN_COPY: png(100, 48, 48),
        DUPLICATES[0]: png(101, 48, 48),
        DUPLICATES[1]: png(101, 48, 48),
        SAME_PERSON[0]: png(102, 48, 48),
        SAME_PERSON[1]: png(103, 48, 48),
    }


def import_faulty(folder: Path, settings: Settings) -> StoredDataset:
    """Write the files and import them as `ID`."""
    return import_dataset(write_folder(folder, faulty_files()), settings, dataset_id=ID, manifest=_MANIFEST)
