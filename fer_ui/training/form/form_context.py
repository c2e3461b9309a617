"""What the dataset and this machine offer a training, on which it depends what the form asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from fer_core.contract import Contract
from fer_core.data.catalog import StoredDataset
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.jobs.devices import gpus
from fer_core.settings import settings
from fer_core.training.distillation.eligible_teachers import eligible_teachers
from fer_ui.resources import load_index

_AFFECT = {"valence", "arousal"}


@dataclass(frozen=True)
class FormContext:
    """Where a training would run, and on what.

    Attributes:
        votes: whether the dataset has votes of several people.
        affect: whether it has valence and arousal.
        corrections: the newest version of its corrections; 0 where there were none.
        published: whether it comes with parts of its own, and which.
        gpus: the names of the GPUs here.
        teachers: the finished runs of the store, and how each takes faces.
    """

    dataset: StoredDataset
    index: pd.DataFrame
    votes: bool
    affect: bool
    corrections: int
    published: frozenset[str]
    gpus: tuple[str, ...]
    teachers: Mapping[str, Contract]


def load_form_context(dataset: StoredDataset) -> FormContext:
    """Look at a dataset and at the machine."""
    index, columns = load_index(dataset), set(dataset.columns())
    return FormContext(
        dataset=dataset,
        index=index,
        votes=VOTE_COLUMNS[0] in columns,
        affect=columns >= _AFFECT,
        corrections=dataset.corrections().version,
        published=frozenset(map(str, index["split"].dropna().unique())),
        gpus=tuple(gpus()),
        teachers=eligible_teachers(settings()),
    )
