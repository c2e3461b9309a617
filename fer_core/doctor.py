"""Check the installation: packages, devices, face detector, model, store and jobs. Loads no torch."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Literal

from fer_core.bundles.catalog import active_model_id, find_model
from fer_core.detection.open_detector import open_detector
from fer_core.errors import FerscopeError
from fer_core.jobs.store import JobStore
from fer_core.jobs.supervisor_process import supervisor_status
from fer_core.settings import Settings
from fer_core.system.processor import processor
from fer_core.text import format_size

_PACKAGES = ("streamlit", "streamlit-webrtc", "torch", "torchvision", "onnxruntime", "opencv-python", "scikit-learn")
_CONFLICTING_OPENCV = ("opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")
_FREE_BYTES_MIN = 2 * 2**30

CheckStatus = Literal["good", "warning", "bad"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check; `remedy` is empty if there is nothing to do."""

    status: CheckStatus
    details: str
    remedy: str = ""
    name: str = ""


def run_checks(settings: Settings) -> list[CheckResult]:
    """Run all checks; one that raises an error has the status "bad"."""
    checks: dict[str, Callable[[Settings], CheckResult]] = {
        "Machine": _check_machine,
        "Processor": _check_processor,
        "Packages": _check_packages,
        "OpenCV": _check_opencv,
        "Accelerator": _check_accelerator,
        "Face detector": _check_detector,
        "Model in use": _check_model,
        "Store": _check_store,
        "Jobs": _check_jobs,
    }
    results = []
    for name, check in checks.items():
        try:
            result = check(settings)
        except (FerscopeError, OSError) as exc:
            result = CheckResult("bad", str(exc))
        results.append(replace(result, name=name))
    return results


def _check_machine(settings: Settings) -> CheckResult:
    cores = settings.threads or os.cpu_count() or 1
    system = f"{platform.system()} {platform.machine()}"
    return CheckResult("good", f"{system}, Python {platform.python_version()}, {cores} cores")


def _check_processor(_settings: Settings) -> CheckResult:
    """Without bf16 instructions, `precision: auto` trains in fp32."""
    cpu = processor()
    precision = "bf16" if cpu.has_bf16 else "fp32, as it has no bf16 instructions"
    return CheckResult("good", f"{cpu}; trains in {precision}")


def _check_packages(_settings: Settings) -> CheckResult:
    versions = {name: _version(name) for name in _PACKAGES}
    if missing := [name for name, version in versions.items() if not version]:
        return CheckResult("bad", f"{', '.join(missing)} missing", "pip install -r requirements.txt")
    return CheckResult("good", ", ".join(f"{name} {version}" for name, version in versions.items()))


def _check_opencv(_settings: Settings) -> CheckResult:
    if conflicting := [name for name in _CONFLICTING_OPENCV if _version(name)]:
        remedy = f"pip uninstall {' '.join(conflicting)}; pip install --force-reinstall opencv-python"
        return CheckResult("bad", f"{', '.join(conflicting)} overwrites files of opencv-python", remedy)
    return CheckResult("good", "no conflicting packages")


def _check_accelerator(_settings: Settings) -> CheckResult:
    if cards := len(list(Path("/dev").glob("nvidia[0-9]*"))):
        return CheckResult("good", f"{cards} NVIDIA GPU; training uses the first")
    return CheckResult("good", "no GPU; training runs on the processor")


def _check_detector(settings: Settings) -> CheckResult:
    opened = open_detector(settings)
    return CheckResult("warning" if opened.warning else "good", opened.detector.name, opened.warning)


def _check_model(settings: Settings) -> CheckResult:
    entry = find_model(active_model_id(settings), settings)
    return CheckResult("good", f"{entry.id}: {entry.info.title}")


def _check_store(settings: Settings) -> CheckResult:
    settings.store.mkdir(parents=True, exist_ok=True)
    free_bytes = shutil.disk_usage(settings.store).free
    details = f"{settings.store}, {format_size(free_bytes)} free"
    if not os.access(settings.store, os.W_OK):
        return CheckResult("bad", f"{settings.store} is not writable", "Set FERSCOPE_HOME to a writable folder.")
    if free_bytes < _FREE_BYTES_MIN:
        remedy = f"Free some space: with less than {format_size(_FREE_BYTES_MIN)}, training may fail."
        return CheckResult("warning", details, remedy)
    return CheckResult("good", details)


def _check_jobs(settings: Settings) -> CheckResult:
    with JobStore(settings) as store:
        active = sum(job.state.active for job in store.list())
    status = supervisor_status(settings)
    supervisor = f"runs as process {status.pid}" if status.running else "starts with the next job"
    return CheckResult("good", f"{active} active; the supervisor {supervisor}")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
