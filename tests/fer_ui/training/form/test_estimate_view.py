"""The estimate in the form: measured once for the same settings, shown with what it means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action
from fer_core.errors import JobError
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig, parse_config
from fer_core.training.estimate_report import Estimate
from fer_ui.training.form import estimate_view
from fer_ui.training.form.estimate_view import describe_packing, estimate_headlines, estimate_key, estimate_warnings
from tests.fer_core.training.test_estimate_report import ESTIMATE
from tests.fer_ui.training.form.form_page import DATASET, Show, config_of, set_by_key, set_widget
from tests.support.app_test import page_text

PLENTY = 10**12


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[TrainConfig, str]]:
    """What was measured, instead of measuring it."""
    calls: list[tuple[TrainConfig, str]] = []

    def estimate_run(config: TrainConfig, settings: Settings, *, device: str = "") -> Estimate:
        del settings
        calls.append((config, device))
        return ESTIMATE

    monkeypatch.setattr(estimate_view, "estimate_run", estimate_run)
    return calls


def test_it_is_measured_when_asked_and_once_for_the_same(show: Show, measured: list[tuple[TrainConfig, str]]) -> None:
    app = show()
    assert "**Estimate**" not in page_text(app)
    app.button(key="train-estimate-button").click().run()
    assert measured == [(config_of(app), "")]
    for words in ("**Estimate**", ">24 epochs<", ">8.1 min<", ">320/s<", ">500 MiB<", "Measured on 30 batches"):
        assert words in page_text(app)
    set_widget(app, "epochs", 3)
    assert ">65 s<" in page_text(app)
    set_widget(app, "title", "Another")
    app.button(key="train-estimate-button").click().run()
    assert len(measured) == 1


def test_other_settings_are_told_and_measured_anew(show: Show, measured: list[tuple[TrainConfig, str]]) -> None:
    app = show()
    app.button(key="train-estimate-button").click().run()
    set_widget(app, "batch_size", 32)
    assert "Outdated estimate" in page_text(app)
    assert ">320/s<" not in page_text(app)
    app.button(key="train-estimate-button").click().run()
    assert len(measured) == 2
    assert "Outdated estimate" not in page_text(app)
    set_widget(app, "batch_size", 64)
    app.button(key="train-estimate-button").click().run()
    assert len(measured) == 2


def test_every_fold_is_counted(show: Show, measured: list[tuple[TrainConfig, str]]) -> None:
    app = show(split_config="kfold")
    set_by_key(app, "train-all-folds", True)
    app.button(key="train-estimate-button").click().run()
    assert ">5 runs of 24 epochs<" in page_text(app)
    assert ">40 min<" in page_text(app)


def test_what_goes_wrong_is_a_notice(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> Estimate:
        raise JobError("The estimate was stopped after 300 s.")

    monkeypatch.setattr(estimate_view, "estimate_run", fail)
    app = show()
    app.button(key="train-estimate-button").click().run()
    assert not app.exception
    assert app.error[0].value == "The estimate was stopped after 300 s."
    assert "**Estimate**" not in page_text(app)


def test_the_key_is_of_what_takes_time(dataset: StoredDataset) -> None:
    config = TrainConfig(dataset=DATASET)
    key = estimate_key(config, dataset, "")
    for same in ({"epochs": 3}, {"title": "x"}, {"monitor": "loss"}, {"early_stopping": {"patience": 3}}):
        changed = parse_config(config.model_dump(mode="json") | same)
        assert estimate_key(changed, dataset, "") == key
    other = parse_config(config.model_dump(mode="json") | {"precision": "bf16"})
    assert estimate_key(other, dataset, "") != key
    assert estimate_key(config, dataset, "gpu:0") != key
    assert estimate_key(config, replace(dataset, fingerprint="other"), "") != key
    dataset.corrections().mark(Action.EXCLUDE, dataset.index(["id"])["id"][:3], "blurred")
    assert estimate_key(config, dataset, "") != key


def test_what_does_not_fit_is_warned_of() -> None:
    assert estimate_warnings(ESTIMATE, PLENTY) == []
    assert (
        "may be stopped half-way"
        in estimate_warnings(replace(ESTIMATE, free_bytes=ESTIMATE.memory_bytes // 2), PLENTY)[0]
    )
    assert "tight" in estimate_warnings(replace(ESTIMATE, free_bytes=int(ESTIMATE.memory_bytes * 1.1)), PLENTY)[0]
    assert "Packing" in (words := estimate_warnings(ESTIMATE, 2**20)[0]) and "70 MiB" in words and "1 MiB" in words
    assert estimate_warnings(replace(ESTIMATE, packed="already"), 0) == []


def test_where_the_images_come_from_is_said() -> None:
    said = {packed: describe_packing(replace(ESTIMATE, packed=packed)) for packed in ("already", "first", "streamed")}
    assert len(set(said.values())) == 3
    assert "70 MiB" in said["first"]


def test_one_epoch_is_one_epoch() -> None:
    assert estimate_headlines(ESTIMATE, 1)[0].label == "One epoch"
    assert estimate_headlines(ESTIMATE, 3)[0].detail == "35 s to 2.1 min"
