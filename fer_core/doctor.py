"""Check the installation: packages, devices, face detector, model, store and jobs. Loads no torch."""

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
    """The result of one check; `remedy` is empty if there is nothing to do."""

    name: str
    status: CheckStatus
    details: str
    remedy: str = ""


def run_checks(settings: Settings) -> list[CheckResult]:
    """Run all checks; one that raises an error has the status "bad"."""
    checks: tuple[tuple[str, Callable[[Settings], CheckResult]], ...] = (
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
    results = []
    for name, check in checks:
        try:
            results.append(check(settings))
        except (FerscopeError, OSError) as exc:
            results.append(CheckResult(name, "bad", str(exc)))
    return results


def _machine(settings: Settings) -> CheckResult:
    cores = settings.threads or os.cpu_count() or 1
    return CheckResult(
        "Machine",
        "good",
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {cores} cores",
    )


def _processor(_settings: Settings) -> CheckResult:
    """Without bf16 instructions, `precision: auto` trains in fp32."""
    cpu = processor()
    precision = "bf16" if cpu.has_bf16 else "fp32, as it has no bf16 instructions"
    return CheckResult("Processor", "good", f"{cpu}; trains in {precision}")


def _packages(_settings: Settings) -> CheckResult:
    versions = {name: _version(name) for name in _PACKAGES}
    missing = [name for name, version in versions.items() if not version]
    installed = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    if missing:
        return CheckResult("Packages", "bad", f"{', '.join(missing)} missing", "pip install -r requirements.txt")
    return CheckResult("Packages", "good", installed)


def _opencv(_settings: Settings) -> CheckResult:
    conflicting = [name for name in _OTHER_OPENCV if _version(name)]
    if conflicting:
        remedy = f"pip uninstall {' '.join(conflicting)}; pip install --force-reinstall opencv-python"
        return CheckResult("OpenCV", "bad", f"{', '.join(conflicting)} overwrites files of opencv-python", remedy)
    return CheckResult("OpenCV", "good", "no conflicting packages")


def _accelerator(_settings: Settings) -> CheckResult:
    cards = [path.name for path in Path("/dev").glob("nvidia[0-9]*")]
    if cards:
        return CheckResult("Accelerator", "good", f"{len(cards)} NVIDIA GPU; training uses the first")
    return CheckResult("Accelerator", "good", "no GPU; training runs on the processor")


def _detector(settings: Settings) -> CheckResult:
    opened = open_detector(settings)
    return CheckResult("Face detector", "warning" if opened.message else "good", opened.detector.name, opened.message)


def _model(settings: Settings) -> CheckResult:
    entry = find_model(model_in_use(settings), settings)
    return CheckResult("Model in use", "good", f"{entry.id}: {entry.info.title}")


def _store(settings: Settings) -> CheckResult:
    settings.store.mkdir(parents=True, exist_ok=True)
    free_gib = shutil.disk_usage(settings.store).free / 2**30
    details = f"{settings.store}, {free_gib:.1f} GiB free"
    if not os.access(settings.store, os.W_OK):
        return CheckResult(
            "Store", "bad", f"{settings.store} is not writable", "Set FERSCOPE_HOME to a writable folder."
        )
    if free_gib < _FREE_GIB_MIN:
        return CheckResult(
            "Store", "warning", details, f"Free some space: with less than {_FREE_GIB_MIN:.0f} GiB, training may fail."
        )
    return CheckResult("Store", "good", details)


def _jobs(settings: Settings) -> CheckResult:
    with JobStore(settings) as store:
        active = sum(job.state.active for job in store.list())
    status = supervisor_status(settings)
    supervisor = f"runs as process {status.pid}" if status.running else "starts with the next job"
    return CheckResult("Jobs", "good", f"{active} active; the supervisor {supervisor}")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
