"""What a job runs on: the processor or a GPU; each has a queue and a limit of its own."""

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
    """The GPUs that a training process can use, "gpu:0" and so on; looked for without loading torch."""
    if not _torch_speaks_cuda():
        return []
    chosen = os.environ.get(_VISIBLE)
    if chosen is not None:
        number = len([name for name in chosen.split(",") if name.strip() not in ("", "-1")])
    else:
        number = len(list(Path("/dev").glob("nvidia[0-9]*")))
    return [f"{_GPU}{place}" for place in range(number)]


def pick_training_device(busy: Iterable[str] = ()) -> str:
    """Where a new training runs: the GPU with the fewest of the `busy` devices' jobs, or the processor."""
    taken = list(busy)
    return min(gpus(), key=taken.count, default=CPU)


def check_device(device: str) -> str:
    """`device` itself when this machine has it; "" stands for whichever is best.

    Raises:
        InputError: it has not.
    """
    known = [CPU, *gpus()]
    if device and device not in known:
        raise InputError(f"There is no device {device!r} here. Give one of: {', '.join(known)}.")
    return device


def job_limit(device: str, settings: Settings) -> int:
    """How many jobs may run on a device at the same time."""
    return settings.jobs_at_once if device == CPU else settings.gpu_jobs_at_once


def device_environment(device: str) -> dict[str, str]:
    """What a job's process is told so that it sees its own device and no other."""
    if not device.startswith(_GPU):
        return {_VISIBLE: ""}
    place = int(device.removeprefix(_GPU))
    chosen = [name for name in os.environ.get(_VISIBLE, "").split(",") if name.strip()]
    return {_VISIBLE: chosen[place].strip() if place < len(chosen) else str(place)}


def format_device(device: str) -> str:
    """ "processor", "GPU 0"."""
    return "processor" if device == CPU else f"GPU {device.removeprefix(_GPU)}"


def _torch_speaks_cuda() -> bool:
    try:
        return not version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return False
