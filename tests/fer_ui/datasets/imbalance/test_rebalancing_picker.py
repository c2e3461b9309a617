"""Rebalancing strategies as query parameters."""

from __future__ import annotations

import pytest

from fer_core.data.imbalance.rebalancing import STRATEGIES, Rebalancing
from fer_ui.datasets.imbalance.rebalancing_picker import (
    describe_rebalancing,
    rebalancing_from_query,
    rebalancing_to_query,
)

COMBINED = Rebalancing(sampling="over", weights="inverse")


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_named_strategy_is_written_as_its_name(name: str) -> None:
    rebalancing = STRATEGIES[name].rebalancing
    assert rebalancing_to_query(rebalancing) == name
    assert rebalancing_from_query(name) == rebalancing
    assert describe_rebalancing(rebalancing) == STRATEGIES[name].title


@pytest.mark.parametrize(
    ("rebalancing", "query"),
    [
        (COMBINED, "over~inverse~0.999~0"),
        (Rebalancing(weights="effective_number", beta=0.9999), "natural~effective_number~0.9999~0"),
        (Rebalancing(weights="inverse", reweight_start_01=0.25), "natural~inverse~0.999~0~0.25"),
        (Rebalancing(sampling="square_root", logit_tau=1 / 3), "square_root~none~0.999~0.3333333333333333"),
    ],
)
def test_a_combined_strategy_round_trips_as_fields(rebalancing: Rebalancing, query: str) -> None:
    assert rebalancing_to_query(rebalancing) == query
    assert rebalancing_from_query(query) == rebalancing


def test_links_without_reweight_start_still_work() -> None:
    assert rebalancing_from_query("over~inverse~0.9~0.5") == Rebalancing(
        sampling="over", weights="inverse", beta=0.9, logit_tau=0.5
    )


def test_a_named_strategy_can_be_written_as_fields() -> None:
    assert rebalancing_from_query("under~none~0.999~0.0") == STRATEGIES["under-sampling"].rebalancing


@pytest.mark.parametrize(
    "text",
    [
        "",
        "under",
        "over~inverse",
        "~~~",
        "over~inverse~nan~0",
        "over~inverse~0.9~inf",
        "over~inverse~1~0",
        "a~b~c~d",
        "over~inverse~0.9~0~1",
        "over~inverse~0.9~0~0.5~0",
    ],
)
def test_invalid_strategies_are_none(text: str) -> None:
    assert rebalancing_from_query(text) is None


@pytest.mark.parametrize(
    ("rebalancing", "text"),
    [
        (COMBINED, "Over-sampling, class weights"),
        (Rebalancing(weights="effective_number", beta=0.99), "Effective-number weights (beta 0.99)"),
        (Rebalancing(sampling="under", logit_tau=0.5), "Under-sampling, logit adjustment (tau 0.5)"),
        (Rebalancing(beta=0.5), "None"),
        (Rebalancing(weights="inverse", reweight_start_01=0.5), "Class weights after 50 % of the epochs"),
        (
            Rebalancing(weights="effective_number", beta=0.99, reweight_start_01=0.75, logit_tau=1),
            "Effective-number weights (beta 0.99) after 75 % of the epochs, logit adjustment (tau 1)",
        ),
    ],
)
def test_a_combined_strategy_is_described_by_its_parts(rebalancing: Rebalancing, text: str) -> None:
    assert describe_rebalancing(rebalancing) == text
