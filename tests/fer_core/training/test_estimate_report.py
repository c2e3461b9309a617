from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace

import pytest

from fer_core.training.estimate_report import Estimate, TimeRange

FOUND = Estimate(
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


def test_it_loads_without_torch() -> None:
    code = "import fer_core.training.estimate_report, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "False"


def test_spread_keeps_its_order() -> None:
    spread = TimeRange.of([3.0, 1.0, 2.0])
    assert spread == TimeRange(1.0, 2.0, 3.0)
    assert spread.scale(10, 5) == TimeRange(15.0, 25.0, 35.0)
    assert replace(spread, low=0.0).scale(2).low == 0


def test_it_comes_back_from_json() -> None:
    assert Estimate.from_json(json.dumps(asdict(FOUND))) == FOUND


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"batch_s": {"low": 1}}', json.dumps({"device": "cpu"})])
def test_something_else_is_no_estimate(text: str) -> None:
    with pytest.raises(ValueError, match=r"not an estimate|Expecting value"):
        Estimate.from_json(text)


def test_more_epochs_take_longer_and_packing_counts_once() -> None:
    assert FOUND.total_s(3) == FOUND.run_s
    assert FOUND.total_s(6).middle == 6 * 20 + 5


def test_memory_is_compared_with_what_is_free() -> None:
    assert FOUND.fits
    assert not replace(FOUND, free_bytes=FOUND.memory_bytes).fits


def test_its_words_say_size_speed_and_time() -> None:
    words = FOUND.describe(6)
    for said in ("700,000 parameters", "500 MiB on cpu of 7.8 GiB free", "320 images/s", "70 MiB of disk"):
        assert said in words
    assert words.endswith("6 epochs: 2.1 min (from 65 s to 4.1 min)")
    assert "decoded again" in replace(FOUND, packed="streamed").describe(1)
    assert str(FOUND.epoch_s) == "20 s (from 10 s to 40 s)"
