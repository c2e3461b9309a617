"""A finished run as a model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from torch import nn

from fer_core.bundles.bundle import Bundle, read_bundle_info
from fer_core.bundles.catalog import find_model
from fer_core.contract import Contract
from fer_core.data.index.images import FaceRef, iter_images
from fer_core.evaluation.predict_dataset import predict_dataset
from fer_core.evaluation.predictions import PROTOCOLS, table_logits
from fer_core.experiment import run_experiment
from fer_core.models.onnx_export import torch_logits
from fer_core.runs.folder import create_run
from fer_core.training.config.train_config import TrainConfig, dump_config, parse_config
from fer_core.training.network import load_trained_network, network_from_config
from tests.support.experiment_store import CONFIG, EIGHT, Experiment


def test_training_and_inference_predict_the_same(experiment: Experiment) -> None:
    """Preprocessing by the contract and the ONNX network reproduce the logits of the trainer."""
    bundle = Bundle.open(experiment.finished_run.folder)
    predictions = experiment.finished_run.read_table("predictions-test.parquet")
    assert len(predictions) >= 20
    with experiment.dataset.source(experiment.settings) as source:
        faces = list(iter_images(source, map(FaceRef, predictions["id"])))
    tensors = bundle.contract.apply_batch([face for face in faces if face is not None])
    expected_logits = table_logits(predictions, EIGHT)
    np.testing.assert_allclose(bundle.logits(tensors), expected_logits, atol=1e-3)
    assert expected_logits.std(0).max() > 1e-3  # the logits differ between faces
    rows = experiment.dataset.index().set_index("id", drop=False).loc[predictions["id"]]
    with experiment.dataset.source(experiment.settings) as source:
        predicted = predict_dataset(bundle, rows, source)
    np.testing.assert_allclose(table_logits(predicted, EIGHT), expected_logits, atol=1e-3)
    pd.testing.assert_series_equal(predicted["argmax"], predictions["argmax"], check_dtype=False)


def test_a_run_with_flip_tta_predicts_the_same_in_inference(experiment: Experiment) -> None:
    """The number of parameters includes the frozen first layer."""
    config = parse_config({**CONFIG, "epochs": 1, "flip_tta": True})
    run = create_run("flip_tta", dump_config(config), experiment.settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fer_core.training.trainer.network_from_config", _with_frozen_stem)
        run_experiment(run, experiment.settings)
    facts, network = run.facts(), load_trained_network(run.folder)
    assert read_bundle_info(run.folder).parameters == sum(
        report_metrics.numel() for report_metrics in network.parameters()
    )
    assert facts and read_bundle_info(run.folder).parameters - facts.parameters == network.stem.weight.numel()
    predictions = run.read_table("predictions-test.parquet")
    with experiment.dataset.source(experiment.settings) as source:
        faces = [face for face in iter_images(source, map(FaceRef, predictions["id"])) if face is not None]
    for images in (faces, [np.ascontiguousarray(face[:, ::-1]) for face in faces]):
        bundle = Bundle.open(run.folder)
        tensors = bundle.contract.apply_batch(images)
        np.testing.assert_allclose(bundle.logits(tensors), table_logits(predictions, EIGHT), atol=1e-3)
        logits = torch_logits(load_trained_network(run.folder), tensors)
        np.testing.assert_allclose(logits, table_logits(predictions, EIGHT), atol=1e-3)


def _with_frozen_stem(config: TrainConfig, contract: Contract) -> nn.Module:
    network = network_from_config(config, contract)
    network.stem.requires_grad_(False)
    return network


def test_a_run_is_a_model(experiment: Experiment) -> None:
    entry = find_model("whole", experiment.settings)
    assert (entry.kind, entry.info.dataset, entry.info.architecture) == ("run", "tiny", "small-resnet")
    bundle = Bundle.open(entry.folder)
    assert bundle.contract == Contract.load(experiment.finished_run.path("contract.json"))
    shares = np.exp(bundle.calibration.log_priors)
    assert shares.argmax() == 1  # happiness is the commonest in this profile


def test_the_report_has_every_split_and_protocol(experiment: Experiment) -> None:
    report = experiment.finished_run.report()
    assert set(report) == {"valid", "test"}
    pairs = [(report_metrics["protocol"], report_metrics["point"]) for report_metrics in report["test"]]
    assert pairs == [(p, q) for p in PROTOCOLS for q in ("accurate", "balanced")]
    summary = experiment.finished_run.summary()
    assert summary["metrics"]["split"] == "test"
    assert summary["metrics"]["accuracy"] == report["test"][0]["accuracy"]
    assert (
        summary["metrics"]["n"]
        == report["test"][0]["n"]
        <= len(experiment.finished_run.read_table("predictions-test.parquet"))
    )
    assert summary["best_epoch"] in (1, 2)
