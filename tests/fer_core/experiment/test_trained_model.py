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
from tests.support.experiment_store import CONFIG, EIGHT, World


def test_the_same_image_gives_the_same_answer_through_training_and_inference(world: World) -> None:
    """From the archive through contract and ONNX to what the trainer wrote down: one preprocessing."""
    bundle = Bundle.open(world.whole.folder)
    predictions = world.whole.read_table("predictions-test.parquet")
    assert len(predictions) >= 20
    with world.dataset.source(world.settings) as source:
        faces = list(iter_images(source, map(FaceRef, predictions["id"])))
    tensors = bundle.contract.apply_batch([face for face in faces if face is not None])
    trained = table_logits(predictions, EIGHT)
    np.testing.assert_allclose(bundle.logits(tensors), trained, atol=1e-3)
    assert trained.std(0).max() > 1e-3  # not an answer that is the same for every face
    rows = world.dataset.index().set_index("id", drop=False).loc[predictions["id"]]
    with world.dataset.source(world.settings) as source:
        scored = predict_dataset(bundle, rows, source)
    np.testing.assert_allclose(table_logits(scored, EIGHT), trained, atol=1e-3)
    pd.testing.assert_series_equal(scored["argmax"], predictions["argmax"], check_dtype=False)


def test_a_network_that_looks_into_the_mirror_answers_alike_in_training_and_inference(world: World) -> None:
    """Its first layer is frozen, which its number of parameters includes."""
    config = parse_config({**CONFIG, "epochs": 1, "flip_tta": True})
    run = create_run("flip_tta", dump_config(config), world.settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fer_core.training.trainer.network_from_config", _with_frozen_stem)
        run_experiment(run, world.settings)
    facts, network = run.facts(), load_trained_network(run.folder)
    assert read_bundle_info(run.folder).parameters == sum(each.numel() for each in network.parameters())
    assert facts and read_bundle_info(run.folder).parameters - facts.parameters == network.stem.weight.numel()
    predictions = run.read_table("predictions-test.parquet")
    with world.dataset.source(world.settings) as source:
        faces = [face for face in iter_images(source, map(FaceRef, predictions["id"])) if face is not None]
    for shown in (faces, [np.ascontiguousarray(face[:, ::-1]) for face in faces]):
        bundle = Bundle.open(run.folder)
        tensors = bundle.contract.apply_batch(shown)
        np.testing.assert_allclose(bundle.logits(tensors), table_logits(predictions, EIGHT), atol=1e-3)
        ours = torch_logits(load_trained_network(run.folder), tensors)
        np.testing.assert_allclose(ours, table_logits(predictions, EIGHT), atol=1e-3)


def _with_frozen_stem(config: TrainConfig, contract: Contract) -> nn.Module:
    network = network_from_config(config, contract)
    network.stem.requires_grad_(False)
    return network


def test_the_run_is_a_model_that_can_be_found(world: World) -> None:
    entry = find_model("whole", world.settings)
    assert (entry.kind, entry.info.dataset, entry.info.architecture) == ("run", "tiny", "small-resnet")
    bundle = Bundle.open(entry.folder)
    assert bundle.contract == Contract.load(world.whole.path("contract.json"))
    shares = np.exp(bundle.calibration.log_priors)
    assert shares.argmax() == 1  # happiness is the commonest in this profile


def test_the_report_judges_every_part_by_every_protocol(world: World) -> None:
    report = world.whole.report()
    assert set(report) == {"valid", "test"}
    found = [(each["protocol"], each["point"]) for each in report["test"]]
    assert found == [(p, q) for p in PROTOCOLS for q in ("accurate", "balanced")]
    summary = world.whole.summary()
    assert summary["metrics"]["split"] == "test"
    assert summary["metrics"]["accuracy"] == report["test"][0]["accuracy"]
    assert summary["metrics"]["n"] == report["test"][0]["n"] <= len(world.whole.read_table("predictions-test.parquet"))
    assert summary["best_epoch"] in (1, 2)
