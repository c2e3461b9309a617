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
    """Random DCT coefficients that fall off with frequency, as in photographs."""
    falloff = 1 / (1 + np.arange(8)[:, None] + np.arange(8)).ravel()
    return (np.random.default_rng(seed).standard_normal((n, 64)) * 500 * falloff).astype(np.float32)


def _signatures(frequencies: NDArray[np.float32]) -> Signatures:
    return decode_signatures(pd.Series(encode_signatures(frequencies), dtype=object))


def _all_pairs(n: int) -> NDArray[np.int64]:
    return np.stack(np.triu_indices(n), axis=1)


def test_similarity_is_the_correlation_up_to_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    frequencies = _frequencies(0)
    frequencies[1::2] = frequencies[::2] + 0.3 * frequencies[1::2]
    pairs = _all_pairs(N)
    normalized = frequencies[:, 1:] / np.linalg.norm(frequencies[:, 1:], axis=1, keepdims=True)
    expected = (normalized @ normalized.T)[pairs[:, 0], pairs[:, 1]]
    assert expected.max() > 0.9 > 0.1 > expected.min()
    result = similarity(_signatures(frequencies), pairs)
    np.testing.assert_allclose(result, expected, atol=0.01)
    monkeypatch.setattr(dct_descriptor, "_CHUNK", 7)
    np.testing.assert_array_equal(similarity(_signatures(frequencies), pairs), result)


def test_similarity_is_symmetric() -> None:
    signatures, pairs = _signatures(_frequencies(1)), _all_pairs(N)
    np.testing.assert_array_equal(similarity(signatures, pairs), similarity(signatures, pairs[:, ::-1]))


def test_similarity_ignores_brightness_and_contrast_but_not_inversion() -> None:
    frequencies = _frequencies(2, 1)
    brighter, higher_contrast, inverted = frequencies.copy(), 1.7 * frequencies, -frequencies
    brighter[:, 0] += 900
    result = similarity(
        _signatures(np.concatenate([frequencies, brighter, higher_contrast, inverted])),
        np.array([[0, 1], [0, 2], [0, 3]]),
    )
    np.testing.assert_allclose(result, [1, 1, -1], atol=1e-3)
    assert np.abs(result).max() <= 1


def test_a_signature_has_one_byte_per_frequency() -> None:
    encoded = encode_signatures(_frequencies(3))
    assert {len(signature) for signature in encoded if signature is not None} == {SIGNATURE_BYTES}
    levels = _signatures(_frequencies(3)).levels
    assert levels.shape == (N, SIGNATURE_BYTES)
    assert (np.abs(levels).max(axis=1) == 127).all()


def test_flat_images_are_not_even_similar_to_themselves() -> None:
    flat = np.zeros((3, 64), np.float32)
    flat[:, 0] = 4000
    flat[1, 1] = 0.5  # rounding
    flat[2, 1] = 50
    assert [signature is None for signature in encode_signatures(flat)] == [True, True, False]
    result = similarity(_signatures(flat), _all_pairs(3))
    assert result.tolist() == [0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_a_missing_signature_is_similar_to_nothing(missing: object) -> None:
    encoded = encode_signatures(_frequencies(4, 1))
    signatures = decode_signatures(pd.Series([*encoded, missing, *encoded], dtype=object))
    result = similarity(signatures, np.array([[0, 1], [1, 1], [0, 2]]))
    np.testing.assert_allclose(result, [0, 0, 1], atol=1e-6)


def test_empty_input_gives_empty_output() -> None:
    assert encode_signatures(np.zeros((0, 64), np.float32)) == []
    signatures = decode_signatures(pd.Series([], dtype=object))
    assert signatures.levels.shape == (0, SIGNATURE_BYTES)
    assert similarity(signatures, np.zeros((0, 2), np.int64)).shape == (0,)
