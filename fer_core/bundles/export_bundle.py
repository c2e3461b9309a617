"""Export a model as a bundle, a folder or one file: its files, golden faces, hashes and a card."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from fer_core.bundles.archive import is_bundle_file, write_bundle_file
from fer_core.bundles.bundle import CONFIG_FILE, INT8_FILE, MODEL_FILE, REPORT_FILE, WEIGHTS_FILE, Bundle, BundleInfo
from fer_core.bundles.card.model_card import write_card
from fer_core.bundles.catalog import ModelEntry
from fer_core.bundles.quantization_report import INT8_REPORT_FILE
from fer_core.bundles.reports import EVALUATIONS_FOLDER
from fer_core.bundles.verification import GOLDEN_FOLDER, check_verified, file_hashes, verify_bundle, write_golden
from fer_core.calibration import CALIBRATION_FILE, Calibration
from fer_core.contract import CONTRACT_FILE, Contract
from fer_core.data.record import Split
from fer_core.data.synthetic.face import draw_face
from fer_core.data.synthetic.identities import Identity
from fer_core.data.training_images import TRAINING_IMAGES_FILE
from fer_core.errors import BundleError
from fer_core.evaluation.report import build_reports
from fer_core.evaluation.report_schema import write_reports
from fer_core.evaluation.robustness_report import ROBUSTNESS_FILE
from fer_core.faces import RgbImage
from fer_core.files.atomic import atomic_folder
from fer_core.labels import Expression
from fer_core.runs.training_images import load_training_images
from fer_core.settings import settings

_FILES = (MODEL_FILE, CONTRACT_FILE, CALIBRATION_FILE)
_OPTIONAL = (WEIGHTS_FILE, CONFIG_FILE, REPORT_FILE, ROBUSTNESS_FILE, INT8_FILE, INT8_REPORT_FILE)
_OPTIONAL_FOLDERS = (GOLDEN_FOLDER, EVALUATIONS_FOLDER)
_GOLDEN_SIZE_PX = 96
_GOLDEN_SEED = 7


def export_bundle(entry: ModelEntry, target: Path) -> Path:
    """Export a bundle: one file where the path ends in .zip, else a folder. The same model gives the same bytes.

    Existing golden faces are kept.

    Raises:
        BundleError: `target` exists, or the model can't be opened or fails its verification.
    """
    target = target.expanduser().absolute()
    if target.exists():
        raise BundleError(f"{target} exists already. Choose another path, or delete it.")
    Bundle.open(entry.folder)
    if entry.info.files:  # changed files do not get new hashes
        check_verified(entry.id, verify_bundle(entry.folder), "it was not exported")
    if not is_bundle_file(target):
        with atomic_folder(target) as new:
            _write(entry, new)
        return target
    with TemporaryDirectory(prefix="ferscope-export-") as temporary:
        folder = Path(temporary) / entry.folder.name
        folder.mkdir()
        _write(entry, folder)
        write_bundle_file(folder, target)
    return target


def finish_bundle(folder: Path, info: BundleInfo) -> BundleInfo:
    """Add golden faces if there are none, the card, and the file hashes to a bundle.

    Returns:
        `info` with the hashes.
    """
    info = info.model_copy(update={"files": {}})
    info.save_in(folder)
    if not (folder / GOLDEN_FOLDER).is_dir():
        write_golden(folder, golden_faces())
    write_card(folder, info)
    info = info.model_copy(update={"files": file_hashes(folder)})
    info.save_in(folder)
    return info


def golden_faces() -> dict[str, RgbImage]:
    """Generate a synthetic face for each expression, always the same; uint8, shape (S, S, 3), RGB."""
    rng = np.random.default_rng(_GOLDEN_SEED)
    identity = Identity.sample(rng)
    return {str(e): draw_face(e, identity, rng, _GOLDEN_SIZE_PX) for e in Expression}


def _refresh_report(source: Path, folder: Path) -> None:
    """Rebuild the report if a run still has its predictions, as reports of earlier versions have less."""
    contract = Contract.load(source / CONTRACT_FILE)
    calibration = Calibration.load(source / CALIBRATION_FILE, contract.labels)
    tables = {split: source / f"predictions-{split}.parquet" for split in (Split.VALID, Split.TEST)}
    reports = {
        str(split): build_reports(pd.read_parquet(path), calibration, contract.label_set)
        for split, path in tables.items()
        if path.is_file()
    }
    if reports:
        write_reports(folder / REPORT_FILE, reports)


def _write(entry: ModelEntry, folder: Path) -> None:
    for name in (*_FILES, *(name for name in _OPTIONAL if (entry.folder / name).is_file())):
        shutil.copyfile(entry.folder / name, folder / name)
    _refresh_report(entry.folder, folder)
    if images := load_training_images(entry.folder, settings()):
        images.save(folder / TRAINING_IMAGES_FILE)
    for name in _OPTIONAL_FOLDERS:
        if (entry.folder / name).is_dir():
            shutil.copytree(entry.folder / name, folder / name)
    finish_bundle(folder, entry.info)
