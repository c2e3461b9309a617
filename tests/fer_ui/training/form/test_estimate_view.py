"""The estimate in the form."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action
from fer_core.errors import JobError
from fer_core.jobs import run_estimate
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig, parse_config
from fer_core.training.estimate_report import Estimate
from fer_ui.training.form.estimate_view import describe_packing, estimate_headlines, estimate_key, estimate_warnings
from tests.fer_core.training.test_estimate_report import ESTIMATE
from tests.fer_ui.training.form.form_page import DATASET, Show, get_config, set_by_key, set_widget
from tests.support.app_test import page_text

PLENTY = 10**12


@pytest.fixture
def measured_configs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[TrainConfig, str]]:
    """Replace the measurement and record its configs."""
    calls: list[tuple[TrainConfig, str]] = []

    def estimate_run(config: TrainConfig, settings: Settings, *, device: str, **_: object) -> Estimate:
        del settings
        calls.append((config, device))
        return ESTIMATE

    monkeypatch.setattr(run_estimate, "estimate_run", estimate_run)
    return calls


def estimate(app: AppTest, key: str = "train-estimate-button") -> None:
    """Press the button and wait for the result."""
    app.button(key=key).click().run()
    if "train-estimate-running" in app.session_state:
        assert app.session_state["train-estimate-running"].wait(30)
        app.run()


def test_a_run_is_measured_on_request_and_once_per_config(
    show: Show, measured_configs: list[tuple[TrainConfig, str]]
) -> None:
    app = show()
    assert "Measured on" not in page_text(app)
    estimate(app)
    assert measured_configs == [(get_config(app), "")]
    for text in (">24 epochs<", ">8.1 min<", ">320/s<", ">500 MiB<", "Measured on 30 batches"):
        assert text in page_text(app)
    assert "about 8.1 min on this machine" in page_text(app)
    set_widget(app, "epochs", 3)
    assert ">65 s<" in page_text(app)
    set_widget(app, "title", "Another")
    estimate(app)
    assert len(measured_configs) == 1


def test_other_settings_outdate_the_estimate(show: Show, measured_configs: list[tuple[TrainConfig, str]]) -> None:
    app = show()
    estimate(app)
    set_widget(app, "batch_size", 32)
    assert "changed since the last estimate" in page_text(app)
    assert ">320/s<" not in page_text(app)
    estimate(app)
    assert len(measured_configs) == 2
    assert "changed since the last estimate" not in page_text(app)
    set_widget(app, "batch_size", 64)
    assert ">320/s<" in page_text(app)


def test_every_fold_is_counted(show: Show, measured_configs: list[tuple[TrainConfig, str]]) -> None:
    app = show(split_config="kfold")
    set_by_key(app, "train-all-folds", True)
    estimate(app)
    assert ">5 runs of 24 epochs<" in page_text(app)
    assert ">40 min<" in page_text(app)


def test_a_failure_shows_the_error_and_offers_more_time(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    limits_s = []

    def fail(*_: object, timeout_s: float, **__: object) -> Estimate:
        limits_s.append(timeout_s)
        raise JobError(f"The estimate was stopped after {timeout_s:g} s.")

    monkeypatch.setattr(run_estimate, "estimate_run", fail)
    app = show()
    estimate(app)
    assert not app.exception
    assert app.warning[-1].value == "The estimate was stopped after 30 s."
    estimate(app, "train-estimate-longer")
    assert limits_s == [30, 300]


def test_the_form_is_usable_while_it_is_measured_and_the_measurement_can_be_cancelled(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[threading.Event] = []

    def wait(*_: object, cancelled: threading.Event, **__: object) -> Estimate:
        seen.append(cancelled)
        assert cancelled.wait(30)
        raise JobError("The estimate was cancelled.")

    monkeypatch.setattr(run_estimate, "estimate_run", wait)
    app = show()
    app.button(key="train-estimate-button").click().run()
    set_widget(app, "epochs", 3)
    assert get_config(app).epochs == 3 and not app.button(key="train-start").disabled
    assert "of at most 30 s" in page_text(app)
    app.button(key="train-estimate-cancel").click().run()
    assert seen[0].is_set() and not app.warning
    assert "of at most 30 s" not in page_text(app)


def test_the_key_covers_what_affects_time(dataset: StoredDataset) -> None:
    config = TrainConfig(dataset=DATASET)
    key = estimate_key(config, dataset, "")
    for change in ({"epochs": 3}, {"title": "x"}, {"monitor": "loss"}, {"early_stopping": {"patience": 3}}):
        changed = parse_config(config.model_dump(mode="json") | change)
        assert estimate_key(changed, dataset, "") == key
    other = parse_config(config.model_dump(mode="json") | {"precision": "bf16"})
    assert estimate_key(other, dataset, "") != key
    assert estimate_key(config, dataset, "gpu:0") != key
    assert estimate_key(config, replace(dataset, fingerprint="other"), "") != key
    dataset.corrections().mark(Action.EXCLUDE, dataset.index(["id"])["id"][:3], "blurred")
    assert estimate_key(config, dataset, "") != key


def test_low_memory_and_disk_are_warned_of() -> None:
    assert estimate_warnings(ESTIMATE, PLENTY) == []
    assert (
        "may be stopped halfway"
        in estimate_warnings(replace(ESTIMATE, free_bytes=ESTIMATE.memory_bytes // 2), PLENTY)[0]
    )
    assert "tight" in estimate_warnings(replace(ESTIMATE, free_bytes=int(ESTIMATE.memory_bytes * 1.1)), PLENTY)[0]
    assert "Packing" in (text := estimate_warnings(ESTIMATE, 2**20)[0]) and "70 MiB" in text and "1 MiB" in text
    assert estimate_warnings(replace(ESTIMATE, packed="already"), 0) == []


def test_the_source_of_the_images_is_described() -> None:
    descriptions = {
        packed: describe_packing(replace(ESTIMATE, packed=packed)) for packed in ("already", "first", "streamed")
    }
    assert len(set(descriptions.values())) == 3
    assert "70 MiB" in descriptions["first"]


def test_headlines_follow_the_number_of_epochs() -> None:
    assert estimate_headlines(ESTIMATE, 1)[0].label == "One epoch"
    assert estimate_headlines(ESTIMATE, 3)[0].detail == "35 s to 2.1 min"
