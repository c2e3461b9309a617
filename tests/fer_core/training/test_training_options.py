from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from fer_core.contract import Contract
from fer_core.errors import InputError
from fer_core.runs.folder import create_run
from fer_core.settings import Settings
from fer_core.training.augmentation.mixup import mix_images
from fer_core.training.config.train_config import dump_config, parse_config
from fer_core.training.data_loader import TrainingSet
from fer_core.training.trainer import Trainer
from tests.support.tiny_training import CONFIG, FOUR, make_trainer, with_affect

pytestmark = pytest.mark.usefixtures("one_thread")


def _first_step(store: Settings, data: TrainingSet, name: str, *changes: str) -> torch.Tensor:
    """Change of the first layer's weights after one step."""
    small_data = TrainingSet(data.images, data.targets, data.class_indices, data.train[:32], data.valid, data.affect)
    plain = ("epochs=1", "ema_decay=0", "augment={}", "optimizer.schedule=constant", "model.dropout_01=0")
    trainer = make_trainer(name, store, small_data, *plain, *changes)
    before = trainer.network.stem.weight.detach().clone()
    trainer.fit()
    return trainer.network.stem.weight.detach() - before


@pytest.mark.parametrize(
    "change",
    [
        "optimizer.name=adamw",
        "optimizer.nesterov=false",
        "optimizer.weight_decay=0.5",
        "optimizer.l1=0.05",
        "optimizer.schedule=cosine",
        "optimizer.clip_norm=0.01",
        "optimizer.accumulation_steps=2",
        "loss.name=focal",
        "loss.label_smoothing=0.4",
        "affect_weight=5",
        "augment.mixup_alpha=1",
        "augment.cutmix_alpha=1",
        "precision=bf16",
    ],
)
def test_every_option_changes_the_first_step(change: str, store: Settings, data: TrainingSet) -> None:
    steps = [_first_step(store, with_affect(data), name, *more) for name, more in (("a", ()), ("b", (change,)))]
    assert not torch.equal(*steps)


def test_clipping_limits_the_step(store: Settings, data: TrainingSet) -> None:
    options = ("optimizer.momentum=0", "optimizer.weight_decay=0", "optimizer.accumulation_steps=2")
    clipped = _first_step(store, data, "clipped", *options, "optimizer.clip_norm=0.01")
    assert 0 < clipped.norm() <= 0.05 * 0.01 * 1.001
    assert _first_step(store, data, "free", *options).norm() > 2 * clipped.norm()


def test_accumulated_batches_equal_one_large_batch(store: Settings, data: TrainingSet) -> None:
    """Uses study A's network, which has no batch norm."""
    contract = Contract(color="rgb", size_px=224, normalization="unit", labels=FOUR.expressions)
    images = np.repeat(np.repeat(np.repeat(data.images[:16], 3, 1), 10, 2), 10, 3)[:, :, :224, :224]
    small_data = TrainingSet(images, data.targets[:16], data.class_indices[:16], np.arange(8), np.arange(8, 16))
    weights = []
    for name, changes in (("small", ("batch_size=2", "optimizer.accumulation_steps=4")), ("large", ("batch_size=8",))):
        config = parse_config({**CONFIG, "model": {"name": "shallow-cnn"}, "augment": {}, "ema_decay": 0})
        config = parse_config(config.model_dump(), changes=("epochs=1", "optimizer.schedule=constant", *changes))
        trainer = Trainer(config, contract, small_data, create_run(name, dump_config(config), store))
        start = trainer.network.fc.weight.detach().clone()
        trainer.fit()
        weights.append(trainer.network.fc.weight.detach() - start)
    assert weights[0].norm() > 0
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-3, atol=1e-6)


def test_mixing_stops_for_the_last_epochs(store: Settings, data: TrainingSet, monkeypatch: pytest.MonkeyPatch) -> None:
    mixed_epochs: list[int] = []
    trainer = make_trainer("one", store, data, "epochs=4", "augment.mixup_alpha=1", "augment.mix_until_01=0.5")

    def mixing(*arguments: Any) -> Any:
        mixed_epochs.append(trainer.epoch)
        return mix_images(*arguments)

    monkeypatch.setattr("fer_core.training.data_loader.mix_images", mixing)
    trainer.fit()
    assert set(mixed_epochs) == {0, 1}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_fp16_without_a_gpu_is_refused(store: Settings, data: TrainingSet) -> None:
    with pytest.raises(InputError, match=r"fp16 needs a GPU.*bf16 or fp32"):
        make_trainer("one", store, data, "precision=fp16")


def test_weights_and_other_options_train(store: Settings, data: TrainingSet) -> None:
    changes = (
        "epochs=1",
        "rebalancing.weights=inverse",
        "precision=bf16",
        "optimizer.name=adam",
        "optimizer.learning_rate=0.001",
    )
    trainer = make_trainer("one", store, data, *changes, "monitor=balanced_accuracy")
    trainer.fit()
    assert trainer.run.metrics()["train_loss"].notna().all()
