"""Estimate of time and memory, measured on a few batches in a subprocess in the background."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.jobs.run_estimate import QUICK_S, THOROUGH_S, BackgroundEstimate
from fer_core.settings import settings
from fer_core.text import format_duration, format_size
from fer_core.training.config.optimization import EarlyStoppingConfig
from fer_core.training.config.train_config import TrainConfig
from fer_core.training.estimate_report import Estimate, TimeRange
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count
from fer_ui.frame.header import Headline, headline, notice
from fer_ui.frame.progress_bar import progress_bar

_KEY, _RUNNING, _FAILED = "train-estimates", "train-estimate-running", "train-estimate-failed"
_REFRESH_S = 1.0
_TIGHT_01 = 0.85
"""Memory is called tight above this share of the free memory."""


def estimate_key(config: TrainConfig, dataset: StoredDataset, device: str) -> str:
    """Build a key of what an estimate depends on: config without title, epochs and selection; data; device."""
    default = TrainConfig(dataset=config.dataset)
    same = {"title": "", "epochs": default.epochs, "monitor": default.monitor, "early_stopping": EarlyStoppingConfig()}
    content = config.model_copy(update=same).model_dump(mode="json")
    return json.dumps([content, dataset.fingerprint, dataset.corrections().version, device])


def start_estimate(config: TrainConfig, dataset: StoredDataset, device: str, timeout_s: float = QUICK_S) -> None:
    """Start measuring in the background, unless this was measured before."""
    key = estimate_key(config, dataset, device)
    st.session_state.pop(_FAILED, None)
    if key in _estimates() or _running():
        return
    st.session_state[_RUNNING] = BackgroundEstimate(key, config, settings(), device, timeout_s)


def find_estimate(config: TrainConfig, dataset: StoredDataset, device: str) -> Estimate | None:
    """Find what the session has measured for this config."""
    return _estimates().get(estimate_key(config, dataset, device))


def show_estimate(config: TrainConfig, dataset: StoredDataset, device: str, runs: int) -> None:
    """Show the progress of a measurement, which can be cancelled, or its result; the form stays usable meanwhile."""
    st.fragment(_show_running, run_every=_REFRESH_S if _running() else None)()
    if failed := st.session_state.get(_FAILED):
        _show_failure(failed, config, dataset, device)
    estimate = find_estimate(config, dataset, device)
    if estimate is None:
        if _estimates() and not _running():
            st.caption("The form has changed since the last estimate.")
        return
    with st.container(gap="small"):
        headline(estimate_headlines(estimate, config.epochs, runs))
        for warning in estimate_warnings(estimate, shutil.disk_usage(_existing_folder(settings().store)).free):
            notice("warning", warning)
        st.caption(escape_markdown(f"{describe_packing(estimate)} {describe_measurement(estimate)}"))


def _show_running() -> None:
    """Show the running measurement; once it ends, keep its result and rerun the page."""
    running: BackgroundEstimate | None = st.session_state.get(_RUNNING)
    if running is None:
        return
    if running.running:
        elapsed_s, most_s = round(running.elapsed_s), round(running.timeout_s)
        text = f"Trains a few batches on this machine: {elapsed_s} of at most {most_s} s. You can go on editing."
        progress_bar("Estimate", min(1.0, running.elapsed_s / running.timeout_s), text)
        st.button("Cancel", key="train-estimate-cancel", icon=":material/stop_circle:", on_click=running.cancel)
        return
    del st.session_state[_RUNNING]
    if running.result is not None:
        _estimates()[running.key] = running.result
    elif running.error and not running.cancelled:
        st.session_state[_FAILED] = running.error
    st.rerun()


def _show_failure(error: str, config: TrainConfig, dataset: StoredDataset, device: str) -> None:
    notice("warning", error)
    minutes = round(THOROUGH_S / 60)
    st.button(
        f"Estimate again with up to {minutes} minutes",
        key="train-estimate-longer",
        on_click=start_estimate,
        args=(config, dataset, device, THOROUGH_S),
    )


def _running() -> bool:
    return _RUNNING in st.session_state


def _estimates() -> dict[str, Estimate]:
    estimates: dict[str, Estimate] = st.session_state.setdefault(_KEY, {})
    return estimates


def estimate_headlines(estimate: Estimate, epochs: int, runs: int = 1) -> list[Headline]:
    """Build the headline numbers: time and memory."""
    total = estimate.total_s(epochs * runs)
    label = f"{format_count(epochs)} epochs" if epochs > 1 else "One epoch"
    return [
        Headline(
            label if runs == 1 else f"{runs} runs of {label.lower()}", format_duration(total.middle), _range(total)
        ),
        Headline("Per epoch", format_duration(estimate.epoch_s.middle), _range(estimate.epoch_s)),
        Headline("Speed", f"{format_count(round(estimate.images_per_s))}/s", "training images per second"),
        Headline(
            "Memory",
            format_size(estimate.memory_bytes),
            f"of {format_size(estimate.free_bytes)} free, {_device_title(estimate)}",
        ),
    ]


def estimate_warnings(estimate: Estimate, disk_free: int) -> list[str]:
    """Warn about too little memory or disk space."""
    warnings = []
    if not estimate.fits:
        warnings.append(
            f"Training needs {format_size(estimate.memory_bytes)} of memory but {format_size(estimate.free_bytes)} "
            "is free, so it may be stopped halfway. Choose a smaller batch size with more accumulation steps, or a "
            "smaller input."
        )
    elif estimate.memory_bytes > _TIGHT_01 * estimate.free_bytes:
        warnings.append(
            "Memory is tight: other programs may slow the training down or stop it. A smaller batch needs less."
        )
    if estimate.packed == "first" and estimate.pack_bytes > disk_free:
        warnings.append(
            f"Packing the images needs {format_size(estimate.pack_bytes)} of disk space but "
            f"{format_size(disk_free)} is free. Make room, or choose a smaller input."
        )
    return warnings


def describe_packing(estimate: Estimate) -> str:
    """Describe how the images are packed before the first epoch."""
    return {
        "already": f"The images are packed already ({format_size(estimate.pack_bytes)} on disk).",
        "first": (
            f"The images are packed first: {format_duration(estimate.pack_s)}, counted above, and "
            f"{format_size(estimate.pack_bytes)} of disk. Other runs with this input reuse the pack."
        ),
        "streamed": "The images exceed the pack size limit and are decoded again in every epoch.",
    }[estimate.packed]


def describe_measurement(estimate: Estimate) -> str:
    """Describe what was measured and how."""
    return (
        f"{format_count(estimate.train_images)} training and {format_count(estimate.valid_images)} validation images; "
        f"an epoch takes {estimate.epoch_s}. Measured on {_batches(estimate.timed_batches)} "
        f"under the current load: {_device_title(estimate)}, {estimate.threads} threads, {estimate.precision}."
    )


def _batches(number: int) -> str:
    return "1 batch" if number == 1 else f"{number} batches"


def _device_title(estimate: Estimate) -> str:
    return "GPU" if estimate.device == "cuda" else "processor"


def _range(seconds: TimeRange) -> str:
    return f"{format_duration(seconds.low)} to {format_duration(seconds.high)}"


def _existing_folder(path: Path) -> Path:
    """Get the folder, or the first of its parents that exists."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())
