from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from safetensors.torch import save, save_file

from fer_core.contract import Contract
from fer_core.data.synthetic.face import draw_face
from fer_core.data.synthetic.identities import Identity
from fer_core.errors import CancelledError, ConfigError, InputError, RunError
from fer_core.labels import Expression, label_set
from fer_core.models.registry import architecture, parameter_count, register
from fer_core.runs.folder import Run, create_run
from fer_core.settings import Settings
from fer_core.training import checkpoint
from fer_core.training.augmentation.mixup import mix_images
from fer_core.training.config.train_config import TrainConfig, dump_config, load_config, parse_config, presets
from fer_core.training.data_loader import TrainingSet
from fer_core.training.trainer import Trainer

FOUR = label_set("four")
CONTRACT = Contract(color="gray", size_px=24, normalization="image", labels=FOUR.expressions)
CONFIG: dict[str, Any] = {
    "dataset": "drawn",
    "labels": "four",
    "model": {"name": "small-resnet", "width": 4, "dropout_01": 0.1},
    "epochs": 2,
    "batch_size": 16,
    "optimizer": {"learning_rate": 0.05},
    "augment": {"flip_prob": 0.5, "translate_01": 0.05, "erase_prob": 0.3},
    "ema_decay": 0.9,
}


@pytest.fixture(scope="module")
def data() -> TrainingSet:
    """200 drawn faces of four expressions, the last 40 to select by."""
    rng = np.random.default_rng(0)
    people = [Identity.sample(rng) for _ in range(20)]
    class_indices = np.arange(200) % 4
    faces = [draw_face(FOUR.expressions[code], people[rng.integers(20)], rng, 48) for code in class_indices]
    images = np.stack([CONTRACT.fit(face) for face in faces])
    rows = np.arange(200)
    return TrainingSet(images, np.eye(4, dtype=np.float32)[class_indices], class_indices, rows[:160], rows[160:])


def _config(*changes: str) -> TrainConfig:
    return parse_config(CONFIG, changes=changes)


def _trainer(name: str, store: Settings, data: TrainingSet, *changes: str) -> Trainer:
    config = _config(*changes)
    return Trainer(config, CONTRACT, data, create_run(name, dump_config(config), store))


def _weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trainer.eval_network.state_dict().items()}


