"""How long a training takes, from earlier runs on this machine."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from fer_core.comparison.measured_speed import expected_epoch_s
from fer_core.comparison.table import RunTable
from fer_core.runs.facts import FACTS_FILE, RunFacts
from fer_core.settings import Settings
from fer_core.system.processor import processor
from fer_core.training.config.train_config import TrainConfig, parse_config
from tests.support.runs import make_run


def make_run_on(processor_name: str, device: str, run_id: str, store: Settings, network: str = "small-resnet") -> None:
    run = make_run(run_id, store, model={"name": network})
    environment = {"torch": "2", "processor": processor_name}
    facts = RunFacts(False, device, environment, "fp32", "", False, "the pack", network, 1, 1, {"train": 9})
    run.write(FACTS_FILE, json.dumps(asdict(facts)).encode())


@pytest.fixture
def config() -> TrainConfig:
    return parse_config({"dataset": "ferplus", "model": {"name": "small-resnet"}})


def test_a_run_of_the_same_network_on_this_processor_tells_the_time(store: Settings, config: TrainConfig) -> None:
    make_run_on(processor().name, "cpu", "here", store)
    speed = RunTable(store).rows()[0].images_per_s
    assert speed is not None
    assert expected_epoch_s(config, 1000, RunTable(store).rows(), store) == pytest.approx(1000 / speed * 1.1)


def test_other_networks_processors_and_gpus_tell_nothing(store: Settings, config: TrainConfig) -> None:
    make_run_on(processor().name, "cpu", "other-network", store, "vgg19-48")
    make_run_on("another processor", "cpu", "elsewhere", store)
    make_run_on(processor().name, "cuda", "gpu", store)
    make_run("no-facts", store, model={"name": "small-resnet"})
    assert expected_epoch_s(config, 1000, RunTable(store).rows(), store) is None
