from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fer_core.data.duplicates import dct_descriptor
from fer_core.data.duplicates.dct_descriptor import (
    SIGNATURE_BYTES,
    Signatures,
    decode_signatures,
    encode_signatures,
    similarity,
)

N = 50


def _frequencies(seed: int, n: int = N) -> NDArray[np.float32]:
    """As photographs have them: the waves are the lower the shorter."""
    lower = 1 / (1 + np.arange(8)[:, None] + np.arange(8)).ravel()
    return (np.random.default_rng(seed).standard_normal((n, 64)) * 500 * lower).astype(np.float32)


def _signatures(frequencies: NDArray[np.float32]) -> Signatures:
    return decode_signatures(pd.Series(encode_signatures(frequencies), dtype=object))


def _all_pairs(n: int) -> NDArray[np.int64]:
    return np.stack(np.triu_indices(n), axis=1)


def test_likeness_is_the_correlation_but_for_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    frequencies = _frequencies(0)
    frequencies[1::2] = frequencies[::2] + 0.3 * frequencies[1::2]
    pairs = _all_pairs(N)
    waves = frequencies[:, 1:] / np.linalg.norm(frequencies[:, 1:], axis=1, keepdims=True)
    expected = (waves @ waves.T)[pairs[:, 0], pairs[:, 1]]
    assert expected.max() > 0.9 > 0.1 > expected.min()
    found = similarity(_signatures(frequencies), pairs)
    np.testing.assert_allclose(found, expected, atol=0.01)
    monkeypatch.setattr(dct_descriptor, "_CHUNK", 7)
    np.testing.assert_array_equal(similarity(_signatures(frequencies), pairs), found)


def test_which_of_a_pair_is_first_does_not_matter() -> None:
    signatures, pairs = _signatures(_frequencies(1)), _all_pairs(N)
    np.testing.assert_array_equal(similarity(signatures, pairs), similarity(signatures, pairs[:, ::-1]))


def test_light_and_contrast_do_not_count_but_a_negative_does() -> None:
    frequencies = _frequencies(2, 1)
    brighter, stronger, negative = frequencies.copy(), 1.7 * frequencies, -frequencies
    brighter[:, 0] += 900
    found = similarity(
        _signatures(np.concatenate([frequencies, brighter, stronger, negative])), np.array([[0, 1], [0, 2], [0, 3]])
    )
    np.testing.assert_allclose(found, [1, 1, -1], atol=1e-3)
    assert np.abs(found).max() <= 1


def test_a_signature_is_a_byte_a_frequency() -> None:
    encoded = encode_signatures(_frequencies(3))
    assert {len(each) for each in encoded if each is not None} == {SIGNATURE_BYTES}
    levels = _signatures(_frequencies(3)).levels
    assert levels.shape == (N, SIGNATURE_BYTES)
    assert (np.abs(levels).max(axis=1) == 127).all()


def test_what_shows_nothing_is_like_nothing_not_even_itself() -> None:
    flat = np.zeros((3, 64), np.float32)
    flat[:, 0] = 4000
    flat[1, 1] = 0.5  # rounding
    flat[2, 1] = 50
    assert [each is None for each in encode_signatures(flat)] == [True, True, False]
    found = similarity(_signatures(flat), _all_pairs(3))
    assert found.tolist() == [0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_a_missing_signature_is_like_nothing(missing: object) -> None:
    encoded = encode_signatures(_frequencies(4, 1))
    signatures = decode_signatures(pd.Series([*encoded, missing, *encoded], dtype=object))
    found = similarity(signatures, np.array([[0, 1], [1, 1], [0, 2]]))
    np.testing.assert_allclose(found, [0, 0, 1], atol=1e-6)


def test_nothing_is_compared_where_there_is_nothing() -> None:
    assert encode_signatures(np.zeros((0, 64), np.float32)) == []
    signatures = decode_signatures(pd.Series([], dtype=object))
    assert signatures.levels.shape == (0, SIGNATURE_BYTES)
    assert similarity(signatures, np.zeros((0, 2), np.int64)).shape == (0,)