def _assert_same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert list(first) == list(second)
    for name, value in first.items():
        torch.testing.assert_close(value, second[name], rtol=0, atol=0, msg=name)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """For networks this small a second thread costs more than it brings, above all on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_training_learns_and_writes_down_what_it_did(store: Settings, data: TrainingSet) -> None:
    trainer = _trainer("one", store, data, "epochs=4", "ema_decay=0", "augment={}", "model.dropout_01=0")
    said: list[float] = []
    trainer.fit(lambda done, _: said.append(done))
    rows = trainer.run.metrics()
    assert rows["epoch"].tolist() == [1, 2, 3, 4]
    assert rows["train_loss"].iloc[-1] < rows["train_loss"].iloc[0] - 0.2
    assert rows["train_loss"].iloc[0] < 1.2 * np.log(4)
    assert rows["learning_rate"].iloc[-1] < rows["learning_rate"].iloc[0]
    best = rows.loc[rows["epoch"] == trainer.best_epoch, "valid_macro_f1"].item()
    assert best == rows["valid_macro_f1"].max() == trainer.best_score
    assert said == sorted(said)
    assert said[0] >= 0 and said[-1] <= 1
    assert all(trainer.run.path(name).is_file() for name in ("weights.safetensors", "checkpoint.pt"))
    assert "epoch 4/4" in trainer.run.log()


def test_the_best_epoch_is_the_one_that_is_kept(store: Settings, data: TrainingSet) -> None:
    trainer = _trainer("one", store, data, "epochs=3", "monitor=loss")
    trainer.fit()
    rows = trainer.run.metrics().set_index("epoch")
    assert trainer.best_epoch == rows["valid_loss"].idxmin()
    trainer.load_best()
    logits = torch.from_numpy(trainer.logits(data.valid))
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(data.targets[data.valid])).item()
    assert loss == pytest.approx(rows["valid_loss"].min(), abs=1e-5)


def test_an_epoch_that_is_worse_is_not_kept(
    store: Settings, data: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.2, 0.5, 0.4])
    names = ("valid_loss", "valid_accuracy", "valid_macro_f1", "valid_balanced_accuracy")
    monkeypatch.setattr(Trainer, "_validate", lambda *_: dict.fromkeys(names, next(scores)))
    trainer = _trainer("one", store, data, "epochs=3")
    weights: list[bytes] = []

    def watch(done_01: float, message: str) -> None:
        if "batch 1 of" in message and not message.startswith("Epoch 1"):
            weights.append(trainer.run.path("weights.safetensors").read_bytes())

    trainer.fit(watch)
    assert (trainer.best_epoch, trainer.best_score) == (2, 0.5)
    after_first, after_second = weights
    assert after_first != after_second
    assert trainer.run.path("weights.safetensors").read_bytes() == after_second


def test_the_same_seed_gives_the_same_weights_and_another_others(store: Settings, data: TrainingSet) -> None:
    trainers = [_trainer(f"run-{n}", store, data, f"seed={seed}") for n, seed in enumerate((3, 3, 4))]
    for place, trainer in enumerate(trainers):
        torch.manual_seed(place)  # what other code did before must not matter
        trainer_again = Trainer(trainer.config, CONTRACT, data, trainer.run)
        trainer_again.fit()
        trainers[place] = trainer_again
    _assert_same(_weights(trainers[0]), _weights(trainers[1]))
    assert not torch.equal(trainers[0].network.head.weight, trainers[2].network.head.weight)


@pytest.mark.parametrize("ema", ["ema_decay=0.9", "ema_decay=0"])
def test_resuming_ends_where_an_uninterrupted_run_ends(ema: str, store: Settings, data: TrainingSet) -> None:
    whole = _trainer("whole", store, data, ema)
    whole.fit()

    def stop_in_epoch_2(done_01: float, message: str) -> None:
        if message.startswith("Epoch 2"):
            raise CancelledError("stopped")

    cut = _trainer("cut", store, data, ema)
    with pytest.raises(CancelledError):
        cut.fit(stop_in_epoch_2)
    cut.run.append_metrics({"epoch": 2, "train_loss": 9.0})  # as if the line was written and the checkpoint not
    resumed = Trainer(cut.config, CONTRACT, data, cut.run)
    assert resumed.resume()
    assert resumed.epoch == 1
    resumed.fit()
    _assert_same(_weights(whole), _weights(resumed))
    drop = ["seconds", "images_per_s", "data_seconds", "step_seconds"]
    assert resumed.run.metrics().drop(columns=drop).equals(whole.run.metrics().drop(columns=drop))
    assert resumed.run.path("weights.safetensors").read_bytes() == whole.run.path("weights.safetensors").read_bytes()


def test_resuming_without_a_checkpoint_begins_at_the_start(store: Settings, data: TrainingSet) -> None:
    trainer = _trainer("one", store, data)
    trainer.run.append_metrics({"epoch": 1, "train_loss": 9.0})
    assert not trainer.resume()
    assert trainer.epoch == 0
    assert trainer.run.metrics().empty


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 cut", b"\x80\x02."])
def test_a_damaged_checkpoint_is_an_error_in_words(content: bytes, store: Settings, data: TrainingSet) -> None:
    trainer = _trainer("one", store, data)
    trainer.run.write("checkpoint.pt", content)
    with pytest.raises(RunError, match=r"checkpoint\.pt of the run one can't be read"):
        trainer.resume()


def test_a_checkpoint_of_another_network_is_an_error_in_words(store: Settings, data: TrainingSet) -> None:
    trainer = _trainer("one", store, data, "epochs=1")
    trainer.fit()
    other = Trainer(_config("model.width=5"), CONTRACT, data, trainer.run)
    with pytest.raises(RunError, match="can't be read"):
        other.resume()


def _with(data: TrainingSet, train: int, valid: int) -> TrainingSet:
    return replace(data, train=data.train[:train], valid=data.valid[:valid])


def test_too_few_images_are_an_error_that_says_how_many(store: Settings, data: TrainingSet) -> None:
    run = Run(store.runs_dir / "none")
    with pytest.raises(InputError, match=r"15 training images.*batch of 16"):
        Trainer(_config(), CONTRACT, _with(data, 15, 40), run)
    with pytest.raises(InputError, match="validation split is empty"):
        Trainer(_config(), CONTRACT, _with(data, 160, 0), run)
    assert Trainer(_config(), CONTRACT, _with(data, 16, 1), run).batches == 1


@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
def test_training_begins_with_the_weights_of_a_file(
    name: str, store: Settings, data: TrainingSet, tmp_path: Path
) -> None:
    first = _trainer("first", store, data)
    path = tmp_path / name
    state = {name: value.contiguous() for name, value in _weights(first).items()}
    torch.save(state, path) if name == "weights.pt" else save_file(state, path)
    second = _trainer("second", store, data, "seed=5", f"init_from={path}")
    _assert_same(_weights(first), _weights(second))
    first.run.write("weights.safetensors", save(state))
    _assert_same(_weights(first), _weights(_trainer("third", store, data, "seed=6", "init_from=first")))
    with pytest.raises(InputError, match=r"is not of this network: .* has the shape"):
        _trainer("wider", store, data, "model.width=8", f"init_from={path}")
    with pytest.raises(InputError, match=r"no file .*gone"):
        _trainer("none", store, data, f"init_from={tmp_path / 'gone.pt'}")


def test_study_as_published_checkpoint_is_gone_on_from(store: Settings, tmp_path: Path) -> None:
    """A plain state dict with conv1 to conv5 and fc, and nothing else."""
    channels = (3, 12, 12, 24, 24, 24)
    state = {}
    for number, (inner, outer) in enumerate(pairwise(channels), 1):
        state |= {f"conv{number}.weight": torch.rand(outer, inner, 3, 3), f"conv{number}.bias": torch.rand(outer)}
    state |= {"fc.weight": torch.rand(8, 14 * 14 * 24), "fc.bias": torch.rand(8)}
    torch.save(state, tmp_path / "study-a.pt")
    config = load_config(presets()["A-cnn"], [f"init_from={tmp_path / 'study-a.pt'}", "batch_size=4"])
    contract = architecture("shallow-cnn").contract(label_set("eight"))
    images, class_indices = np.zeros((8, 3, 224, 224), np.uint8), np.arange(8)
    faces = TrainingSet(images, np.eye(8, dtype=np.float32), class_indices, np.arange(4), np.arange(4, 8))
    trainer = Trainer(config, contract, faces, create_run("a", dump_config(config), store))
    for name, value in trainer.network.state_dict().items():
        torch.testing.assert_close(value, state[name], rtol=0, atol=0)


def test_a_loss_that_runs_away_is_an_error_with_a_remedy(store: Settings, data: TrainingSet) -> None:
    trainer = _trainer("one", store, data)
    with torch.no_grad():
        trainer.network.head.weight.fill_(float("nan"))
    with pytest.raises(InputError, match=r"Lower optimizer\.learning_rate"):
        trainer.fit()


def test_a_validation_loss_that_is_no_number_leaves_no_epoch_behind(
    store: Settings, data: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = _trainer("lost", store, data)
    nothing = np.full((len(data.valid), len(trainer.contract.labels)), np.nan, np.float32)
    monkeypatch.setattr(trainer, "_predict", lambda *_: (nothing, None))
    with pytest.raises(InputError, match=r"validation loss became nan in epoch 1\. Lower optimizer\.learning_rate"):
        trainer.fit()
    assert trainer.run.metrics().empty


def _uneven(data: TrainingSet) -> TrainingSet:
    """The same faces, but of the last two classes only a few to learn from."""
    rare = data.class_indices[data.train] >= 2
    train = np.concatenate([data.train[~rare], data.train[rare][:12]])
    return TrainingSet(data.images, data.targets, data.class_indices, train, data.valid)


def test_an_epoch_has_the_batches_that_its_sampling_draws(store: Settings, data: TrainingSet) -> None:
    uneven = _uneven(data)  # 40, 40, 6 and 6 images
    batches = {
        sampling: _trainer(sampling, store, uneven, f"rebalancing.sampling={sampling}", "batch_size=8").batches
        for sampling in ("natural", "under", "over", "square_root")
    }
    assert batches == {"natural": 92 // 8, "under": 24 // 8, "over": 92 // 8, "square_root": 92 // 8}


def test_a_sampling_that_fills_no_batch_is_an_error_that_names_it(store: Settings, data: TrainingSet) -> None:
    with pytest.raises(InputError, match=r"24 images with rebalancing\.sampling under, fewer than one batch of 32"):
        _trainer("short", store, _uneven(data), "rebalancing.sampling=under", "batch_size=32")


@pytest.mark.parametrize(
    "change",
    [
        "rebalancing.sampling=over",
        "rebalancing.weights=inverse",
        "rebalancing.weights=effective_number",
        "rebalancing.logit_tau=1",
    ],
)
def test_a_remedy_lifts_what_a_network_says_of_rare_classes(change: str, store: Settings, data: TrainingSet) -> None:
    """One epoch from the same start: rare classes get higher outputs than without the remedy."""
    rare_share = []
    for name, changes in (("plain", ()), ("mended", (change, "rebalancing.beta=0.99"))):
        trainer = _trainer(name, store, _uneven(data), *changes, "epochs=1", "ema_decay=0", "augment={}")
        trainer.fit()
        logits = torch.from_numpy(trainer.logits(data.valid))
        rare_share.append(logits.softmax(1)[:, 2:].sum(1).mean().item())
    assert rare_share[1] > rare_share[0] + 0.02


@pytest.mark.parametrize("sampling", ["over", "square_root"])
def test_resuming_draws_the_rows_that_an_uninterrupted_run_draws(
    sampling: str, store: Settings, data: TrainingSet
) -> None:
    changes = (f"rebalancing.sampling={sampling}", "ema_decay=0")
    whole = _trainer("whole", store, _uneven(data), *changes)
    whole.fit()

    def stop_in_epoch_2(done_01: float, message: str) -> None:
        if message.startswith("Epoch 2"):
            raise CancelledError("stopped")

    cut = _trainer("cut", store, _uneven(data), *changes)
    with pytest.raises(CancelledError):
        cut.fit(stop_in_epoch_2)
    resumed = Trainer(cut.config, CONTRACT, _uneven(data), cut.run)
    assert resumed.resume()
    resumed.fit()
    _assert_same(_weights(whole), _weights(resumed))


def test_a_remedy_does_not_change_how_the_validation_part_is_judged(store: Settings, data: TrainingSet) -> None:
    changes = ("rebalancing.weights=inverse", "rebalancing.logit_tau=2", "epochs=1")
    trainer = _trainer("one", store, _uneven(data), *changes)
    trainer.fit()
    trainer.load_best()
    logits = torch.from_numpy(trainer.logits(data.valid))
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(data.targets[data.valid])).item()
    assert trainer.run.metrics()["valid_loss"].item() == pytest.approx(loss, abs=1e-5)


WITH_STATE = (
    "epochs=4",
    "optimizer.schedule=plateau",
    "optimizer.warmup_epochs=1.5",
    "optimizer.plateau_patience=1",
    "optimizer.plateau_factor=0.5",
    "optimizer.clip_norm=1",
    "optimizer.accumulate=3",
    "optimizer.l1=0.0001",
    "loss.name=focal",
    "loss.label_smoothing=0.1",
    "rebalancing={sampling: over, weights: inverse, reweight_start_01: 0.5}",
    "augment={flip_prob: 0.5, blur_px: 1, jpeg_prob: 0.5, mixup_alpha: 0.4, cutmix_alpha: 1, mix_until_01: 0.75}",
    "early_stopping.patience=50",
    "monitor=f1_sadness",
)


@pytest.mark.parametrize("options", [(), ("precision=bf16",), ("optimizer.name=adamw", "ema_decay=0")])
def test_two_epochs_and_two_more_are_four_with_every_option_that_has_state(
    options: tuple[str, ...], store: Settings, data: TrainingSet
) -> None:
    uneven = _with_affect(_uneven(data))
    changes = (*WITH_STATE, "affect_weight=0.5", *options)
    whole = _trainer("whole", store, uneven, *changes)
    whole.fit()

    def stop_in_epoch_3(done_01: float, message: str) -> None:
        if message.startswith("Epoch 3"):
            raise CancelledError("stopped")

    cut = _trainer("cut", store, uneven, *changes)
    with pytest.raises(CancelledError):
        cut.fit(stop_in_epoch_3)
    torch.manual_seed(99)
    resumed = Trainer(cut.config, CONTRACT, uneven, cut.run)
    assert resumed.resume() and resumed.epoch == 2
    resumed.fit()
    _assert_same(_weights(whole), _weights(resumed))
    assert (resumed.plateau, resumed.early_stopper) == (whole.plateau, whole.early_stopper)
    drop = ["seconds", "images_per_s", "data_seconds", "step_seconds"]
    assert resumed.run.metrics().drop(columns=drop).equals(whole.run.metrics().drop(columns=drop))
    assert "bit for bit" not in resumed.run.log()


def test_going_on_elsewhere_says_that_it_is_not_bit_for_bit(
    store: Settings, data: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = _trainer("one", store, data, "epochs=1")
    monkeypatch.setattr(checkpoint, "environment", lambda: {"torch": "2.0", "device": "cpu", "threads": "64"})
    trainer.fit()
    monkeypatch.undo()
    assert Trainer(_config("epochs=2"), CONTRACT, data, trainer.run).resume()
    assert f"torch 2.0 before, {torch.__version__} now; threads 64 before, 1 now" in trainer.run.log()
    assert "not be bit for bit" in trainer.run.log()


def test_a_checkpoint_of_the_first_version_can_be_gone_on_with(store: Settings, data: TrainingSet) -> None:
    trainer = _trainer("one", store, data, "epochs=1")
    trainer.fit()
    state = checkpoint.load_checkpoint(trainer.run, torch.device("cpu"))
    old = {name: value for name, value in state.items() if name not in NEW_IN_CHECKPOINTS}
    assert len(old) == len(state) - len(NEW_IN_CHECKPOINTS)
    torch.save(old, trainer.run.path("checkpoint.pt"))
    again = Trainer(_config("epochs=2"), CONTRACT, data, trainer.run)
    assert again.resume() and again.epoch == 1


NEW_IN_CHECKPOINTS = {"scaler", "early_stopper", "plateau", "environment", "cuda_rng"}


def _with_affect(data: TrainingSet) -> TrainingSet:
    """Happy faces are pleasant, surprised ones excited; a tenth have no values."""
    affect = np.stack([(data.class_indices == 1) * 1.6 - 0.8, (data.class_indices == 3) * 1.6 - 0.8], axis=1).astype(
        np.float32
    )
    affect[::10] = np.nan
    return replace(data, affect=affect)


def test_training_stops_once_nothing_becomes_better_and_stays_stopped(store: Settings, data: TrainingSet) -> None:
    changes = ("epochs=9", "optimizer.learning_rate=1e-6", "ema_decay=0", "early_stopping.patience=2")
    trainer = _trainer("one", store, data, *changes, "early_stopping.min_delta=0.5", "early_stopping.metric=loss")
    trainer.fit()
    assert trainer.run.metrics()["epoch"].tolist() == [1, 2, 3]
    assert "stopped after epoch 3 of 9: loss has not improved by more than 0.5 for 2 epochs" in trainer.run.log()
    again = Trainer(trainer.config, CONTRACT, data, trainer.run)
    assert again.resume() and again.stopped
    again.fit()
    assert len(trainer.run.metrics()) == 3


def test_an_epoch_says_how_it_did_on_both_parts_and_where_its_time_went(store: Settings, data: TrainingSet) -> None:
    trainer = _trainer("one", store, data, "epochs=1")
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


def test_the_best_epoch_can_be_that_of_one_expression(store: Settings, data: TrainingSet) -> None:
    trainer = _trainer("one", store, data, "epochs=3", "monitor=f1_happiness")
    trainer.fit()
    rows = trainer.run.metrics().set_index("epoch")
    assert trainer.best_score == rows["valid_f1_happiness"].max()


def _first_step(store: Settings, data: TrainingSet, name: str, *changes: str) -> torch.Tensor:
    """How far one step from the same start moves the weights of the first layer."""
    few = TrainingSet(data.images, data.targets, data.class_indices, data.train[:32], data.valid, data.affect)
    plain = ("epochs=1", "ema_decay=0", "augment={}", "optimizer.schedule=constant", "model.dropout_01=0")
    trainer = _trainer(name, store, few, *plain, *changes)
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
        "optimizer.accumulate=2",
        "loss.name=focal",
        "loss.label_smoothing=0.4",
        "affect_weight=5",
        "augment.mixup_alpha=1",
        "augment.cutmix_alpha=1",
        "precision=bf16",
    ],
)
def test_every_option_changes_what_is_learned(change: str, store: Settings, data: TrainingSet) -> None:
    moved = [_first_step(store, _with_affect(data), name, *more) for name, more in (("a", ()), ("b", (change,)))]
    assert not torch.equal(*moved)


def test_a_clipped_gradient_moves_no_further_than_it_may(store: Settings, data: TrainingSet) -> None:
    still = ("optimizer.momentum=0", "optimizer.weight_decay=0", "optimizer.accumulate=2")
    clipped = _first_step(store, data, "clipped", *still, "optimizer.clip_norm=0.01")
    assert 0 < clipped.norm() <= 0.05 * 0.01 * 1.001
    assert _first_step(store, data, "free", *still).norm() > 2 * clipped.norm()


def test_batches_that_are_gathered_make_the_step_of_one_large_batch(store: Settings, data: TrainingSet) -> None:
    """Study A's network has no batch norm, of which batches are not independent."""
    contract = Contract(color="rgb", size_px=224, normalization="unit", labels=FOUR.expressions)
    images = np.repeat(np.repeat(np.repeat(data.images[:16], 3, 1), 10, 2), 10, 3)[:, :, :224, :224]
    few = TrainingSet(images, data.targets[:16], data.class_indices[:16], np.arange(8), np.arange(8, 16))
    weights = []
    for name, changes in (("small", ("batch_size=2", "optimizer.accumulate=4")), ("large", ("batch_size=8",))):
        config = parse_config({**CONFIG, "model": {"name": "shallow-cnn"}, "augment": {}, "ema_decay": 0})
        config = parse_config(config.model_dump(), changes=("epochs=1", "optimizer.schedule=constant", *changes))
        trainer = Trainer(config, contract, few, create_run(name, dump_config(config), store))
        start = trainer.network.fc.weight.detach().clone()
        trainer.fit()
        weights.append(trainer.network.fc.weight.detach() - start)
    assert weights[0].norm() > 0
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-3, atol=1e-6)


