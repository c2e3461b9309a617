"""A remedy in a link."""

from __future__ import annotations

import pytest

from fer_core.data.rebalance import NAMED_REMEDIES, Remedy
from fer_ui.datasets.remedy_address import remedy_from_address, remedy_in_words, remedy_to_address

HAND_MADE = Remedy(sampling="over", weights="inverse")


@pytest.mark.parametrize("name", NAMED_REMEDIES)
def test_a_remedy_with_a_name_goes_by_it(name: str) -> None:
    remedy = NAMED_REMEDIES[name].remedy
    assert remedy_to_address(remedy) == name
    assert remedy_from_address(name) == remedy
    assert remedy_in_words(remedy) == NAMED_REMEDIES[name].title


@pytest.mark.parametrize(
    ("remedy", "address"),
    [
        (HAND_MADE, "over~inverse~0.999~0"),
        (Remedy(weights="effective_number", beta=0.9999), "natural~effective_number~0.9999~0"),
        (Remedy(weights="inverse", weights_after_01=0.25), "natural~inverse~0.999~0~0.25"),
        (Remedy(sampling="square_root", logit_tau=1 / 3), "square_root~none~0.999~0.3333333333333333"),
    ],
)
def test_one_without_a_name_comes_back_from_its_parts(remedy: Remedy, address: str) -> None:
    assert remedy_to_address(remedy) == address
    assert remedy_from_address(address) == remedy


def test_links_from_before_weights_could_wait_mean_what_they_did() -> None:
    assert remedy_from_address("over~inverse~0.9~0.5") == Remedy(
        sampling="over", weights="inverse", beta=0.9, logit_tau=0.5
    )


def test_one_with_a_name_may_be_written_in_parts() -> None:
    assert remedy_from_address("under~none~0.999~0.0") == NAMED_REMEDIES["under-sampling"].remedy


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
def test_what_is_no_remedy_is_none(text: str) -> None:
    assert remedy_from_address(text) is None


@pytest.mark.parametrize(
    ("remedy", "words"),
    [
        (HAND_MADE, "Over-sampling, class weights"),
        (Remedy(weights="effective_number", beta=0.99), "Effective-number weights (beta 0.99)"),
        (Remedy(sampling="under", logit_tau=0.5), "Under-sampling, logit adjustment (tau 0.5)"),
        (Remedy(beta=0.5), "As they are"),
        (Remedy(weights="inverse", weights_after_01=0.5), "Class weights after 50 % of the epochs"),
        (
            Remedy(weights="effective_number", beta=0.99, weights_after_01=0.75, logit_tau=1),
            "Effective-number weights (beta 0.99) after 75 % of the epochs, logit adjustment (tau 1)",
        ),
    ],
)
def test_its_parts_in_words(remedy: Remedy, words: str) -> None:
    assert remedy_in_words(remedy) == words
