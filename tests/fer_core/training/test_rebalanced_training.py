from __future__ import annotations

import pytest
import torch

from fer_core.errors import InputError
from fer_core.settings import Settings
from fer_core.training.data_loader import TrainingSet
from tests.support.tiny_training import make_trainer, make_uneven

pytestmark = pytest.mark.usefixtures("one_thread")


def test_an_epoch_has_the_batches_that_its_sampling_draws(store: Settings, data: TrainingSet) -> None:
    imbalanced = make_uneven(data)  # 40, 40, 6 and 6 images
    batches = {
        sampling: make_trainer(sampling, store, imbalanced, f"rebalancing.sampling={sampling}", "batch_size=8").batches
        for sampling in ("natural", "under", "over", "square_root")
    }
    assert batches == {"natural": 92 // 8, "under": 24 // 8, "over": 92 // 8, "square_root": 92 // 8}


def test_a_sampling_smaller_than_a_batch_is_refused(store: Settings, data: TrainingSet) -> None:
    with pytest.raises(InputError, match=r"24 images with rebalancing\.sampling under, fewer than one batch of 32"):
        make_trainer("short", store, make_uneven(data), "rebalancing.sampling=under", "batch_size=32")


@pytest.mark.parametrize(
    "change",
    [
        "rebalancing.sampling=over",
        "rebalancing.weights=inverse",
        "rebalancing.weights=effective_number",
        "rebalancing.logit_tau=1",
    ],
)
def test_rebalancing_raises_the_logits_of_rare_classes(change: str, store: Settings, data: TrainingSet) -> None:
    """One epoch from the same start: rare classes get higher outputs than without rebalancing."""
    rare_share = []
    for name, changes in (("plain", ()), ("mended", (change, "rebalancing.beta=0.99"))):
        trainer = make_trainer(name, store, make_uneven(data), *changes, "epochs=1", "ema_decay=0", "augment={}")
        trainer.fit()
        logits = torch.from_numpy(trainer.logits(data.valid))
        rare_share.append(logits.softmax(1)[:, 2:].sum(1).mean().item())
    assert rare_share[1] > rare_share[0] + 0.02


def test_rebalancing_does_not_change_the_validation_loss(store: Settings, data: TrainingSet) -> None:
    changes = ("rebalancing.weights=inverse", "rebalancing.logit_tau=2", "epochs=1")
    trainer = make_trainer("one", store, make_uneven(data), *changes)
    trainer.fit()
    trainer.load_best()
    logits = torch.from_numpy(trainer.logits(data.valid))
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(data.targets[data.valid])).item()
    assert trainer.run.metrics()["valid_loss"].item() == pytest.approx(loss, abs=1e-5)


def test_deferred_reweighting_starts_at_its_epoch(store: Settings, data: TrainingSet) -> None:
    weights = []
    for name, change in (
        ("none", "rebalancing={}"),
        ("late", "rebalancing={weights: inverse, reweight_start_01: 0.5}"),
    ):
        trainer = make_trainer(name, store, make_uneven(data), change, "epochs=2")
        trainer.fit(lambda done, message: None)
        weights.append(trainer.run.metrics()["train_loss"].tolist())
    assert weights[0][0] == weights[1][0]
    assert weights[0][1] != weights[1][1]
