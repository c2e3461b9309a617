"""What this machine has: packages, accelerator, face detector, store, job database, disk. Loads no torch."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from fer_core.bundles.catalog import find_model, model_in_use
from fer_core.detection.detector import open_detector
from fer_core.errors import FerscopeError
from fer_core.jobs.service import supervisor_status
from fer_core.jobs.store import JobStore
from fer_core.settings import Settings
from fer_core.system.processor import processor

_PACKAGES = ("streamlit", "streamlit-webrtc", "torch", "torchvision", "onnxruntime", "opencv-python", "scikit-learn")
_OTHER_OPENCV = ("opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")
_FREE_GIB_MIN = 2.0

CheckStatus = Literal["good", "warning", "bad"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One thing that was looked at; `remedy` is "" where nothing needs doing."""

    name: str
    status: CheckStatus
    details: str
    remedy: str = ""


def run_checks(settings: Settings) -> list[CheckResult]:
    """Look at everything; a look that fails is a finding, not an error."""
    looks: tuple[tuple[str, Callable[[Settings], CheckResult]], ...] = (
        ("Machine", _machine),
        ("Processor", _processor),
        ("Packages", _packages),
        ("OpenCV", _opencv),
        ("Accelerator", _accelerator),
        ("Face detector", _detector),
        ("Model in use", _model),
        ("Store", _store),
        ("Jobs", _jobs),
    )
    findings = []
    for name, look in looks:
        try:
            findings.append(look(settings))
        except (FerscopeError, OSError) as exc:
            findings.append(CheckResult(name, "bad", str(exc)))
    return findings


def _machine(settings: Settings) -> CheckResult:
    cores = settings.threads or os.cpu_count() or 1
    return CheckResult(
        "Machine",
        "good",
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {cores} cores",
    )


def _processor(_settings: Settings) -> CheckResult:
    """A processor without bf16 is no fault: `precision: auto` then trains in fp32."""
    here = processor()
    trains = "bf16" if here.has_bf16 else "fp32, as it has no bf16 instructions"
    return CheckResult("Processor", "good", f"{here}; training computes in {trains}")


def _packages(_settings: Settings) -> CheckResult:
    versions = {name: _version(name) for name in _PACKAGES}
    missing = [name for name, version in versions.items() if not version]
    found = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    if missing:
        return CheckResult("Packages", "bad", f"{', '.join(missing)} missing", "pip install -r requirements.txt")
    return CheckResult("Packages", "good", found)


def _opencv(_settings: Settings) -> CheckResult:
    others = [name for name in _OTHER_OPENCV if _version(name)]
    if others:
        remedy = f"pip uninstall {' '.join(others)}; pip install --force-reinstall opencv-python"
        return CheckResult("OpenCV", "bad", f"{', '.join(others)} overwrites opencv-python's files", remedy)
    return CheckResult("OpenCV", "good", "one OpenCV, as it should be")


def _accelerator(_settings: Settings) -> CheckResult:
    cards = [path.name for path in Path("/dev").glob("nvidia[0-9]*")]
    if cards:
        return CheckResult("Accelerator", "good", f"{len(cards)} NVIDIA GPU: training uses the first")
    return CheckResult("Accelerator", "good", "none: training runs on the processor")


def _detector(settings: Settings) -> CheckResult:
    opened = open_detector(settings)
    return CheckResult("Face detector", "warning" if opened.message else "good", opened.detector.name, opened.message)


def _model(settings: Settings) -> CheckResult:
    entry = find_model(model_in_use(settings), settings)
    return CheckResult("Model in use", "good", f"{entry.id}: {entry.info.title}")


def _store(settings: Settings) -> CheckResult:
    settings.store.mkdir(parents=True, exist_ok=True)
    free_gib = shutil.disk_usage(settings.store).free / 2**30
    found = f"{settings.store}, {free_gib:.1f} GiB free"
    if not os.access(settings.store, os.W_OK):
        return CheckResult(
            "Store", "bad", f"{settings.store} can't be written to", "Set FERSCOPE_HOME to a folder of yours."
        )
    if free_gib < _FREE_GIB_MIN:
        return CheckResult(
            "Store", "warning", found, f"Free some space: under {_FREE_GIB_MIN:.0f} GiB training may stop."
        )
    return CheckResult("Store", "good", found)


def _jobs(settings: Settings) -> CheckResult:
    with JobStore(settings) as store:
        active = sum(job.state.active for job in store.list())
    status = supervisor_status(settings)
    supervised = f"supervisor running (pid {status.pid})" if status.running else "supervisor asleep, starts with a job"
    return CheckResult("Jobs", "good", f"{active} active; {supervised}")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
