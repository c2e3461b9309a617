"""The network section of the form."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.models.catalog import MODELS
from fer_core.settings import Settings, settings
from fer_core.training.config.train_config import TrainConfig, flatten
from fer_ui.training.form.groups import network_summary
from fer_ui.training.form.network import estimate_network_memory
from tests.fer_ui.training.form.form_page import Show, set_widget
from tests.support.app_test import page_text

RESNET = MODELS["resnet18"].weights


@pytest.fixture(autouse=True)
def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


def test_network_numbers_follow_the_choices(show: Show) -> None:
    app = show(preset="A-cnn")
    assert ">52.3k<" in page_text(app)
    assert "for a face of 224x224, RGB" in page_text(app)
    before = page_text(app)
    set_widget(app, "batch_size", 128)
    assert "128 images, fp32" in page_text(app)
    assert page_text(app) != before
    set_widget(app, "model.name", "resnet50")
    set_widget(app, "model.size_px", 96)
    assert ">23.5M<" in page_text(app)
    assert "for a face of 96x96, RGB" in page_text(app)


def test_memory_depends_on_batch_precision_and_optimizer() -> None:
    values = flatten(TrainConfig(dataset="some-data"))
    info = MODELS[values["model.name"]]
    sizes = [
        estimate_network_memory(info, values | change).step_bytes
        for change in (
            {"precision": "bf16"},
            {},
            {"optimizer.name": "adam"},
            {"optimizer.name": "adam", "ema_decay": 0.999},
            {"batch_size": 128},
        )
    ]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == len(sizes)


def test_missing_weights_are_warned_of_with_instructions(store: Settings, show: Show) -> None:
    assert RESNET is not None
    app = show(preset="A-resnet18-frozen")
    warning = app.warning[0].value.replace("\\", "")
    for text in (RESNET.name, RESNET.url, str(store.pretrained_dir), "Pretrained weights"):
        assert text in warning
    assert not app.button(key="train-start").disabled  # the files may be added before the job starts
    set_widget(app, "model.pretrained", False)
    assert not app.warning
    assert "trained from scratch" in page_text(app)
    assert "train-model.frozen" not in {toggle.key for toggle in app.toggle}


def test_weights_are_downloaded_when_online(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERSCOPE_OFFLINE", "false")
    settings.cache_clear()
    app = show(preset="A-resnet18-frozen")
    assert not app.warning
    assert "downloaded" in app.info[0].value


def test_available_weights_are_shown_with_their_license(store: Settings, show: Show) -> None:
    assert RESNET is not None
    store.pretrained_dir.mkdir(parents=True)
    with (store.pretrained_dir / RESNET.name).open("wb") as file:
        file.truncate(int(RESNET.size_mib * 2**20))
    app = show(preset="A-resnet18-finetuned")
    assert not app.warning
    assert "available" in page_text(app)
    assert "BSD-3-Clause" in page_text(app)


def test_a_network_without_options_shows_a_message(show: Show) -> None:
    assert "no options" in page_text(show(preset="A-cnn"))


def test_options_are_summarized() -> None:
    values = flatten(TrainConfig(dataset="some-data"))
    assert network_summary(values) == "48 pixels, width 24, dropout 20 %"
    frozen_values = values | {"model.name": "resnet18", "model.frozen": True, "model.size_px": 96}
    assert network_summary(frozen_values) == "96 pixels, dropout 0 %, frozen ImageNet weights"
    assert network_summary(values | {"model.name": "shallow-cnn"}) == "224 pixels"
