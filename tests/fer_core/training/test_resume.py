from __future__ import annotations

import pytest
import torch

from fer_core.errors import CancelledError, RunError
from fer_core.settings import Settings
from fer_core.training import checkpoint
from fer_core.training.data_loader import TrainingSet
from fer_core.training.trainer import Trainer
from tests.support.tiny_training import (
    CONTRACT,
    assert_same_weights,
    cancel_in_epoch,
    copy_weights,
    make_config,
    make_trainer,
    make_uneven,
    with_affect,
)

pytestmark = pytest.mark.usefixtures("one_thread")


STATEFUL_OPTIONS = (
    "epochs=4",
    "optimizer.schedule=plateau",
    "optimizer.warmup_epochs=1.5",
    "optimizer.plateau_patience=1",
    "optimizer.plateau_factor=0.5",
    "optimizer.clip_norm=1",
    "optimizer.accumulation_steps=3",
    "optimizer.l1=0.0001",
    "loss.name=focal",
    "loss.label_smoothing=0.1",
    "rebalancing={sampling: over, weights: inverse, reweight_start_01: 0.5}",
    "augment={flip_prob: 0.5, blur_px: 1, jpeg_prob: 0.5, mixup_alpha: 0.4, cutmix_alpha: 1, mix_until_01: 0.75}",
    "early_stopping.patience=50",
    "monitor=f1_sadness",
)


NEW_IN_CHECKPOINTS = {"scaler", "early_stopper", "plateau", "environment", "cuda_rng"}


@pytest.mark.parametrize("ema", ["ema_decay=0.9", "ema_decay=0"])
def test_resuming_matches_an_uninterrupted_run(ema: str, store: Settings, data: TrainingSet) -> None:
    uninterrupted = make_trainer("whole", store, data, ema)
    uninterrupted.fit()

    interrupted = make_trainer("cut", store, data, ema)
    with pytest.raises(CancelledError):
        interrupted.fit(cancel_in_epoch(2))
    interrupted.run.append_metrics({"epoch": 2, "train_loss": 9.0})  # as after a crash between metrics and checkpoint
    resumed = Trainer(interrupted.config, CONTRACT, data, interrupted.run)
    assert resumed.resume()
    assert resumed.epoch == 1
    resumed.fit()
    assert_same_weights(copy_weights(uninterrupted), copy_weights(resumed))
    drop = ["seconds", "images_per_s", "data_seconds", "step_seconds"]
    assert resumed.run.metrics().drop(columns=drop).equals(uninterrupted.run.metrics().drop(columns=drop))
    assert (
        resumed.run.path("weights.safetensors").read_bytes()
        == uninterrupted.run.path("weights.safetensors").read_bytes()
    )


def test_resuming_without_a_checkpoint_starts_over(store: Settings, data: TrainingSet) -> None:
    trainer = make_trainer("one", store, data)
    trainer.run.append_metrics({"epoch": 1, "train_loss": 9.0})
    assert not trainer.resume()
    assert trainer.epoch == 0
    assert trainer.run.metrics().empty


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 cut", b"\x80\x02."])
def test_a_damaged_checkpoint_is_named(content: bytes, store: Settings, data: TrainingSet) -> None:
    trainer = make_trainer("one", store, data)
    trainer.run.write("checkpoint.pt", content)
    with pytest.raises(RunError, match=r"checkpoint\.pt of the run one can't be read"):
        trainer.resume()


def test_a_checkpoint_of_another_network_is_an_error(store: Settings, data: TrainingSet) -> None:
    trainer = make_trainer("one", store, data, "epochs=1")
    trainer.fit()
    other = Trainer(make_config("model.width=5"), CONTRACT, data, trainer.run)
    with pytest.raises(RunError, match="can't be read"):
        other.resume()


@pytest.mark.parametrize("sampling", ["over", "square_root"])
def test_resuming_samples_the_rows_of_an_uninterrupted_run(sampling: str, store: Settings, data: TrainingSet) -> None:
    changes = (f"rebalancing.sampling={sampling}", "ema_decay=0")
    uninterrupted = make_trainer("whole", store, make_uneven(data), *changes)
    uninterrupted.fit()

    interrupted = make_trainer("cut", store, make_uneven(data), *changes)
    with pytest.raises(CancelledError):
        interrupted.fit(cancel_in_epoch(2))
    resumed = Trainer(interrupted.config, CONTRACT, make_uneven(data), interrupted.run)
    assert resumed.resume()
    resumed.fit()
    assert_same_weights(copy_weights(uninterrupted), copy_weights(resumed))


@pytest.mark.parametrize("options", [(), ("precision=bf16",), ("optimizer.name=adamw", "ema_decay=0")])
def test_resuming_is_exact_with_every_option_that_has_state(
    options: tuple[str, ...], store: Settings, data: TrainingSet
) -> None:
    imbalanced = with_affect(make_uneven(data))
    changes = (*STATEFUL_OPTIONS, "affect_weight=0.5", *options)
    uninterrupted = make_trainer("whole", store, imbalanced, *changes)
    uninterrupted.fit()

    interrupted = make_trainer("cut", store, imbalanced, *changes)
    with pytest.raises(CancelledError):
        interrupted.fit(cancel_in_epoch(3))
    torch.manual_seed(99)
    resumed = Trainer(interrupted.config, CONTRACT, imbalanced, interrupted.run)
    assert resumed.resume() and resumed.epoch == 2
    resumed.fit()
    assert_same_weights(copy_weights(uninterrupted), copy_weights(resumed))
    assert (resumed.plateau, resumed.early_stopping) == (uninterrupted.plateau, uninterrupted.early_stopping)
    drop = ["seconds", "images_per_s", "data_seconds", "step_seconds"]
    assert resumed.run.metrics().drop(columns=drop).equals(uninterrupted.run.metrics().drop(columns=drop))
    assert "bit-identical" not in resumed.run.log()


def test_resuming_in_another_environment_is_logged(
    store: Settings, data: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = make_trainer("one", store, data, "epochs=1")
    monkeypatch.setattr(checkpoint, "environment", lambda: {"torch": "2.0", "device": "cpu", "threads": "64"})
    trainer.fit()
    monkeypatch.undo()
    assert Trainer(make_config("epochs=2"), CONTRACT, data, trainer.run).resume()
    assert f"torch 2.0 before, {torch.__version__} now; threads 64 before, 1 now" in trainer.run.log()
    assert "not be bit-identical" in trainer.run.log()


def test_a_checkpoint_of_the_first_version_can_be_resumed(store: Settings, data: TrainingSet) -> None:
    trainer = make_trainer("one", store, data, "epochs=1")
    trainer.fit()
    state = checkpoint.load_checkpoint(trainer.run, torch.device("cpu"))
    old_state = {name: value for name, value in state.items() if name not in NEW_IN_CHECKPOINTS}
    assert len(old_state) == len(state) - len(NEW_IN_CHECKPOINTS)
    torch.save(old_state, trainer.run.path("checkpoint.pt"))
    resumed = Trainer(make_config("epochs=2"), CONTRACT, data, trainer.run)
    assert resumed.resume() and resumed.epoch == 1
