"""How fast this machine trained in earlier runs, to tell how long a new one takes."""

from __future__ import annotations

from collections.abc import Iterable

from fer_core.comparison.run_summary import RunSummary, describe_network
from fer_core.runs.folder import open_run
from fer_core.settings import Settings
from fer_core.system.processor import processor
from fer_core.training.config.train_config import TrainConfig

_EVALUATION_SHARE_01 = 0.1
"""Time of the validation, as a share of that of training."""


def expected_epoch_s(
    config: TrainConfig, train_images: int, rows: Iterable[RunSummary], settings: Settings
) -> float | None:
    """Tell how long an epoch takes, from the newest run of the same network on this machine; None without one.

    Args:
        train_images: of an epoch.
        rows: earlier runs, newest first.
    """
    network = describe_network(config.model.model_dump())
    for row in rows:
        if row.network == network and row.images_per_s and _ran_here(row.id, settings):
            return train_images / row.images_per_s * (1 + _EVALUATION_SHARE_01)
    return None


def _ran_here(run_id: str, settings: Settings) -> bool:
    """Whether a run trained on this processor; on GPUs, speed says nothing about another GPU."""
    facts = open_run(run_id, settings).facts()
    return facts is not None and facts.device == "cpu" and facts.environment.get("processor") == processor().name
