"""A dataset without labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fer_core.data.catalog import import_dataset
from fer_core.data.manifest import Manifest
from fer_core.settings import Settings
from tests.support.sources import encode_png

DATASET = "unlabeled"
TOTAL = 12

_MANIFEST = Manifest(
    id=DATASET,
    title="Faces without labels",
    summary="A few images.",
    license="none needed",
    layout="folders",
    labels={"faces": None},
)


def import_unlabeled(folder: Path, settings: Settings) -> None:
    """Import gray images from a folder whose name is mapped to no label."""
    (folder / "train" / "faces").mkdir(parents=True)
    for number in range(TOTAL):
        image = np.full((12, 12), 20 * number, np.uint8)
        image[number, :] = 255
        (folder / "train" / "faces" / f"{number:03d}.png").write_bytes(encode_png(image))
    import_dataset(folder, settings, dataset_id=DATASET, manifest=_MANIFEST)
