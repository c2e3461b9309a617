"""Import a state dict as a model; its tensors or a preset tell the network. Loads torch, so only for commands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.bundles.bundle import CONFIG_FILE, MODEL_FILE, REPORT_FILE, WEIGHTS_FILE, Bundle, BundleInfo
from fer_core.bundles.catalog import ModelEntry, unique_title
from fer_core.bundles.export_bundle import finish_bundle, golden_faces
from fer_core.bundles.import_bundle import check_id_is_free, install_model, staging_folder
from fer_core.bundles.output_order import parse_order, reorder_outputs
from fer_core.bundles.reports import read_report
from fer_core.bundles.verification import check_parity, check_verified
from fer_core.calibration import CALIBRATION_FILE, Calibration
from fer_core.contract import CONTRACT_FILE, Contract
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
from fer_core.labels import LABEL_SETS, label_set
from fer_core.models.catalog import model_info
from fer_core.models.network_guess import guess_network
from fer_core.models.tensor_shapes import read_shapes
from fer_core.progress import Progress, no_progress
from fer_core.settings import Settings
from fer_core.text import join_words
from fer_core.training.config.model import ModelConfig
from fer_core.training.config.train_config import TrainConfig, dump_config, load_config, preset_paths

if TYPE_CHECKING:
    from torch import nn

    from fer_core.models.weights_file import Rename

UNKNOWN_LICENSE = "unknown (imported weights)"
UNKNOWN_DATA = "unknown"


@dataclass(frozen=True, slots=True)
class WeightsImportOptions:
    """Options of an import.

    Attributes:
        preset: defines network, labels and contract; "" to guess them from the tensors.
        network: in place of the guessed one, without a preset.
        labels: the label set in place of that of as many classes, without a preset.
        outputs: the order of the network's outputs, see `parse_order`.
        model_id: by default the file's name.
        title: by default the titles of network and file.
        data: a dataset in the store for calibration and evaluation.
        split: for the calibration; the test split is for evaluation.
    """

    preset: str = ""
    network: str = ""
    labels: str = ""
    outputs: str = ""
    model_id: str = ""
    title: str = ""
    license: str = UNKNOWN_LICENSE
    data: str = ""
    split: str = str(Split.VALID)


def import_weights(
    path: Path, options: WeightsImportOptions, settings: Settings, progress: Progress = no_progress
) -> ModelEntry:
    """Build the network, load the weights, export it and install it as a model.

    Raises:
        InputError: preset, dataset or split does not exist, no network fits the weights, the order of the outputs is
            invalid, or the id is taken.
        FerscopeError: the ONNX export differs from the network.
    """
    path = path.expanduser()
    config, rename = _preset_config(options.preset) if options.preset else _guessed_config(path, options)
    model_id = check_id_is_free(options.model_id or slug(path.stem), settings)
    labels = label_set(config.labels)
    order = parse_order(options.outputs, labels)
    contract = model_info(config.model.name).contract(labels, config.model.size_px)
    rows = _CalibrationData.load(options, settings) if options.data else None
    progress(0.0, f"Loading {path.name}")
    from fer_core.models.registry import parameter_count
    from fer_core.training.network import load_network

    network = load_network(config, contract, path, lambda state: reorder_outputs(rename(state), order, labels))
    with staging_folder(settings) as staging:
        folder = staging / model_id
        folder.mkdir()
        check_faces = _export_check_faces(contract, rows, settings)
        _write_network(folder, network, contract, config, check_faces)
        progress(0.2, "Exported and checked against PyTorch")
        if rows is not None:
            _evaluate(folder, contract, rows, settings, progress)
        info = BundleInfo.from_config(
            config,
            parameters=parameter_count(network),
            id=model_id,
            title=unique_title(options.title or f"{config.title or config.model.name}, from {path.name}", settings),
            license=options.license,
            origin="weights",
            metrics=_headline_metrics(folder, rows),
        )
        info = finish_bundle(folder, info)
        check_verified(path.name, check_parity(folder), "it was not imported")
        return install_model(folder, info, settings)


@dataclass(frozen=True, slots=True)
class _CalibrationData:
    """The rows of a dataset for the calibration, its class priors, and the evaluation."""

    dataset: StoredDataset
    calibration_rows: pd.DataFrame
    test_rows: pd.DataFrame
    prior_rows: pd.DataFrame
    split: Split

    @classmethod
    def load(cls, options: WeightsImportOptions, settings: Settings) -> _CalibrationData:
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
            known = ", ".join(str(split) for split, rows in by_split.items() if len(rows)) or "none"
            raise InputError(f"The dataset {dataset.id} has no labeled split {str(split)!r}. It has: {known}.")
        train = by_split[Split.TRAIN] if by_split[Split.TRAIN]["label"].notna().any() else by_split[split]
        return cls(dataset, by_split[split], by_split[Split.TEST], train, split)


def _guessed_config(path: Path, options: WeightsImportOptions) -> tuple[TrainConfig, Rename]:
    """The config of the network that the tensors fit, and how they are to be renamed."""
    if not path.is_file():
        raise InputError(f"There is no file {path} to take weights from.")
    with path.open("rb") as content:
        guess = guess_network(path.name, read_shapes(path.name, content))
    info = model_info(options.network or guess.network)
    labels = options.labels or guess.label_set
    if not labels:
        known = join_words([str(len(each)) for each in LABEL_SETS.values()], "or")
        raise InputError(
            f"{path.name} is a {info.title} with {guess.classes:,} outputs, but a model has {known} expressions. Give "
            "weights that were trained on expressions."
        )
    model = ModelConfig(name=info.name, **guess.options_of(info.name))
    return TrainConfig(dataset=UNKNOWN_DATA, labels=labels, model=model, title=info.title), guess.rename


def _preset_config(preset: str) -> tuple[TrainConfig, Rename]:
    """The config of a preset's network; the weights keep their names."""
    known = preset_paths()
    if preset not in known:
        raise BundleError(f"There is no preset {preset!r}. Choose one of: {', '.join(known)}.")
    # The training is unknown, so only the network's config is kept.
    config = load_config(known[preset])
    network = TrainConfig(
        dataset=UNKNOWN_DATA,
        labels=config.labels,
        model=config.model,
        flip_tta=config.flip_tta,
        title=config.title,
    )
    return network, dict


