"""Write a model as a bundle of its own: its files, golden faces, hashes and a card."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from fer_core.atomic import atomic_folder, write_text
from fer_core.data.synthetic import Identity, draw_face
from fer_core.errors import BundleError
from fer_core.faces import RgbImage
from fer_core.inference.bundle import CALIBRATION_FILE, CONTRACT_FILE, MODEL_FILE
from fer_core.inference.card import model_card
from fer_core.inference.catalog import ModelEntry
from fer_core.inference.golden import file_hashes, write_golden
from fer_core.labels import Expression

_FILES = (MODEL_FILE, CONTRACT_FILE, CALIBRATION_FILE)
_OPTIONAL = ("weights.safetensors", "report.json", "config.yaml")
_GOLDEN_SIZE_PX = 96
_GOLDEN_SEED = 7


def export_bundle(entry: ModelEntry, folder: Path) -> Path:
    """Write a bundle.

    Raises:
        BundleError: there is something at `folder` already.
    """
    folder = folder.expanduser().absolute()
    if folder.exists():
        raise BundleError(f"There is something at {folder} already. Choose another folder, or delete that one.")
    with atomic_folder(folder) as made:
        for name in _FILES:
            shutil.copyfile(entry.folder / name, made / name)
        for name in _OPTIONAL:
            if (entry.folder / name).is_file():
                shutil.copyfile(entry.folder / name, made / name)
        about = entry.about.model_copy(update={"files": {}})
        about.save(made)
        write_golden(made, golden_faces())
        write_text(made / "card.md", model_card(about, made / "report.json"))
        about.model_copy(update={"files": file_hashes(made)}).save(made)
    return folder


def golden_faces() -> dict[str, RgbImage]:
    """A drawn face for each expression, always the same; uint8, shape (S, S, 3), RGB."""
    rng = np.random.default_rng(_GOLDEN_SEED)
    identity = Identity.sample(rng)
    return {str(e): draw_face(e, identity, rng, _GOLDEN_SIZE_PX) for e in Expression}
