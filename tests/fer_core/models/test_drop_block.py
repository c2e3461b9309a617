from __future__ import annotations

import pytest
import torch

from fer_core.models.drop_block import DropBlock


def test_about_the_share_is_dropped_and_the_rest_is_scaled_up() -> None:
    torch.manual_seed(0)
    features = torch.ones(64, 16, 20, 20)
    dropped = DropBlock(0.1, 5)(features)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.1, abs=0.015)
    assert dropped.mean().item() == pytest.approx(1, abs=1e-4)
    assert len(dropped.unique()) == 2


def test_whole_squares_are_dropped() -> None:
    """Every dropped place lies in a 3x3 square of dropped ones: opening the mask by 3x3 changes nothing."""
    torch.manual_seed(1)
    missing = (DropBlock(0.2, 3)(torch.ones(8, 4, 15, 15)) == 0).float()
    assert 0 < missing.mean() < 0.5
    whole = -torch.nn.functional.max_pool2d(-missing, 3, 1)
    grown = torch.nn.functional.max_pool2d(torch.nn.functional.pad(whole, [2] * 4), 3, 1)
    assert torch.equal(grown, missing)


def test_channels_lose_different_squares() -> None:
    torch.manual_seed(2)
    missing = DropBlock(0.3, 5)(torch.ones(1, 8, 14, 14))[0] == 0
    assert any(not torch.equal(missing[0], other) for other in missing[1:])


def test_nothing_is_dropped_after_training_or_at_share_nought() -> None:
    features = torch.rand(2, 3, 9, 9)
    assert DropBlock(0.5, 5).eval()(features) is features
    assert DropBlock(0.0, 5).train()(features) is features


def test_a_square_larger_than_the_map_is_cut_to_it() -> None:
    torch.manual_seed(3)
    dropped = DropBlock(0.5, 7)(torch.ones(200, 1, 3, 3))
    assert dropped.isfinite().all()
    each = (dropped == 0).flatten(1).float().mean(1)
    assert set(each.tolist()) == {0.0, 1.0}
    assert each.mean().item() == pytest.approx(0.5, abs=0.12)