def test_mixing_stops_for_the_last_epochs(store: Settings, data: TrainingSet, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    trainer = _trainer("one", store, data, "epochs=4", "augment.mixup_alpha=1", "augment.mix_until_01=0.5")

    def mixing(*arguments: Any) -> Any:
        seen.append(trainer.epoch)
        return mix_images(*arguments)

    monkeypatch.setattr("fer_core.training.data_loader.mix_images", mixing)
    trainer.fit()
    assert set(seen) == {0, 1}


def test_deferred_weights_begin_at_their_epoch(store: Settings, data: TrainingSet) -> None:
    weights = []
    for name, change in (
        ("none", "rebalancing={}"),
        ("late", "rebalancing={weights: inverse, reweight_start_01: 0.5}"),
    ):
        trainer = _trainer(name, store, _uneven(data), change, "epochs=2")
        trainer.fit(lambda done, message: None)
        weights.append(trainer.run.metrics()["train_loss"].tolist())
    assert weights[0][0] == weights[1][0]
    assert weights[0][1] != weights[1][1]


def test_valence_and_arousal_are_learned_by_a_second_head(store: Settings, data: TrainingSet) -> None:
    """Few images again and again: they can be learned by heart."""
    taught = _with(_with_affect(data), 32, 40)
    adam = ("optimizer.name=adam", "optimizer.learning_rate=0.005", "optimizer.schedule=constant")
    changes = ("epochs=15", "augment={}", "ema_decay=0", "model.dropout_01=0", *adam)
    trainer = _trainer("one", store, taught, "affect_weight=1", *changes)
    trainer.fit()
    rows = trainer.run.metrics()
    assert rows["train_affect_loss"].iloc[-1] < rows["train_affect_loss"].iloc[0] - 0.2
    assert rows["valid_ccc_valence"].between(-1, 1).all() and rows["valid_ccc_arousal"].between(-1, 1).all()
    assert trainer.logits(data.valid).shape == (40, 4)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_fp16_without_a_gpu_is_refused_with_what_works(store: Settings, data: TrainingSet) -> None:
    with pytest.raises(InputError, match=r"fp16 needs a GPU.*bf16 or fp32"):
        _trainer("one", store, data, "precision=fp16")


def test_trackers_are_told_of_every_epoch(store: Settings, data: TrainingSet) -> None:
    class Notes:
        epochs: ClassVar[list[int]] = []

        def log_epoch(self, row: Mapping[str, Any]) -> None:
            self.epochs.append(row["epoch"])

        def close(self) -> None:
            """Nothing is open."""

    config = _config()
    Trainer(config, CONTRACT, data, create_run("one", dump_config(config), store), [Notes()]).fit()
    assert Notes.epochs == [1, 2]


def test_weights_and_other_options_train(store: Settings, data: TrainingSet) -> None:
    changes = (
        "epochs=1",
        "rebalancing.weights=inverse",
        "precision=bf16",
        "optimizer.name=adam",
        "optimizer.learning_rate=0.001",
    )
    trainer = _trainer("one", store, data, *changes, "monitor=balanced_accuracy")
    trainer.fit()
    assert trainer.run.metrics()["train_loss"].notna().all()


def test_logits_do_not_depend_on_the_company(store: Settings, data: TrainingSet) -> None:
    trainer = _trainer("one", store, data)
    together = trainer.logits(data.valid)
    alone = np.concatenate([trainer.logits(data.valid[place : place + 1]) for place in range(5)])
    np.testing.assert_allclose(together[:5], alone, atol=1e-4)
    assert trainer.logits(data.valid[:0]).shape == (0, 4)


def test_study_as_network_is_as_published() -> None:
    family = architecture("shallow-cnn")
    network = family.build(3, 8)
    convolutions = [(3, 12), (12, 12), (12, 24), (24, 24), (24, 24)]
    expected = sum(before * after * 9 + after for before, after in convolutions) + 14 * 14 * 24 * 8 + 8
    assert parameter_count(network) == expected == 52_316
    layers = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc")
    assert list(network.state_dict()) == [f"{layer}.{split}" for layer in layers for split in ("weight", "bias")]
    contract = family.contract(label_set("eight"))
    assert (contract.color, contract.size_px, contract.normalization) == ("rgb", 224, "byte")
    assert network(torch.zeros(1, 3, 224, 224)).shape == (1, 8)
    with pytest.raises(ConfigError, match="RGB"):
        family.build(1, 8)


@pytest.mark.parametrize(("width", "millions"), [(16, 0.7), (24, 1.6)])
def test_the_residual_network_is_as_large_as_it_says(width: int, millions: float) -> None:
    network = architecture("small-resnet").build(1, 8, width=width)
    assert parameter_count(network) / 1e6 == pytest.approx(millions, abs=0.05)
    assert network.eval()(torch.zeros(2, 1, 48, 48)).shape == (2, 8)


def test_networks_are_registered_once_and_unknown_ones_list_the_choices() -> None:
    with pytest.raises(ConfigError, match=r"'vgg'.*small-resnet"):
        architecture("vgg")
    with pytest.raises(ValueError, match="registered already"):
        register("small-resnet", head="head")(object)
    for name in ("small-resnet", "shallow-cnn"):
        assert architecture(name).contract(label_set("seven")).labels == tuple(set_ for set_ in Expression)[:7]
