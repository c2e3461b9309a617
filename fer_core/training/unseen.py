"""What a run is judged by was seen by none of the runs that it learns from. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from fer_core.data.record import Split
from fer_core.errors import InputError
from fer_core.runs.folder import Run, weights_named
from fer_core.settings import Settings
from fer_core.training.config import TrainConfig, load_config


def check_unseen(key: str, run: Run, dataset: str, judged: set[str]) -> None:
    """See that a run has learned from none of some images.

    Args:
        key: of the config that names the run, for the error.
        dataset: that the images are of; a run on another one has other images, whatever they are called.
        judged: their ids.
    Raises:
        InputError: it has learned from some.
    """
    if load_config(run.path("config.yaml")).dataset != dataset:
        return
    split = run.read_table("split.parquet")
    learned: pd.Series = split.loc[split["split"] == str(Split.TRAIN), "id"]
    if seen := int(learned.isin(judged).sum()):
        raise InputError(
            f"{key}: the run {run.id} has learned from {seen:,} images that this one is judged by, "
            "so its figures would be too good. Divide the images as it did."
        )


def check_beginning(config: TrainConfig, judged: Iterable[str], store: Settings) -> None:
    """The same for the run, if it is one, whose weights a config begins with; a file says nothing of its past.

    Raises:
        InputError: it has learned from some of what the run is judged by.
    """
    run = Run(weights_named(config.begin_with, store.runs_dir).parent)
    if config.begin_with and run.folder == store.runs_dir / config.begin_with:
        check_unseen("begin_with", run, config.dataset, set(judged))
