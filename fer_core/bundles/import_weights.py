"""Import a bare state dict as a model: a preset says which network it is. For commands: it loads torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.bundles.bundle import (
    CALIBRATION_FILE,
    CONFIG_FILE,
    CONTRACT_FILE,
    MODEL_FILE,
    REPORT_FILE,
    WEIGHTS_FILE,
    Bundle,
    BundleInfo,
)
from fer_core.bundles.catalog import ModelEntry
from fer_core.bundles.export_bundle import finish_bundle, golden_faces
from fer_core.bundles.import_bundle import check_id_is_free, install_model, staging_folder
from fer_core.bundles.reports import read_report
from fer_core.bundles.verification import check_parity, check_verified
from fer_core.calibration import Calibration
from fer_core.contract import Contract
from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.duplicates.groups import find_groups
from fer_core.data.index.images import get_face_refs, iter_images
from fer_core.data.record import Split
from fer_core.data.splits.split import SplitConfig, make_split
from fer_core.data.training_images import TRAINING_IMAGES_FILE, TrainingImages
from fer_core.errors import BundleError, InputError
from fer_core.evaluation.predict_dataset import predict_dataset
from fer_core.evaluation.report import build_reports, headline_metrics
from fer_core.evaluation.report_schema import write_reports
from fer_core.evaluation.temperature_scaling import fit_calibration_to_table
from fer_core.files.atomic import write_bytes, write_text
from fer_core.ids import slug
from fer_core.labels import label_set
from fer_core.models.catalog import model_info
from fer_core.progress import Progress, no_progress
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig, dump_config, load_config, preset_paths

if TYPE_CHECKING:
    from torch import nn

UNKNOWN_LICENSE = "unknown: weights were given as a file"
UNKNOWN_DATA = "unknown"


@dataclass(frozen=True, slots=True)
class WeightsImportOptions:
    """What to know about a file of weights.

    Attributes:
        preset: gives the network, the labels and the contract.
        model_id: what to call the model; by default the file's name.
        title: by default that of the preset and the file's name.
        data: a dataset in the store for calibration and evaluation; none by default.
        split: the split that the calibration is fitted on; the test split is for evaluation.
    """

    preset: str
    model_id: str = ""
    title: str = ""
    license: str = UNKNOWN_LICENSE
    data: str = ""
    split: str = str(Split.VALID)


def import_weights(
    path: Path, options: WeightsImportOptions, settings: Settings, progress: Progress = no_progress
) -> ModelEntry:
    """Build the preset's network, load the weights, export it and install it as a model.

    Raises:
        InputError: no such preset, dataset or split; the file is not of the preset's network; or the id is taken.
        FerscopeError: the ONNX export does not compute what the network does.
    """
    path = path.expanduser()
    config = _config_of(options.preset)
    model_id = check_id_is_free(options.model_id or slug(path.stem), settings)
    contract = model_info(config.model.name).contract(label_set(config.labels), config.model.size_px)
    rows = _CalibrationData.of(options, settings) if options.data else None
    progress(0.0, f"Loading {path.name}")
    from fer_core.models.registry import parameter_count
    from fer_core.training.network import load_network

    network = load_network(config, contract, path)
    with staging_folder(settings) as place:
        folder = place / model_id
        folder.mkdir()
        probe = _probe(contract, rows, settings)
        _write_network(folder, network, contract, config, probe)
        progress(0.2, "Exported and checked against PyTorch")
        if rows is not None:
            _evaluate(folder, contract, rows, settings, progress)
        info = BundleInfo.from_config(
            config,
            parameters=parameter_count(network),
            id=model_id,
            title=options.title or f"{config.title or config.model.name}, from {path.name}",
            license=options.license,
            origin="weights",
            metrics=_headline_metrics(folder, rows),
        )
        info = finish_bundle(folder, info)
        check_verified(path.name, check_parity(folder), "it was not imported")
        return install_model(folder, info, settings)


@dataclass(frozen=True, slots=True)
class _CalibrationData:
    """The rows of a dataset for fitting the calibration, and those for evaluation."""

    dataset: StoredDataset
    fitted: pd.DataFrame
    test: pd.DataFrame
    shares_from: pd.DataFrame
    split: Split

    @classmethod
    def of(cls, options: WeightsImportOptions, settings: Settings) -> _CalibrationData:
        split = Split.parse(options.split)
        if split is Split.TEST:
            raise InputError(
                "--split test would fit the calibration on the images of the evaluation. Choose valid or train."
            )
        dataset = open_dataset(options.data, settings)
        index = dataset.index()
        splits = make_split(index, SplitConfig(), find_groups(index, dataset.pairs()))
        by_split = {split: index[(splits == str(split)).to_numpy(bool)] for split in Split}
        if by_split[split]["label"].notna().sum() == 0:
            there = ", ".join(str(split) for split, found in by_split.items() if len(found)) or "none"
            raise InputError(f"The dataset {dataset.id} has no labeled split {str(split)!r}. It has: {there}.")
        train = by_split[Split.TRAIN] if by_split[Split.TRAIN]["label"].notna().any() else by_split[split]
        return cls(dataset, by_split[split], by_split[Split.TEST], train, split)


def _config_of(preset: str) -> TrainConfig:
    known = preset_paths()
    if preset not in known:
        raise BundleError(f"There is no preset {preset!r}. Choose one of: {', '.join(known)}.")
    # How the weights came about is not known; what is kept of the preset is which network it is.
    config = load_config(known[preset])
    return TrainConfig(
        dataset=UNKNOWN_DATA,
        labels=config.labels,
        model=config.model,
        flip_tta=config.flip_tta,
        title=config.title,
    )


def _probe(contract: Contract, rows: _CalibrationData | None, settings: Settings) -> NDArray[np.float32]:
    """Faces to check the export with: real ones where there is data, else synthetic ones."""
    if rows is None:
        return contract.apply_batch(list(golden_faces().values()))
    from fer_core.models.onnx_export import CHECK_FACES_MAX

    with rows.dataset.source(settings) as source:
        found = iter_images(source, get_face_refs(rows.fitted.head(CHECK_FACES_MAX)))
        faces = [pixels for pixels in found if pixels is not None]
    return contract.apply_batch(faces)


def _write_network(
    folder: Path, network: nn.Module, contract: Contract, config: TrainConfig, probe: NDArray[np.float32]
) -> None:
    """Everything of a bundle that comes from the weights alone."""
    from safetensors.torch import save

    from fer_core.models.onnx_export import export_onnx

    write_bytes(
        folder / WEIGHTS_FILE, save({name: weight.contiguous() for name, weight in network.state_dict().items()})
    )
    write_bytes(folder / MODEL_FILE, export_onnx(network, contract, probe))
    contract.save(folder / CONTRACT_FILE)
    Calibration.identity(contract.labels).save(folder / CALIBRATION_FILE)
    write_text(folder / CONFIG_FILE, dump_config(config))


def _evaluate(folder: Path, contract: Contract, rows: _CalibrationData, settings: Settings, progress: Progress) -> None:
    """Fit the calibration on one split and write the report on it and on the test split."""
    bundle, labels = Bundle.open(folder), contract.label_set
    with rows.dataset.source(settings) as source:
        progress(0.25, f"Reading {len(rows.fitted):,} faces to calibrate with")
        tables = {str(rows.split): predict_dataset(bundle, rows.fitted, source)}
        if rows.test["label"].notna().any():
            progress(0.6, f"Reading {len(rows.test):,} faces of the test split")
            tables[str(Split.TEST)] = predict_dataset(bundle, rows.test, source)
    calibration = fit_calibration_to_table(tables[str(rows.split)], labels, _shares(rows.shares_from, contract))
    calibration.save(folder / CALIBRATION_FILE)
    fitted = np.full(len(rows.fitted), str(Split.VALID))
    TrainingImages.from_split(rows.fitted["sha256"], fitted, complete=False).save(folder / TRAINING_IMAGES_FILE)
    reports = {split: build_reports(table, calibration, labels) for split, table in tables.items()}
    write_reports(folder / REPORT_FILE, reports)


def _shares(rows: pd.DataFrame, contract: Contract) -> NDArray[np.float64]:
    """Each expression's share of the labeled rows; float64, shape (classes,)."""
    counts = rows["label"].astype("string").value_counts()
    numbers = np.array([float(counts.get(str(label), 0)) for label in contract.labels])
    return numbers / max(1.0, numbers.sum())


def _headline_metrics(folder: Path, rows: _CalibrationData | None) -> dict[str, object]:
    if rows is None:
        return {}
    evaluated_on = {"dataset": rows.dataset.id, "synthetic": rows.dataset.manifest.synthetic}
    return {**evaluated_on, **headline_metrics(read_report(folder))}
