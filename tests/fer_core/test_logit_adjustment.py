from __future__ import annotations

import numpy as np
import pytest

from fer_core.logit_adjustment import adjust_logits, logit_offsets

CLASS_COUNTS = np.array([9360.0, 7408, 3418, 3368, 651, 175, 2395, 165])


def test_offsets_are_logarithms_of_the_shares() -> None:
    offsets = logit_offsets(np.array([3.0, 1.0]), 2)
    assert offsets.tolist() == pytest.approx([2 * np.log(0.75), 2 * np.log(0.25)])
    assert logit_offsets(CLASS_COUNTS, 0).tolist() == [0] * 8
    assert logit_offsets(CLASS_COUNTS.astype(np.float32), 1).dtype == np.float32


def test_an_empty_class_has_the_offset_of_the_rarest() -> None:
    offsets = logit_offsets(np.array([3.0, 0, 1.0]), 1)
    assert offsets[1] == offsets[2] == pytest.approx(np.log(0.25))
    assert np.isfinite(logit_offsets(np.zeros(3), 1)).all()


def test_adjusting_logits_undoes_the_offsets_of_the_loss() -> None:
    logits = np.random.default_rng(0).normal(size=(5, 8))
    shares = CLASS_COUNTS / CLASS_COUNTS.sum()
    adjusted = adjust_logits(logits + logit_offsets(CLASS_COUNTS, 0.7), np.log(shares), 0.7)
    np.testing.assert_allclose(adjusted, logits)
