from __future__ import annotations

import pytest

from fer_core.errors import InputError
from fer_core.jobs import devices
from fer_core.jobs.job import JobKind
from fer_core.jobs.store import JobStore


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "version", lambda _name: "2.9.0+cu128")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4, GPU-7")


def test_a_training_takes_the_gpu_with_the_fewest_jobs(two_gpus: None) -> None:
    assert devices.gpus() == ["gpu:0", "gpu:1"]
    assert devices.pick_training_device() == "gpu:0"
    assert devices.pick_training_device(["gpu:0", "cpu", "cpu"]) == "gpu:1"


@pytest.mark.parametrize("visible", ["", "-1"])
def test_without_a_gpu_the_processor_is_picked(two_gpus: None, visible: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert devices.pick_training_device() == "cpu"


def test_a_torch_without_cuda_has_no_gpu(two_gpus: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "version", lambda _name: "2.9.0+cpu")
    assert devices.gpus() == []


def test_a_process_sees_only_its_own_device(two_gpus: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert devices.device_environment("gpu:1") == {"CUDA_VISIBLE_DEVICES": "GPU-7"}
    assert devices.device_environment("cpu") == {"CUDA_VISIBLE_DEVICES": ""}
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert devices.device_environment("gpu:1") == {"CUDA_VISIBLE_DEVICES": "1"}


def test_an_unknown_device_is_refused_with_the_available_ones(two_gpus: None) -> None:
    assert devices.check_device("gpu:1") == "gpu:1"
    with pytest.raises(InputError, match=r"'gpu:2'.*cpu, gpu:0, gpu:1"):
        devices.check_device("gpu:2")


def test_a_full_device_blocks_only_its_own_jobs(jobs: JobStore) -> None:
    jobs.submit(JobKind.TRAIN, "t", (), "r", device="gpu:0", priority=5, job_id="urgent")
    jobs.submit(JobKind.IMPORT, "t", (), "r", job_id="import")
    claimed = jobs.claim_next(["gpu:0"])
    assert claimed is not None and claimed.id == "import"
    assert jobs.claim_next(["gpu:0", "cpu"]) is None
    assert [job.id for job in jobs.queued()] == ["urgent"]
