from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from fer_core.errors import InputError
from fer_core.runs.folder import Run, create_run
from fer_core.settings import Settings
from fer_core.training.config.train_config import dump_config
from fer_core.training.data_loader import TrainingSet
from fer_core.training.trainer import Trainer
from tests.support.tiny_training import (
    CONTRACT,
    FOUR,
    assert_same_weights,
    copy_weights,
    make_config,
    make_trainer,
    with_affect,
    with_rows,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def test_training_learns_and_logs_every_epoch(store: Settings, data: TrainingSet) -> None:
    trainer = make_trainer("one", store, data, "epochs=4", "ema_decay=0", "augment={}", "model.dropout_01=0")
    progress: list[float] = []
    trainer.fit(lambda done, _: progress.append(done))
    rows = trainer.run.metrics()
    assert rows["epoch"].tolist() == [1, 2, 3, 4]
    assert rows["train_loss"].iloc[-1] < rows["train_loss"].iloc[0] - 0.2
    assert rows["train_loss"].iloc[0] < 1.2 * np.log(4)
    assert rows["learning_rate"].iloc[-1] < rows["learning_rate"].iloc[0]
    best = rows.loc[rows["epoch"] == trainer.best_epoch, "valid_macro_f1"].item()
    assert best == rows["valid_macro_f1"].max() == trainer.best_score
    assert progress == sorted(progress)
    assert progress[0] >= 0 and progress[-1] <= 1
    assert all(trainer.run.path(name).is_file() for name in ("weights.safetensors", "checkpoint.pt"))
    assert "epoch 4/4" in trainer.run.log()


def test_the_weights_of_the_best_epoch_are_saved(store: Settings, data: TrainingSet) -> None:
    trainer = make_trainer("one", store, data, "epochs=3", "monitor=loss")
    trainer.fit()
    rows = trainer.run.metrics().set_index("epoch")
    assert trainer.best_epoch == rows["valid_loss"].idxmin()
    trainer.load_best()
    logits = torch.from_numpy(trainer.logits(data.valid))
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(data.targets[data.valid])).item()
    assert loss == pytest.approx(rows["valid_loss"].min(), abs=1e-5)


