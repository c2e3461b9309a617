from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from fer_core.data.imbalance.rebalancing import Rebalancing, class_weights
from fer_core.training.config.optimization import LossConfig
from fer_core.training.losses import TrainingLoss

CPU = torch.device("cpu")
TARGETS = np.random.default_rng(0).dirichlet([6, 2, 0.4], 400).astype(np.float32)
SIZES = TARGETS.sum(0)


def _loss(
    rebalancing: Rebalancing,
    config: LossConfig = LossConfig(),  # noqa: B008  (frozen)
    *,
    targets: np.ndarray = TARGETS,
    weighted: bool = True,
) -> TrainingLoss:
    return TrainingLoss.from_config(rebalancing, targets, CPU, config, weighted=weighted)


def _batch(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(16, 3, generator=generator, requires_grad=True), torch.from_numpy(TARGETS[:16])


def _gradient(rebalancing: Rebalancing) -> torch.Tensor:
    outputs, targets = _batch()
    _loss(rebalancing)(outputs, targets).backward()  # type: ignore[no-untyped-call]
    assert outputs.grad is not None
    return outputs.grad


def test_without_rebalancing_it_is_exactly_cross_entropy() -> None:
    outputs, targets = _batch()
    loss = _loss(Rebalancing())
    assert loss == TrainingLoss(None, None)
    assert loss(outputs, targets).item() == F.cross_entropy(outputs, targets).item()


def test_inverse_weights_match_study_a_exactly() -> None:
    outputs, targets = _batch()
    weights = np.divide(SIZES.sum(), len(SIZES) * SIZES)
    expected = F.cross_entropy(outputs, targets, weight=torch.from_numpy(weights))
    assert weights.dtype == np.float32
    assert _loss(Rebalancing(weights="inverse"))(outputs, targets).item() == expected.item()


@pytest.mark.parametrize("weights", ["inverse", "effective_number"])
def test_soft_targets_are_weighted_per_class(weights: str) -> None:
    rebalancing = Rebalancing.model_validate({"weights": weights})
    outputs, targets = _batch()
    weight_of_class = torch.from_numpy(class_weights(SIZES, rebalancing.weights, rebalancing.beta))
    expected = -(weight_of_class * targets * outputs.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(_loss(rebalancing)(outputs, targets), expected)


def test_the_gradient_of_a_rare_class_grows_with_its_weight() -> None:
    weights = class_weights(SIZES, "inverse", 0)
    outputs = torch.zeros(3, 3, requires_grad=True)
    _loss(Rebalancing(weights="inverse"))(outputs, torch.eye(3)).backward()  # type: ignore[no-untyped-call]
    assert outputs.grad is not None
    push = -outputs.grad.diagonal()  # towards the target: weight * (1 - 1/3) / batch
    np.testing.assert_allclose(push.numpy(), weights * (2 / 3) / 3, rtol=1e-5)


def test_the_logit_adjusted_gradient_matches_its_formula() -> None:
    outputs, targets = _batch()
    shares = torch.from_numpy(SIZES / SIZES.sum())
    expected = ((outputs + 0.7 * shares.log()).softmax(1) - targets) / len(targets)
    torch.testing.assert_close(_gradient(Rebalancing(logit_tau=0.7)), expected.detach())


@pytest.mark.parametrize(
    "rebalancing", [Rebalancing(weights="inverse"), Rebalancing(weights="effective_number"), Rebalancing(logit_tau=1)]
)
def test_every_strategy_changes_the_gradient(rebalancing: Rebalancing) -> None:
    assert (_gradient(rebalancing) - _gradient(Rebalancing())).abs().max() > 1e-3


def test_full_logit_adjustment_removes_the_prior_from_the_bias() -> None:
    """For uninformative images the best logits are the log priors; with full adjustment they are equal."""
    for tau, expected in ((0.0, np.log(SIZES / SIZES.sum())), (1.0, np.zeros(3))):
        bias = torch.zeros(3, requires_grad=True)
        optimizer = torch.optim.LBFGS([bias], max_iter=50, line_search_fn="strong_wolfe")
        loss = _loss(Rebalancing(logit_tau=tau))

        def closure(bias: torch.Tensor = bias, loss: TrainingLoss = loss) -> torch.Tensor:
            bias.grad = None
            value = loss(bias.expand(len(TARGETS), 3), torch.from_numpy(TARGETS))
            value.backward()  # type: ignore[no-untyped-call]
            return value

        optimizer.step(closure)  # type: ignore[no-untyped-call]
        result = bias.detach().numpy()
        np.testing.assert_allclose(result - result.mean(), expected - expected.mean(), atol=1e-3)


def test_a_class_without_images_keeps_the_loss_finite() -> None:
    targets = np.eye(3, dtype=np.float32)[[0, 0, 1]]
    for rebalancing in (
        Rebalancing(logit_tau=4),
        Rebalancing(weights="inverse"),
        Rebalancing(weights="effective_number"),
    ):
        outputs = torch.zeros(3, 3, requires_grad=True)
        value = _loss(rebalancing, targets=targets)(outputs, torch.from_numpy(targets))
        value.backward()  # type: ignore[no-untyped-call]
        assert torch.isfinite(value) and outputs.grad is not None and torch.isfinite(outputs.grad).all()


def test_deferred_weights_start_at_their_epoch() -> None:
    outputs, targets = _batch()
    rebalancing = Rebalancing(weights="inverse", reweight_start_01=0.8)
    early, late = (_loss(rebalancing, weighted=weighted) for weighted in (False, True))
    assert early(outputs, targets).item() == F.cross_entropy(outputs, targets).item()
    assert late(outputs, targets) == _loss(Rebalancing(weights="inverse"))(outputs, targets)


@pytest.mark.parametrize("name", ["cross_entropy", "focal"])
def test_label_smoothing_mixes_in_the_uniform_distribution(name: str) -> None:
    outputs, targets = _batch()
    config = LossConfig(name=name, gamma=2, label_smoothing=0.3)
    smoothed = _loss(Rebalancing(), config)(outputs, targets)
    expected = _loss(Rebalancing(), LossConfig(name=name, gamma=2))(outputs, 0.7 * targets + 0.1)
    torch.testing.assert_close(smoothed, expected)


def test_focal_loss_matches_the_paper_and_cross_entropy_at_gamma_0() -> None:
    outputs, targets = _batch()
    class_indices = torch.arange(16) % 3
    probabilities = outputs.softmax(1)[torch.arange(16), class_indices]
    focal = _loss(Rebalancing(), LossConfig(name="focal", gamma=2))
    torch.testing.assert_close(
        focal(outputs, F.one_hot(class_indices, 3).float()), -((1 - probabilities) ** 2 * probabilities.log()).mean()
    )
    cross_entropy = _loss(Rebalancing(), LossConfig(name="focal", gamma=0))
    torch.testing.assert_close(cross_entropy(outputs, targets), F.cross_entropy(outputs, targets))


def test_focal_loss_is_weighted_and_has_a_finite_gradient() -> None:
    targets = torch.eye(3)
    outputs = (targets * 200).requires_grad_()
    loss = _loss(Rebalancing(weights="inverse"), LossConfig(name="focal", gamma=0.5))
    loss(outputs, targets).backward()  # type: ignore[no-untyped-call]
    assert outputs.grad is not None and torch.isfinite(outputs.grad).all()
    uniform = torch.zeros(3, 3)
    weights = torch.from_numpy(class_weights(SIZES, "inverse", 0))
    expected = weights.mean() * (2 / 3) ** 0.5 * np.log(3)
    assert loss(uniform, targets).item() == pytest.approx(float(expected), rel=1e-5)
