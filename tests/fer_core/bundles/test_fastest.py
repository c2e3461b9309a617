from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fer_core.bundles.bundle import INT8_FILE, MODEL_FILE, Bundle
from fer_core.bundles.fastest import open_fastest

MakeBundle = Callable[..., Path]
WriteNetwork = Callable[..., None]


@pytest.fixture
def folder(make_bundle: MakeBundle, write_network: WriteNetwork) -> Path:
    """A model with an FP32 and an INT8 network of different outputs."""
    folder = make_bundle()
    write_network(folder / INT8_FILE, 2 * np.eye(3, dtype=np.float32), np.zeros(3))
    return folder


@pytest.mark.parametrize(
    ("fp32", "int8", "precision", "reason"),
    [
        (14.5, 8.9, "INT8", "8.9 ms a face on this processor, FP32 14.5 ms"),
        (4.6, 1.5, "INT8", "1.5 ms a face on this processor, FP32 4.6 ms"),
        (3.0, 5.0, "FP32", "3.0 ms a face on this processor, INT8 5.0 ms"),
    ],
)
def test_the_faster_network_is_selected_with_its_reason(
    folder: Path, fp32: float, int8: float, precision: str, reason: str
) -> None:
    timings = {MODEL_FILE: fp32, INT8_FILE: int8}
    fastest = open_fastest(folder, ms_per_face=lambda bundle: timings[bundle.model_file])
    assert (fastest.precision, fastest.reason, dict(fastest.ms_per_face)) == (precision, reason, timings)
    faces = np.ones((1, 3, 16, 16), np.float32)
    expected = Bundle.open(folder, model_file=fastest.bundle.model_file).logits(faces)
    np.testing.assert_array_equal(fastest.bundle.logits(faces), expected)


def test_a_model_with_one_network_uses_it(make_bundle: MakeBundle) -> None:
    fastest = open_fastest(make_bundle(), ms_per_face=lambda bundle: 2.0)
    assert (fastest.precision, fastest.reason) == (
        "FP32",
        "2.0 ms a face on this processor, its only network",
    )


def test_each_network_is_timed(folder: Path) -> None:
    fastest = open_fastest(folder, threads=1)
    assert fastest.ms_per_face.keys() == {MODEL_FILE, INT8_FILE}
    assert all(0 < value < 10_000 for value in fastest.ms_per_face.values())
    assert fastest.ms_per_face[fastest.bundle.model_file] == min(fastest.ms_per_face.values())
