from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from fer_core.data.imbalance.rebalancing import (
    STRATEGIES,
    Rebalancing,
    class_weights,
    effective_numbers,
    preview_epoch,
    rebalancing_warnings,
    samples_per_epoch,
)
from fer_core.labels import Expression

SIZES = np.array([9360, 7408, 3418, 3368, 651, 175, 2395, 165])
COUNTS = dict(zip(Expression, SIZES.tolist(), strict=True))
FLOATS = SIZES.astype(np.float64)


@pytest.mark.parametrize(
    "values",
    [
        {"sampling": "twice"},
        {"weights": "many"},
        {"beta": 1},
        {"beta": -0.1},
        {"logit_tau": 4.1},
        {"logit_tau": -1},
        {"reweight_start_01": 1},
    ],
)
def test_a_value_out_of_range_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Rebalancing.model_validate(values)


def test_rebalancing_is_strict_and_frozen() -> None:
    with pytest.raises(ValidationError):
        Rebalancing.model_validate({"tau": 1})
    with pytest.raises(ValidationError):
        Rebalancing().logit_tau = 1


def test_natural_sampling_uses_every_image_once() -> None:
    np.testing.assert_array_equal(samples_per_epoch(SIZES, "natural"), SIZES)


def test_under_sampling_reduces_every_class_to_the_rarest() -> None:
    assert samples_per_epoch([40, 7, 0, 12], "under").tolist() == [7, 7, 0, 7]


def test_over_sampling_keeps_the_epoch_length_and_balances_classes() -> None:
    samples = samples_per_epoch(SIZES, "over")
    assert samples.sum() == SIZES.sum()
    assert samples.max() - samples.min() <= 1
    assert samples_per_epoch([10, 0, 1], "over").tolist() == [6, 0, 5]


def test_square_root_sampling_is_proportional_to_the_square_root() -> None:
    samples = samples_per_epoch(SIZES, "square_root")
    assert samples.sum() == SIZES.sum()
    np.testing.assert_allclose(samples, SIZES.sum() * np.sqrt(SIZES) / np.sqrt(SIZES).sum(), atol=1)
    assert samples_per_epoch([64, 0, 16], "square_root").tolist() == [53, 0, 27]


@pytest.mark.parametrize("sampling", ["natural", "under", "over", "square_root"])
def test_equal_classes_stay_equal_and_empty_classes_are_not_sampled(sampling: str) -> None:
    assert samples_per_epoch([5, 5, 5], sampling).tolist() == [5, 5, 5]
    assert samples_per_epoch([0, 0], sampling).tolist() == [0, 0]
    assert samples_per_epoch([0, 3], sampling).tolist() == [0, 3]


def test_inverse_weights_match_manual_calculation() -> None:
    assert class_weights(np.array([3.0, 1, 0]), "inverse", 0.9).tolist() == pytest.approx([4 / 9, 4 / 3, 0])


def test_inverse_weights_give_every_class_the_same_total() -> None:
    total = class_weights(FLOATS, "inverse", 0.9) * FLOATS
    assert total.tolist() == pytest.approx([FLOATS.sum() / 8] * 8)


@pytest.mark.parametrize("beta", [0, 0.9, 0.999, 1 - 1e-8])
def test_effective_number_weights_are_inverse_and_average_one(beta: float) -> None:
    sizes = np.append(FLOATS, 0)
    weights = class_weights(sizes, "effective_number", beta)
    assert weights[-1] == 0
    assert (weights @ sizes) / sizes.sum() == pytest.approx(1)
    product = weights[:-1] * effective_numbers(FLOATS, beta)
    np.testing.assert_allclose(product, product[0])


def test_effective_number_weights_are_between_none_and_inverse() -> None:
    np.testing.assert_allclose(class_weights(FLOATS, "effective_number", 0), 1)
    near = class_weights(FLOATS, "effective_number", 1 - 1e-9)
    np.testing.assert_allclose(near, class_weights(FLOATS, "inverse", 0), rtol=1e-4)
    middle = class_weights(FLOATS, "effective_number", 0.999)
    assert 1 < middle[-1] / middle[0] < near[-1] / near[0]


def test_without_weighting_weights_are_one_and_zero_for_empty_classes() -> None:
    assert class_weights(np.array([5.0, 0, 1]), "none", 0.9).tolist() == [1, 0, 1]
    for kind in ("none", "inverse", "effective_number"):
        assert class_weights(np.zeros(3, np.float32), kind, 0.9).tolist() == [0, 0, 0]
        assert class_weights(np.ones(3, np.float32), kind, 0.9).dtype == np.float32


