"""Devices that jobs run on: the processor and GPUs, each with its own queue and limit."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fer_core.errors import InputError
from fer_core.settings import Settings

CPU = "cpu"
_GPU = "gpu:"
_VISIBLE = "CUDA_VISIBLE_DEVICES"


def gpus() -> list[str]:
    """List the GPUs that a training can use, such as "gpu:0", without loading torch."""
    if not _torch_has_cuda():
        return []
    visible = os.environ.get(_VISIBLE)
    if visible is not None:
        count = len([name for name in visible.split(",") if name.strip() not in ("", "-1")])
    else:
        count = len(list(Path("/dev").glob("nvidia[0-9]*")))
    return [f"{_GPU}{index}" for index in range(count)]


def pick_training_device(busy: Iterable[str] = ()) -> str:
    """Pick the GPU that occurs least in `busy`, or the processor if there is no GPU."""
    used = list(busy)
    return min(gpus(), key=used.count, default=CPU)


def check_device(device: str) -> str:
    """Return `device` if this machine has it, or if it is "" for the best device.

    Raises:
        InputError: this machine does not have it.
    """
    known = [CPU, *gpus()]
    if device and device not in known:
        raise InputError(f"There is no device {device!r}. Choose one of: {', '.join(known)}.")
    return device


def job_limit(device: str, settings: Settings) -> int:
    """Maximum number of concurrent jobs on a device."""
    return settings.jobs_at_once if device == CPU else settings.gpu_jobs_at_once


def device_environment(device: str) -> dict[str, str]:
    """Environment variables that make only `device` visible to a process."""
    if not device.startswith(_GPU):
        return {_VISIBLE: ""}
    index = int(device.removeprefix(_GPU))
    visible = [name for name in os.environ.get(_VISIBLE, "").split(",") if name.strip()]
    return {_VISIBLE: visible[index].strip() if index < len(visible) else str(index)}


def format_device(device: str) -> str:
    """Format a device: "processor", "GPU 0"."""
    return "processor" if device == CPU else f"GPU {device.removeprefix(_GPU)}"


def _torch_has_cuda() -> bool:
    try:
        return not version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return False
