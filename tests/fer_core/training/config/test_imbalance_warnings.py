from __future__ import annotations

import pytest

from fer_core.data.imbalance.rebalancing import STRATEGIES
from fer_core.labels import Expression
from fer_core.training.config.imbalance_warnings import imbalance_warnings
from fer_core.training.config.train_config import TrainConfig, parse_config

SIZES = dict(zip(Expression, (9360, 7408, 3418, 3368, 651, 175, 2395, 165), strict=True))
EVEN = dict.fromkeys(Expression, 400)


def _with(rebalancing: object) -> TrainConfig:
    return parse_config({"dataset": "any", "rebalancing": rebalancing})


def test_balanced_sampling_and_inverse_weights_are_named_with_what_they_cost() -> None:
    first, *_ = imbalance_warnings(_with({"sampling": "over", "weights": "inverse"}), SIZES)
    assert "correct the same imbalance twice" in first
    assert "14 points of accuracy" in first


@pytest.mark.parametrize(
    "name", ["natural", "square-root-sampling", "class-weights", "logit-adjustment", "deferred-weights"]
)
def test_one_remedy_alone_is_nothing_to_warn_of(name: str) -> None:
    assert imbalance_warnings(_with(name), SIZES) == []


def test_sampling_says_what_repeats_and_what_waits() -> None:
    (repeats,) = imbalance_warnings(_with("over-sampling"), SIZES)
    assert "165 images of the rarest class 20 times" in repeats
    (waits,) = imbalance_warnings(_with("under-sampling"), SIZES)
    assert "leaves out 95 % of the images" in waits


def test_even_classes_need_no_remedy() -> None:
    assert imbalance_warnings(_with("natural"), EVEN) == []
    for name in set(STRATEGIES) - {"natural"}:
        assert imbalance_warnings(_with(name), EVEN) == [
            "The classes are nearly balanced, so rebalancing has no effect."
        ]


def test_what_is_deferred_and_not_there_is_named_and_empty_classes_are_passed_over() -> None:
    assert imbalance_warnings(_with({"reweight_start_01": 0.5}), SIZES) == [
        "rebalancing.reweight_start_01 does nothing without rebalancing.weights."
    ]
    assert imbalance_warnings(_with("class-weights"), dict.fromkeys(Expression, 0)) == []
    assert imbalance_warnings(_with("class-weights"), {**SIZES, Expression.FEAR: 0}) == []
