from __future__ import annotations

import pytest

from fer_core.data.imbalance.rebalancing import STRATEGIES
from fer_core.labels import Expression
from fer_core.training.config.imbalance_warnings import imbalance_warnings
from fer_core.training.config.train_config import TrainConfig, parse_config

SIZES = dict(zip(Expression, (9360, 7408, 3418, 3368, 651, 175, 2395, 165), strict=True))
BALANCED = dict.fromkeys(Expression, 400)


def _config_with(rebalancing: object) -> TrainConfig:
    return parse_config({"dataset": "any", "rebalancing": rebalancing})


def test_balanced_sampling_with_inverse_weights_is_warned_of() -> None:
    warning, *_ = imbalance_warnings(_config_with({"sampling": "over", "weights": "inverse"}), SIZES)
    assert "correct the same imbalance twice" in warning
    assert "14 points of accuracy" in warning


@pytest.mark.parametrize(
    "name", ["natural", "square-root-sampling", "class-weights", "logit-adjustment", "deferred-weights"]
)
def test_a_single_strategy_has_no_warning(name: str) -> None:
    assert imbalance_warnings(_config_with(name), SIZES) == []


def test_sampling_warnings_name_repeated_and_skipped_images() -> None:
    (over_warning,) = imbalance_warnings(_config_with("over-sampling"), SIZES)
    assert "165 images of the rarest class 20 times" in over_warning
    (under_warning,) = imbalance_warnings(_config_with("under-sampling"), SIZES)
    assert "leaves out 95 % of the images" in under_warning


def test_balanced_classes_need_no_rebalancing() -> None:
    assert imbalance_warnings(_config_with("natural"), BALANCED) == []
    for name in set(STRATEGIES) - {"natural"}:
        assert imbalance_warnings(_config_with(name), BALANCED) == [
            "The classes are nearly balanced, so rebalancing has no effect."
        ]


def test_deferral_without_weights_is_warned_of_and_empty_classes_are_skipped() -> None:
    assert imbalance_warnings(_config_with({"reweight_start_01": 0.5}), SIZES) == [
        "rebalancing.reweight_start_01 does nothing without rebalancing.weights."
    ]
    assert imbalance_warnings(_config_with("class-weights"), dict.fromkeys(Expression, 0)) == []
    assert imbalance_warnings(_config_with("class-weights"), {**SIZES, Expression.FEAR: 0}) == []
