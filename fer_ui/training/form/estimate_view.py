"""Estimate of time and memory, measured on a few batches in a subprocess."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.jobs.run_estimate import estimate_run
from fer_core.settings import settings
from fer_core.text import format_duration, format_size
from fer_core.training.config.optimization import EarlyStoppingConfig
from fer_core.training.config.train_config import TrainConfig
from fer_core.training.estimate_report import Estimate, TimeRange
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count
from fer_ui.frame.header import Headline, headline, notice

_KEY = "train-estimate"
_TIGHT_01 = 0.85
"""Memory is called tight above this share of the free memory."""


def estimate_key(config: TrainConfig, dataset: StoredDataset, device: str) -> str:
    """Build a key of what an estimate depends on: config without title, epochs and selection; data; device."""
    default = TrainConfig(dataset=config.dataset)
    same = {"title": "", "epochs": default.epochs, "monitor": default.monitor, "early_stopping": EarlyStoppingConfig()}
    content = config.model_copy(update=same).model_dump(mode="json")
    return json.dumps([content, dataset.fingerprint, dataset.corrections().version, device])


def run_estimate(config: TrainConfig, dataset: StoredDataset, device: str) -> None:
    """Measure for some seconds and store the estimate for `show_estimate`.

    Raises:
        FerscopeError: the measurement failed.
    """
    key = estimate_key(config, dataset, device)
    st.session_state.pop(_KEY, None)
    with st.spinner("Training a few batches to measure their time", show_time=True):
        st.session_state[_KEY] = (key, _measure(key, config, device))


def show_estimate(config: TrainConfig, dataset: StoredDataset, device: str, runs: int) -> None:
    """Show the session's last estimate, marked as outdated if the form has changed."""
    if _KEY not in st.session_state:
        return
    key, estimate = st.session_state[_KEY]
    with st.container(border=True, gap="small"):
        if key != estimate_key(config, dataset, device):
            st.markdown("**Outdated estimate**")
            notice("info", "The form has changed since; estimate again.")
            st.caption(escape_markdown(describe_measurement(estimate)))
            return
        st.markdown("**Estimate**")
        headline(estimate_headlines(estimate, config.epochs, runs))
        for warning in estimate_warnings(estimate, shutil.disk_usage(_existing_folder(settings().store)).free):
            notice("warning", warning)
        st.caption(escape_markdown(f"{describe_packing(estimate)} {describe_measurement(estimate)}"))


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
            "are free, so it may be stopped half-way. Choose a smaller batch size with more accumulation steps, or a "
            "smaller input."
        )
    elif estimate.memory_bytes > _TIGHT_01 * estimate.free_bytes:
        warnings.append(
            "Memory is tight: other programs may slow the training down or stop it. A smaller batch needs less."
        )
    if estimate.packed == "first" and estimate.pack_bytes > disk_free:
        warnings.append(
            f"Packing the images needs {format_size(estimate.pack_bytes)} of disk space but "
            f"{format_size(disk_free)} are free. Make room, or choose a smaller input."
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
        f"an epoch takes {estimate.epoch_s}. Measured on {estimate.timed_batches} batches "
        f"under the current load: {_device_title(estimate)}, {estimate.threads} threads, {estimate.precision}."
    )


def _device_title(estimate: Estimate) -> str:
    return "GPU" if estimate.device == "cuda" else "processor"


def _range(seconds: TimeRange) -> str:
    return f"{format_duration(seconds.low)} to {format_duration(seconds.high)}"


def _existing_folder(path: Path) -> Path:
    """Get the folder, or the first of its parents that exists."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


@st.cache_data(show_spinner=False, max_entries=64)
def _measure(key: str, _config: TrainConfig, device: str) -> Estimate:
    del key  # cache key, without title and number of epochs
    return estimate_run(_config, settings(), device=device)
