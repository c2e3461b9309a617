from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace

import pytest

from fer_core.training.estimate_report import Estimate, TimeRange

ESTIMATE = Estimate(
    device="cpu",
    threads=2,
    precision="fp32",
    parameters=700_000,
    learned=700_000,
    multiply_adds=78_000_000,
    train_images=6_400,
    valid_images=800,
    batches=100,
    timed_batches=30,
    batch_s=TimeRange(0.1, 0.2, 0.4),
    epoch_s=TimeRange(10.0, 20.0, 40.0),
    run_s=TimeRange(35.0, 65.0, 125.0),
    images_per_s=320.0,
    memory_bytes=500 * 2**20,
    free_bytes=8_000 * 2**20,
    pack_bytes=70 * 2**20,
    pack_s=5.0,
    packed="first",
)


def test_the_report_loads_without_torch() -> None:
    code = "import fer_core.training.estimate_report, sys; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert result.stdout.strip() == "False"


def test_a_time_range_keeps_its_order() -> None:
    time_range = TimeRange.of([3.0, 1.0, 2.0])
    assert time_range == TimeRange(1.0, 2.0, 3.0)
    assert time_range.scale(10, 5) == TimeRange(15.0, 25.0, 35.0)
    assert replace(time_range, low=0.0).scale(2).low == 0


def test_an_estimate_round_trips_through_json() -> None:
    assert Estimate.from_json(json.dumps(asdict(ESTIMATE))) == ESTIMATE


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"batch_s": {"low": 1}}', json.dumps({"device": "cpu"})])
def test_invalid_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not an estimate|Expecting value"):
        Estimate.from_json(text)


def test_more_epochs_take_longer_and_packing_counts_once() -> None:
    assert ESTIMATE.total_s(3) == ESTIMATE.run_s
    assert ESTIMATE.total_s(6).middle == 6 * 20 + 5


def test_memory_is_compared_with_free_memory() -> None:
    assert ESTIMATE.fits
    assert not replace(ESTIMATE, free_bytes=ESTIMATE.memory_bytes).fits


def test_the_description_has_size_speed_and_time() -> None:
    description = ESTIMATE.describe(6)
    for text in ("700,000 parameters", "500 MiB on cpu of 7.8 GiB free", "320 images/s", "70 MiB of disk"):
        assert text in description
    assert description.endswith("6 epochs: 2.1 min (from 65 s to 4.1 min)")
    assert "decoded again" in replace(ESTIMATE, packed="streamed").describe(1)
    assert str(ESTIMATE.epoch_s) == "20 s (from 10 s to 40 s)"
