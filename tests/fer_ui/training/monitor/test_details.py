"""Parts of the page of one run."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Iterator
from dataclasses import asdict

import pytest
import streamlit as st

from fer_core.jobs.job import JobKind
from fer_core.jobs.store import JobStore
from fer_core.runs.facts import FACTS_FILE
from fer_core.runs.folder import RunState
from fer_core.settings import Settings
from fer_core.training.config.train_config import load_config, parse_config, preset_paths, read_yaml
from fer_ui.training.monitor.curves_view import refresh_interval_s
from fer_ui.training.monitor.epoch_table import epoch_table
from fer_ui.training.monitor.files_view import describe_mlflow
from fer_ui.training.monitor.monitored_run import load_monitored_run
from fer_ui.training.monitor.reproduce_view import build_train_command, describe_data_version
from fer_ui.training.monitor.run_status import describe_metric
from fer_ui.training.monitor.speed_view import machine_facts
from tests.fer_core.runs.test_facts import FACTS
from tests.fer_ui.small_run import DATA, finish, make_run, rows


@pytest.fixture(autouse=True)
def _clear_caches() -> Iterator[None]:
    for cache in (st.cache_data, st.cache_resource):
        cache.clear()
    yield
    from fer_ui.resources import job_store

    job_store().dispose()
    for cache in (st.cache_data, st.cache_resource):
        cache.clear()


def test_the_epoch_table_skips_columns_without_values(store: Settings) -> None:
    metrics = make_run(store, "few", [{"epoch": 1, "valid_loss": 1.0, "valid_accuracy": None}]).metrics()
    assert list(epoch_table(metrics, 1, by_class=True)) == ["Epoch", "Mark", "Loss, validation"]


def test_the_command_reproduces_the_config_and_corrections(store: Settings) -> None:
    run = make_run(store, "odd", (), "optimizer.learning_rate=3.0e-5", "title='yes: no, #1'", "augment.flip_prob=0.25")
    config = parse_config(read_yaml(run.path("config.yaml")))
    arguments = shlex.split(build_train_command(config, DATA))
    assert arguments[:5] == ["python", "-m", "fer_core", "train", "--config"]
    changes = [word for index, word in enumerate(arguments) if arguments[index - 1] == "--set"]
    assert load_config(preset_paths()[arguments[5]], changes) == config.model_copy(
        update={"corrections": DATA["corrections"]}
    )


def test_the_hardware_comes_from_the_facts_or_the_log(store: Settings) -> None:
    run = make_run(store, "facts", rows(1))
    run.append_log("images come from files, decoded anew")
    assert machine_facts(run) == ["Images come from files, decoded anew."]
    run.write(FACTS_FILE, json.dumps(asdict(FACTS)).encode())
    facts = " ".join(machine_facts(run))
    assert f"torch {FACTS.environment['torch']}" in facts and FACTS.image_source in facts
    assert "decoded anew" not in facts


def test_a_change_of_the_data_is_described() -> None:
    assert describe_data_version(DATA, "31a4fd6e9a5a1d46", 2).endswith("Unchanged since.")
    assert "version 5" in describe_data_version(DATA, "31a4fd6e9a5a1d46", 5)
    assert "can't be resumed" in describe_data_version(DATA, "another", 2)


def test_an_mlflow_address_is_shown_without_its_password() -> None:
    text = describe_mlflow("https://me:secret@tracking.example:5000/x", "run-1")
    assert "https://tracking.example:5000/x" in text and "secret" not in text and "run-1" in text
    assert (describe_metric("loss"), describe_metric("f1_fear")) == ("validation loss", "F1 of fear")


def test_a_run_without_a_writer_is_not_live(store: Settings) -> None:
    run = make_run(store, "typed", rows(1))
    assert load_monitored_run("typed", "").live
    old_time = time.time() - 7200
    for path in run.folder.iterdir():
        os.utime(path, (old_time, old_time))
    assert not load_monitored_run("typed", "").live
    with JobStore(store) as jobs:
        job = jobs.submit(JobKind.TRAIN, "Typed", ("train",), "typed")
        assert load_monitored_run("typed", job.id).live
        jobs.request_cancel(job.id)
        assert not load_monitored_run("typed", job.id).live
    assert finish(run).state is RunState.FINISHED and not load_monitored_run("typed", "").live


def test_the_refresh_interval_follows_the_epoch_time(store: Settings) -> None:
    for name, seconds, expected in (("quick", 0.5, 2.0), ("usual", 40.0, 10.0), ("slow", 4000.0, 20.0)):
        make_run(store, name, rows(1, seconds=[seconds]))
        assert refresh_interval_s(load_monitored_run(name, "")) == expected
    make_run(store, "new")
    assert refresh_interval_s(load_monitored_run("new", "")) == 2.0