def _export_check_faces(contract: Contract, rows: _CalibrationData | None, settings: Settings) -> NDArray[np.float32]:
    """Load faces to check the export with; synthetic ones without data."""
    if rows is None:
        return contract.apply_batch(list(golden_faces().values()))
    from fer_core.models.onnx_export import CHECK_FACES_MAX

    with rows.dataset.source(settings) as source:
        images = iter_images(source, get_face_refs(rows.calibration_rows.head(CHECK_FACES_MAX)))
        faces = [pixels for pixels in images if pixels is not None]
    return contract.apply_batch(faces)


def _write_network(
    folder: Path, network: nn.Module, contract: Contract, config: TrainConfig, check_faces: NDArray[np.float32]
) -> None:
    """Write the files that depend only on the weights."""
    from safetensors.torch import save

    from fer_core.models.onnx_export import export_onnx

    write_bytes(
        folder / WEIGHTS_FILE, save({name: weight.contiguous() for name, weight in network.state_dict().items()})
    )
    write_bytes(folder / MODEL_FILE, export_onnx(network, contract, check_faces))
    contract.save(folder / CONTRACT_FILE)
    Calibration.identity(contract.labels).save(folder / CALIBRATION_FILE)
    write_text(folder / CONFIG_FILE, dump_config(config))


def _evaluate(folder: Path, contract: Contract, rows: _CalibrationData, settings: Settings, progress: Progress) -> None:
    """Fit the calibration on one split, and write the report on it and the test split."""
    bundle, labels = Bundle.open(folder), contract.label_set
    with rows.dataset.source(settings) as source:
        progress(0.25, f"Predicting {len(rows.calibration_rows):,} faces to calibrate with")
        tables = {str(rows.split): predict_dataset(bundle, rows.calibration_rows, source)}
        if rows.test_rows["label"].notna().any():
            progress(0.6, f"Predicting {len(rows.test_rows):,} faces of the test split")
            tables[str(Split.TEST)] = predict_dataset(bundle, rows.test_rows, source)
    calibration = fit_calibration_to_table(tables[str(rows.split)], labels, _class_shares(rows.prior_rows, contract))
    calibration.save(folder / CALIBRATION_FILE)
    fitted = np.full(len(rows.calibration_rows), str(Split.VALID))
    TrainingImages.from_split(rows.calibration_rows["sha256"], fitted, complete=False).save(
        folder / TRAINING_IMAGES_FILE
    )
    reports = {split: build_reports(table, calibration, labels) for split, table in tables.items()}
    write_reports(folder / REPORT_FILE, reports)


def _class_shares(rows: pd.DataFrame, contract: Contract) -> NDArray[np.float64]:
    """Compute each class's share of the labeled rows; float64, shape (classes,)."""
    counts = rows["label"].astype("string").value_counts()
    totals = np.array([float(counts.get(str(label), 0)) for label in contract.labels])
    return totals / max(1.0, totals.sum())


def _headline_metrics(folder: Path, rows: _CalibrationData | None) -> dict[str, object]:
    if rows is None:
        return {}
    evaluated_on = {"dataset": rows.dataset.id, "synthetic": rows.dataset.manifest.synthetic}
    return {**evaluated_on, **headline_metrics(read_report(folder))}
