"""A small dataset with known faults, for tests of what finds and corrects them, and a way to run commands on it."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import cv2
import numpy as np

from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.manifest import Manifest
from fer_core.settings import Settings
from tests.sources import gray, write_folder

ID = "faulty"
SOUND = 40
"""Images of as many people, without a fault, in turn of three labels and in turn of the parts."""

UNREADABLE, BLANK = "train/anger/p50_a.png", "train/fear/p51_a.png"
TESTED, COPY_IN_TRAINING = "test/anger/p52_a.png", "train/fear/p53_a.png"
"""The same pixels in two parts, under different labels."""

TWICE = ("train/happiness/p54_a.png", "train/happiness/p54_b.png")
"""The same pixels under one label in one part."""

PERSON = ("train/anger/p55_a.png", "valid/anger/p55_b.png")
"""One person in two parts."""

N = SOUND + 8

_MANIFEST = Manifest(
    id=ID, title="Faulty", summary="", license="MIT", layout="folders", identity_pattern=r"^(p[0-9]+)_"
)


def png(seed: int) -> bytes:
    """An image of 48x48 pixels unlike that of any other seed."""
    return _encoded(gray(seed, 48, 48))


def faulty_files() -> dict[str, bytes]:
    """The files of the dataset by name."""
    parts = cycle(["train"] * 7 + ["valid", "test", "test"])
    labels = cycle(["anger", "fear", "happiness"])
    sound = zip(range(SOUND), parts, labels, strict=False)
    files = {f"{part}/{label}/p{number:02d}_a.png": png(number) for number, part, label in sound}
    return files | {
        UNREADABLE: b"no image",
        BLANK: _encoded(np.full((48, 48), 90, np.uint8)),
        TESTED: png(100),
        COPY_IN_TRAINING: png(100),
        TWICE[0]: png(101),
        TWICE[1]: png(101),
        PERSON[0]: png(102),
        PERSON[1]: png(103),
    }


def import_faulty(folder: Path, settings: Settings) -> StoredDataset:
    """Write the files and import them as `ID`."""
    return import_dataset(write_folder(folder, faulty_files()), settings, dataset_id=ID, manifest=_MANIFEST)


def _encoded(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()
