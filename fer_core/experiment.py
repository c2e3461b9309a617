"""Run an experiment from config to finished run folder: split, pack, train, calibrate, evaluate, export."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from fer_core.bundles.bundle import BundleInfo
from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.duplicates.groups import find_groups
from fer_core.data.packing.extra_datasets import TrainingData, add_extra_datasets, data_versions
from fer_core.data.packing.pack import open_dataset_images
from fer_core.data.record import Split
from fer_core.data.splits.split import EXCLUDED, keep_split, make_split
from fer_core.data.training_images import TRAINING_IMAGES_FILE, TrainingImages, truncate_hashes
from fer_core.errors import DatasetError
from fer_core.evaluation.predictions import prediction_table
from fer_core.evaluation.report import build_reports, headline_metrics
from fer_core.evaluation.report_schema import write_reports
from fer_core.evaluation.temperature_scaling import fit_calibration_to_table
from fer_core.files.atomic import write_json
from fer_core.labels import label_set
from fer_core.models.catalog import model_info
from fer_core.models.flops import multiply_adds
from fer_core.models.onnx_export import CHECK_FACES_MAX, export_onnx
from fer_core.models.registry import parameter_count, trainable_parameter_count
from fer_core.progress import Progress, no_progress, scale_progress
from fer_core.runs.facts import FACTS_FILE, RunFacts
from fer_core.runs.folder import Run, RunState, open_run, training_lock
from fer_core.runs.title import run_title
from fer_core.settings import Settings
from fer_core.system.allocator import has_malloc_settings
from fer_core.system.processor import processor
from fer_core.text import join_words
from fer_core.training.checkpoint import environment
from fer_core.training.config.train_config import TrainConfig, dump_config, parse_config, read_yaml
from fer_core.training.data_loader import build_training_set
from fer_core.training.distillation.teachers import TeacherEnsemble
from fer_core.training.leakage import assert_initial_weights_disjoint, collect_training_images
from fer_core.training.precision import ResolvedPrecision, resolve_precision
from fer_core.training.trackers import build_trackers
from fer_core.training.train_step import get_device
from fer_core.training.trainer import Trainer

_PACK_SHARE_01 = 0.03
_TRAIN_SHARE_01 = 0.95


def run_experiment(run: Run, settings: Settings, *, resume: bool = False, progress: Progress = no_progress) -> Run:
    """Train, evaluate and export a run as its config says; does nothing if it is finished.

    Raises:
        InputError: the config, the dataset or the run folder can't be used.
        CancelledError: `progress` asked to stop; the last finished epoch is kept for resuming.
    """
    with training_lock(run):
        if run.state is not RunState.FINISHED:
            _train_and_evaluate(run, settings, progress, resume=resume)
    return run


def _train_and_evaluate(run: Run, settings: Settings, progress: Progress, *, resume: bool) -> None:
    config = parse_config(read_yaml(run.path("config.yaml")), f"config.yaml of {run.id}")
    config, precision = _resolve_precision(run, config)
    dataset = open_dataset(config.dataset, settings)
    extra = [open_dataset(each, settings) for each in config.extra_datasets]
    torch.set_num_threads(settings.threads or os.cpu_count() or 1)
    contract = model_info(config.model.name).contract(label_set(config.labels), config.model.size_px)
    contract.save(run.path("contract.json"))
    version = _data_version(run, dataset, extra, config)
    index = dataset.index(version=version.corrections)
    splits = _load_or_make_split(run, index, config, dataset, settings)

    packing_progress = scale_progress(progress, 0, _PACK_SHARE_01)
    own_images = open_dataset_images(dataset, contract, settings, packing_progress)
    joined = add_extra_datasets(TrainingData(index, splits, own_images), extra, contract, settings)
    index, splits = joined.index, joined.splits
    with joined.images as images:
        data = build_training_set(index, splits, images, config, contract.label_set)
        trackers = build_trackers(run, config.model_dump(mode="json"))
        held_out = index[["id", "sha256"]].assign(split=splits)[np.isin(splits, [Split.VALID, Split.TEST])]
        assert_initial_weights_disjoint(config, held_out, settings)
        teachers = TeacherEnsemble.open(config, contract, held_out, settings, get_device())
        if not run.path(TRAINING_IMAGES_FILE).is_file():
            collect_training_images(index, splits, config, settings).save(run.path(TRAINING_IMAGES_FILE))
        trainer = Trainer(config, contract, data, run, trackers, teachers)
        resumed = resume and trainer.resume()
        if not resumed:
            run.truncate_metrics(0)
        facts = _start_facts(trainer, splits, precision, resumed=resumed)
        write_json(run.path(FACTS_FILE), asdict(facts))
        _log_start(run, facts, version, config)
        try:
            trainer.fit(scale_progress(progress, _PACK_SHARE_01, _TRAIN_SHARE_01))
        finally:
            for tracker in trackers:
                tracker.close()
        progress(_TRAIN_SHARE_01, "Evaluating the best epoch")
        trainer.load_best()
        _evaluate_and_export(run, trainer, index, splits, images.readable, dataset, version, run_title(run, settings))
    progress(1.0, f"Epoch {trainer.best_epoch} of {config.epochs} was kept")


def _resolve_precision(run: Run, config: TrainConfig) -> tuple[TrainConfig, ResolvedPrecision]:
    """Resolve `precision: auto` once and write it into the run, so that resuming uses the same."""
    resolved = resolve_precision(config.precision, on_gpu=get_device().type == "cuda")
    run.append_log(f"precision {resolved}; {processor()}")
    if config.precision == "auto":
        config = config.model_copy(update={"precision": resolved.precision})
        run.write("config.yaml", dump_config(config).encode())
    return config, resolved


@dataclass(frozen=True, slots=True)
class _DataVersion:
    """Version of the training data: dataset fingerprint and corrections version, and those of `extra_datasets`."""

    dataset: str
    fingerprint: str
    corrections: int
    corrections_fingerprint: str
    extra_datasets: dict[str, str] = field(default_factory=dict)


def _data_version(
    run: Run, dataset: StoredDataset, extra: Sequence[StoredDataset], config: TrainConfig
) -> _DataVersion:
    """Load the run's data version, or record it at the first start; later corrections do not affect the run.

    Raises:
        DatasetError: images, labels or earlier corrections have changed since the first start.
    """
    corrections = dataset.corrections()
    path = run.path("data.json")
    if not path.is_file():
        newest = corrections.version if config.corrections is None else config.corrections
        fingerprint = corrections.fingerprint(newest)
        version = _DataVersion(dataset.id, dataset.fingerprint, newest, fingerprint, data_versions(extra))
        write_json(path, asdict(version))
        return version
    version = _DataVersion(**json.loads(path.read_text()))
    fingerprints = (dataset.fingerprint, corrections.fingerprint(version.corrections), data_versions(extra))
    if fingerprints != (version.fingerprint, version.corrections_fingerprint, version.extra_datasets):
        raise _dataset_changed(run, config)
    return version


def _dataset_changed(run: Run, config: TrainConfig) -> DatasetError:
    names = join_words([config.dataset, *config.extra_datasets], "or")
    return DatasetError(f"The dataset {names} has changed since the run {run.id} was started. Start a new run on it.")


def _load_or_make_split(
    run: Run, index: pd.DataFrame, config: TrainConfig, dataset: StoredDataset, settings: Settings
) -> NDArray[np.str_]:
    """Load the split of each row from the run, or make and record it at the first start."""
    if not run.path("split.parquet").is_file():
        if config.split_from:
            earlier = open_run(config.split_from, settings).read_split()
            splits = keep_split(index, earlier.set_index("id")["split"])
        else:
            splits = make_split(index, config.split, find_groups(index, dataset.pairs()))
        run.write_table("split.parquet", pd.DataFrame({"id": index["id"], "split": splits.astype("str")}))
    recorded = run.read_split()
    if recorded["id"].tolist() != index["id"].tolist():
        raise _dataset_changed(run, config)
    return recorded["split"].to_numpy(str)


def _start_facts(
    trainer: Trainer, splits: NDArray[np.str_], precision: ResolvedPrecision, *, resumed: bool
) -> RunFacts:
    contract = trainer.contract
    return RunFacts(
        resumed=resumed,
        device=trainer.device.type,
        environment=environment(),
        precision=precision.precision,
        precision_reason=precision.reason,
        keeps_memory=has_malloc_settings(),
        image_source=trainer.loader.image_source,
        architecture=trainer.config.model.name,
        parameters=trainable_parameter_count(trainer.network),
        multiply_adds=multiply_adds(trainer.network, contract.channels, contract.size_px),
        images={str(split): int((splits == split).sum()) for split in (*Split, EXCLUDED)},
    )


def _log_start(run: Run, facts: RunFacts, version: _DataVersion, config: TrainConfig) -> None:
    for line in facts.log_lines:
        run.append_log(line)
    run.append_log(f"data: {version.dataset} {version.fingerprint}, corrections up to version {version.corrections}")
    if names := config.distillation.teachers:
        weight_01 = config.distillation.share_01
        run.append_log(f"distillation: teachers {', '.join(names)} with a weight of {weight_01:.0%} in each target")


def _evaluate_and_export(
    run: Run,
    trainer: Trainer,
    index: pd.DataFrame,
    splits: NDArray[np.str_],
    readable: NDArray[np.bool_],
    dataset: StoredDataset,
    version: _DataVersion,
    title: str,
) -> None:
    """Fit the calibration on the validation split, report on validation and test, export, and finish the run."""
    contract, labels = trainer.contract, trainer.contract.label_set
    tables: dict[str, pd.DataFrame] = {}
    seen = TrainingImages.load(run.path(TRAINING_IMAGES_FILE)).match(truncate_hashes(index["sha256"]))
    for split in (Split.VALID, Split.TEST):
        used = readable & ~seen.copied if split == Split.TEST else readable
        rows = np.flatnonzero((splits == split) & used)
        if len(rows):
            tables[split] = prediction_table(index.iloc[rows], trainer.logits(rows), labels)
            run.write_table(f"predictions-{split}.parquet", tables[split])
    priors = trainer.data.targets[trainer.data.train].mean(0)
    calibration = fit_calibration_to_table(tables[Split.VALID], labels, priors)
    calibration.save(run.path("calibration.json"))
    reports = {str(split): build_reports(table, calibration, labels) for split, table in tables.items()}
    write_reports(run.path("report.json"), reports)
    check_rows = np.flatnonzero((splits == Split.VALID) & readable)[:CHECK_FACES_MAX]
    check_faces = contract.normalize(np.asarray(trainer.data.images[check_rows], np.float32))
    run.write("model.onnx", export_onnx(trainer.eval_network, contract, check_faces))
    info = BundleInfo.from_config(
        trainer.config,
        parameters=parameter_count(trainer.network),
        id=run.id,
        title=title,
        dataset=dataset.id,
        synthetic=dataset.manifest.synthetic,
        license=f"weights: MIT; trained on {dataset.manifest.title}: {dataset.manifest.license}",
        metrics=headline_metrics(reports),
    )
    info.save_in(run.folder)
    run.finish(
        {
            "best_epoch": trainer.best_epoch,
            "epochs": trainer.config.epochs,
            "data": asdict(version),
            "computed_with": {
                **environment(),
                "precision": trainer.config.precision,
                "threads": trainer.thread_counts,
            },
            **info.model_dump(mode="json", exclude={"version", "origin", "files"}),
        }
    )
    run.append_log(f"finished: epoch {trainer.best_epoch} kept")