def test_the_effective_number_grows_from_one_to_the_number_of_images() -> None:
    sizes = [0, 1, 10, 1000, 100_000]
    assert effective_numbers(sizes, 0).tolist() == [0, 1, 1, 1, 1]
    assert effective_numbers(sizes, 1 - 1e-9) == pytest.approx(sizes, rel=1e-3)
    numbers = effective_numbers(sizes, 0.999)
    assert numbers[:2].tolist() == pytest.approx([0, 1])
    assert numbers[3] == pytest.approx(sum(0.999**step for step in range(1000)))  # the series that the equation sums
    assert numbers[4] == pytest.approx(1 / (1 - 0.999))
    assert (np.diff(numbers) > 0).all()


COLUMNS = ["expression", "images", "share", "samples", "samples_share", "unique_expected", "repeats", "never_seen"]
COLUMNS += ["weight", "effective_share", "offset"]


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_epoch_preview_is_consistent(name: str) -> None:
    table = preview_epoch(COUNTS, STRATEGIES[name].rebalancing)
    assert list(table) == COLUMNS
    assert table["expression"].tolist() == list(map(str, Expression))
    assert table["images"].tolist() == SIZES.tolist()
    for share in ("share", "samples_share", "effective_share"):
        assert table[share].sum() == pytest.approx(1)
    np.testing.assert_array_equal(table["unique_expected"] + table["never_seen"], SIZES)
    np.testing.assert_allclose(table["repeats"] * table["images"], table["samples"])


@pytest.mark.parametrize("name", [name for name in STRATEGIES if name != "natural"])
def test_every_strategy_favors_the_rarest_over_the_most_frequent_class(name: str) -> None:
    table = preview_epoch(COUNTS, STRATEGIES[name].rebalancing).set_index("expression")
    lift = table["effective_share"] / table["share"] * np.exp(-table["offset"])
    assert lift["contempt"] > 5 * lift["neutral"]


def test_over_sampling_repeats_rare_classes_and_skips_frequent_images() -> None:
    table = preview_epoch(COUNTS, Rebalancing(sampling="over")).set_index("expression")
    assert table.loc["contempt", "repeats"] == pytest.approx(SIZES.sum() / 8 / 165, rel=1e-3)
    assert table.loc["contempt", "never_seen"] == 0
    assert table.loc["neutral", "never_seen"] == 9360 - table.loc["neutral", "samples"]
    np.testing.assert_allclose(table["effective_share"], 1 / 8, atol=1e-4)


@pytest.mark.parametrize("name", STRATEGIES)
def test_no_strategy_samples_a_class_without_images(name: str) -> None:
    table = preview_epoch({**COUNTS, Expression.FEAR: 0}, STRATEGIES[name].rebalancing).set_index("expression")
    fear = table.loc["fear", ["samples", "unique_expected", "repeats", "never_seen", "weight", "effective_share"]]
    assert fear.tolist() == [0] * 6
    assert np.isfinite(table.to_numpy(float)).all()
    empty = preview_epoch(dict.fromkeys(Expression, 0), STRATEGIES[name].rebalancing)
    assert not empty.drop(columns="expression").to_numpy(float).any()


def test_strategies_differ_correct_once_and_have_a_description() -> None:
    strategies = [strategy.rebalancing for strategy in STRATEGIES.values()]
    assert len(set(strategies)) == len(strategies) == 8
    assert STRATEGIES["natural"].rebalancing == Rebalancing()
    for strategy in STRATEGIES.values():
        assert rebalancing_warnings(strategy.rebalancing) == []
        assert strategy.title and strategy.explanation.endswith(".")


def test_strategies_are_given_by_name_and_balanced_softmax_is_logit_adjustment() -> None:
    for name, strategy in STRATEGIES.items():
        assert Rebalancing.model_validate(name) == strategy.rebalancing
    assert Rebalancing.model_validate("balanced-softmax") == Rebalancing(logit_tau=1)
    deferred = Rebalancing.model_validate("deferred-weights")
    assert (deferred.weights, deferred.reweight_start_01) == ("effective_number", 160 / 200)
    assert "balanced softmax" in STRATEGIES["logit-adjustment"].explanation
    with pytest.raises(ValidationError, match=r"deferred-weights.*logit-adjustment.*balanced-softmax"):
        Rebalancing.model_validate("luck")


def test_weights_with_balanced_sampling_warn_with_the_published_result() -> None:
    assert "14 points" in rebalancing_warnings(Rebalancing(sampling="over", weights="inverse"))[0]
    assert "14 points" not in rebalancing_warnings(Rebalancing(sampling="over", logit_tau=1))[0]


def test_every_pair_of_corrections_gives_a_warning() -> None:
    (message,) = rebalancing_warnings(Rebalancing(sampling="square_root", weights="effective_number"))
    assert message.startswith("Square-root sampling and effective-number weights correct the same imbalance twice")
    assert len(rebalancing_warnings(Rebalancing(sampling="over", weights="inverse", logit_tau=0.5))) == 3
    assert "tau 0.5" in rebalancing_warnings(Rebalancing(weights="inverse", logit_tau=0.5))[0]
