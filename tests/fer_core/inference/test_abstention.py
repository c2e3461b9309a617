"""Texts of the reasons to abstain."""

from __future__ import annotations

from fer_core.inference.abstention import describe_low_confidence


def test_a_low_confidence_never_looks_equal_to_the_threshold() -> None:
    assert describe_low_confidence(0.47, 0.6) == "47.0 % is below the 60.0 % needed"
    assert describe_low_confidence(0.5997, 0.6) == "59.97 % is below the 60.00 % needed"
