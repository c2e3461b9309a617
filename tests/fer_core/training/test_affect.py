from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from fer_core.errors import InputError
from fer_core.training.affect import affect_loss, affect_scores, affect_targets, concordance

TRUTH = torch.rand(50, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_concordance_is_one_for_equal_values_and_falls_with_shift_scale_and_sign() -> None:
    torch.testing.assert_close(concordance(TRUTH, TRUTH), torch.ones(2))
    torch.testing.assert_close(concordance(-TRUTH + 2 * TRUTH.mean(0), TRUTH), -torch.ones(2))
    for other in (TRUTH + 0.3, TRUTH * 0.5, torch.zeros(50, 2)):
        assert (concordance(other, TRUTH) < 0.99).all()
    torch.testing.assert_close(concordance(torch.zeros(50, 2), TRUTH), torch.zeros(2))


def test_concordance_matches_its_formula() -> None:
    first, second = np.array([0.0, 1.0, 2.0]), np.array([1.0, 1.0, 3.0])
    expected = (
        2 * np.cov(first, second, bias=True)[0, 1] / (first.var() + second.var() + (first.mean() - second.mean()) ** 2)
    )
    result = concordance(torch.tensor(first)[:, None], torch.tensor(second)[:, None])
    assert result.item() == pytest.approx(expected)


def test_rows_without_values_are_ignored() -> None:
    predicted = torch.rand(50, 2, generator=torch.Generator().manual_seed(1)).requires_grad_()
    truth = TRUTH.clone()
    truth[20:, 0] = torch.nan
    loss = affect_loss(predicted, truth)
    assert loss.item() == pytest.approx(affect_loss(predicted[:20], TRUTH[:20]).item())
    loss.backward()  # type: ignore[no-untyped-call]
    assert predicted.grad is not None
    assert predicted.grad[20:].abs().max() == 0
    assert predicted.grad[:20].abs().max() > 0


@pytest.mark.parametrize("known", [0, 1])
def test_too_few_values_give_zero_loss_and_no_gradient(known: int) -> None:
    predicted = torch.zeros(5, 2, requires_grad=True)
    truth = torch.full((5, 2), torch.nan)
    truth[:known] = 0.5
    loss = affect_loss(predicted, truth)
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == 0 and predicted.grad is not None and predicted.grad.abs().max() == 0
    assert affect_scores(predicted.detach().numpy(), truth.numpy()) == {
        "valid_ccc_valence": None,
        "valid_ccc_arousal": None,
    }


def test_constant_values_keep_the_loss_finite() -> None:
    predicted = torch.full((5, 2), 0.5, requires_grad=True)
    loss = affect_loss(predicted, torch.full((5, 2), 0.5))
    loss.backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(loss) and predicted.grad is not None and torch.isfinite(predicted.grad).all()


def test_affect_scores_have_names() -> None:
    scores = affect_scores(TRUTH.numpy(), TRUTH.numpy())
    assert scores == {"valid_ccc_valence": pytest.approx(1), "valid_ccc_arousal": pytest.approx(1)}


def test_values_out_of_range_are_missing() -> None:
    index = pd.DataFrame({"valence": [0.5, -2.0, None, 1.0], "arousal": [-0.5, -2.0, 0.1, 1.5]})
    rows = affect_targets(index)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, np.array([[0.5, -0.5], *[[np.nan] * 2] * 3], np.float32))


@pytest.mark.parametrize("index", [pd.DataFrame({"id": ["a"]}), pd.DataFrame({"valence": [None], "arousal": [None]})])
def test_a_dataset_without_affect_is_refused(index: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"no valence and arousal.*Set affect_weight to 0"):
        affect_targets(index)
