from __future__ import annotations

import pytest
import torch

from fer_core.models.drop_block import DropBlock


def test_the_given_share_is_dropped_and_the_rest_scaled_up() -> None:
    torch.manual_seed(0)
    features = torch.ones(64, 16, 20, 20)
    dropped = DropBlock(0.1, 5)(features)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.1, abs=0.015)
    assert dropped.mean().item() == pytest.approx(1, abs=1e-4)
    assert len(dropped.unique()) == 2


def test_square_blocks_are_dropped() -> None:
    """Every dropped pixel is part of a dropped 3x3 block, so morphological opening changes nothing."""
    torch.manual_seed(1)
    dropped_mask = (DropBlock(0.2, 3)(torch.ones(8, 4, 15, 15)) == 0).float()
    assert 0 < dropped_mask.mean() < 0.5
    eroded = -torch.nn.functional.max_pool2d(-dropped_mask, 3, 1)
    dilated = torch.nn.functional.max_pool2d(torch.nn.functional.pad(eroded, [2] * 4), 3, 1)
    assert torch.equal(dilated, dropped_mask)


def test_channels_drop_different_blocks() -> None:
    torch.manual_seed(2)
    dropped_mask = DropBlock(0.3, 5)(torch.ones(1, 8, 14, 14))[0] == 0
    assert any(not torch.equal(dropped_mask[0], other) for other in dropped_mask[1:])


def test_nothing_is_dropped_in_evaluation_or_with_share_zero() -> None:
    features = torch.rand(2, 3, 9, 9)
    assert DropBlock(0.5, 5).eval()(features) is features
    assert DropBlock(0.0, 5).train()(features) is features


def test_a_block_larger_than_the_map_is_clipped() -> None:
    torch.manual_seed(3)
    dropped = DropBlock(0.5, 7)(torch.ones(200, 1, 3, 3))
    assert dropped.isfinite().all()
    dropped_share = (dropped == 0).flatten(1).float().mean(1)
    assert set(dropped_share.tolist()) == {0.0, 1.0}
    assert dropped_share.mean().item() == pytest.approx(0.5, abs=0.12)
