"""What pressing Start does, in one line, and how long it takes on this machine."""

from __future__ import annotations

from typing import NamedTuple

from fer_core.comparison.measured_speed import expected_epoch_s
from fer_core.data.dataset_title import short_dataset_title
from fer_core.jobs.job import ACTIVE_STATES, JobKind
from fer_core.settings import settings
from fer_core.text import format_duration
from fer_core.training.config.train_config import TrainConfig
from fer_core.training.estimate_report import Estimate
from fer_ui.formatting import format_count
from fer_ui.resources import job_store
from fer_ui.training.runs.rows import run_table


class ExpectedTime(NamedTuple):
    """How long a run takes on this machine, in seconds, and how that is known."""

    seconds: float
    source: str


def expected_time(config: TrainConfig, train_images: int, estimate: Estimate | None) -> ExpectedTime | None:
    """Tell how long a run takes: from its estimate, otherwise from an earlier run of the same network here.

    Args:
        train_images: of an epoch.
    """
    if estimate is not None:
        return ExpectedTime(estimate.total_s(config.epochs).middle, "as estimated")
    epoch_s = expected_epoch_s(config, train_images, run_table().rows(), settings())
    return None if epoch_s is None else ExpectedTime(epoch_s * config.epochs, "as fast as the last run of this network")


def describe_plan(configs: list[TrainConfig], train_images: int, time: ExpectedTime | None) -> str:
    """Describe the planned runs: "1 run, 24 epochs on FER+, 23,751 training images, about 22 min on this machine"."""
    config, runs = configs[0], len(configs)
    epochs = "1 epoch" if config.epochs == 1 else f"{format_count(config.epochs)} epochs"
    parts = [
        "1 run" if runs == 1 else f"{runs} runs",
        f"{epochs} on {short_dataset_title(config.dataset, settings())}",
        f"{format_count(train_images)} training images",
    ]
    if time is not None:
        parts.append(f"about {format_duration(time.seconds * runs)} on this machine")
    ahead = len(job_store().list(kind=JobKind.TRAIN, states=ACTIVE_STATES))
    if ahead:
        parts.append("after the active run" if ahead == 1 else f"after {ahead} active runs")
    return ", ".join(parts)