def test_a_worse_epoch_is_not_saved(store: Settings, data: TrainingSet, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = iter([0.2, 0.5, 0.4])
    names = ("valid_loss", "valid_accuracy", "valid_macro_f1", "valid_balanced_accuracy")
    monkeypatch.setattr(Trainer, "_validate", lambda *_: dict.fromkeys(names, next(scores)))
    trainer = make_trainer("one", store, data, "epochs=3")
    weights: list[bytes] = []

    def record_weights(done_01: float, message: str) -> None:
        if "batch 1 of" in message and not message.startswith("Epoch 1"):
            weights.append(trainer.run.path("weights.safetensors").read_bytes())

    trainer.fit(record_weights)
    assert (trainer.best_epoch, trainer.best_score) == (2, 0.5)
    after_first, after_second = weights
    assert after_first != after_second
    assert trainer.run.path("weights.safetensors").read_bytes() == after_second


def test_the_seed_determines_the_weights(store: Settings, data: TrainingSet) -> None:
    trainers = [make_trainer(f"run-{n}", store, data, f"seed={seed}") for n, seed in enumerate((3, 3, 4))]
    for index, trainer in enumerate(trainers):
        torch.manual_seed(index)  # the global generator's state must not matter
        trainer_again = Trainer(trainer.config, CONTRACT, data, trainer.run)
        trainer_again.fit()
        trainers[index] = trainer_again
    assert_same_weights(copy_weights(trainers[0]), copy_weights(trainers[1]))
    assert not torch.equal(trainers[0].network.head.weight, trainers[2].network.head.weight)


def test_too_few_images_are_refused(store: Settings, data: TrainingSet) -> None:
    run = Run(store.runs_dir / "none")
    with pytest.raises(InputError, match=r"15 training images.*batch of 16"):
        Trainer(make_config(), CONTRACT, with_rows(data, 15, 40), run)
    with pytest.raises(InputError, match="validation split is empty"):
        Trainer(make_config(), CONTRACT, with_rows(data, 160, 0), run)
    assert Trainer(make_config(), CONTRACT, with_rows(data, 16, 1), run).batches == 1


def test_a_diverged_loss_is_an_error_with_a_hint(store: Settings, data: TrainingSet) -> None:
    trainer = make_trainer("one", store, data)
    with torch.no_grad():
        trainer.network.head.weight.fill_(float("nan"))
    with pytest.raises(InputError, match=r"Lower optimizer\.learning_rate"):
        trainer.fit()


def test_a_non_finite_validation_loss_records_no_epoch(
    store: Settings, data: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = make_trainer("lost", store, data)
    invalid_logits = np.full((len(data.valid), len(trainer.contract.labels)), np.nan, np.float32)
    monkeypatch.setattr(trainer, "_predict", lambda *_: (invalid_logits, None))
    with pytest.raises(InputError, match=r"validation loss became nan in epoch 1\. Lower optimizer\.learning_rate"):
        trainer.fit()
    assert trainer.run.metrics().empty


def test_early_stopping_is_final(store: Settings, data: TrainingSet) -> None:
    changes = ("epochs=9", "optimizer.learning_rate=1e-6", "ema_decay=0", "early_stopping.patience=2")
    trainer = make_trainer("one", store, data, *changes, "early_stopping.min_delta=0.5", "early_stopping.metric=loss")
    trainer.fit()
    assert trainer.run.metrics()["epoch"].tolist() == [1, 2, 3]
    assert "stopped after epoch 3 of 9: loss has not improved by more than 0.5 for 2 epochs" in trainer.run.log()
    resumed = Trainer(trainer.config, CONTRACT, data, trainer.run)
    assert resumed.resume() and resumed.stopped
    resumed.fit()
    assert len(trainer.run.metrics()) == 3


def test_an_epoch_logs_metrics_of_both_splits_and_its_times(store: Settings, data: TrainingSet) -> None:
    trainer = make_trainer("one", store, data, "epochs=1")
    trainer.fit()
    (row,) = trainer.run.metrics().to_dict("records")
    for split in ("train", "valid"):
        f1 = [row[f"{split}_f1_{label}"] for label in FOUR]
        assert row[f"{split}_macro_f1"] == pytest.approx(np.mean(f1))
        assert 0 <= row[f"{split}_balanced_accuracy"] <= 1 and 0 <= row[f"{split}_accuracy"] <= 1
    assert row["data_seconds"] > 0 and row["step_seconds"] > 0
    assert row["data_seconds"] + row["step_seconds"] <= row["seconds"]
    predicted = trainer.logits(data.valid).argmax(1)
    assert row["valid_accuracy"] == pytest.approx((predicted == data.class_indices[data.valid]).mean())


def test_one_expression_can_be_monitored(store: Settings, data: TrainingSet) -> None:
    trainer = make_trainer("one", store, data, "epochs=3", "monitor=f1_happiness")
    trainer.fit()
    rows = trainer.run.metrics().set_index("epoch")
    assert trainer.best_score == rows["valid_f1_happiness"].max()


def test_affect_is_learned_by_a_second_head(store: Settings, data: TrainingSet) -> None:
    """The network memorizes a few images."""
    small_data = with_rows(with_affect(data), 32, 40)
    optimizer_options = ("optimizer.name=adam", "optimizer.learning_rate=0.005", "optimizer.schedule=constant")
    changes = ("epochs=15", "augment={}", "ema_decay=0", "model.dropout_01=0", *optimizer_options)
    trainer = make_trainer("one", store, small_data, "affect_weight=1", *changes)
    trainer.fit()
    rows = trainer.run.metrics()
    assert rows["train_affect_loss"].iloc[-1] < rows["train_affect_loss"].iloc[0] - 0.2
    assert rows["valid_ccc_valence"].between(-1, 1).all() and rows["valid_ccc_arousal"].between(-1, 1).all()
    assert trainer.logits(data.valid).shape == (40, 4)


def test_trackers_log_every_epoch(store: Settings, data: TrainingSet) -> None:
    class RecordingTracker:
        epochs: ClassVar[list[int]] = []

        def log_epoch(self, row: Mapping[str, Any]) -> None:
            self.epochs.append(row["epoch"])

        def close(self) -> None:
            """Do nothing."""

    config = make_config()
    Trainer(config, CONTRACT, data, create_run("one", dump_config(config), store), [RecordingTracker()]).fit()
    assert RecordingTracker.epochs == [1, 2]


def test_logits_do_not_depend_on_the_rest_of_the_batch(store: Settings, data: TrainingSet) -> None:
    trainer = make_trainer("one", store, data)
    batched = trainer.logits(data.valid)
    single = np.concatenate([trainer.logits(data.valid[index : index + 1]) for index in range(5)])
    np.testing.assert_allclose(batched[:5], single, atol=1e-4)
    assert trainer.logits(data.valid[:0]).shape == (0, 4)
