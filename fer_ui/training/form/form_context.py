"""Properties of dataset and machine that decide which fields the form shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from fer_core.contract import Contract
from fer_core.data.catalog import StoredDataset, list_datasets
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.jobs.devices import gpus
from fer_core.settings import settings
from fer_core.training.distillation.eligible_teachers import eligible_teachers
from fer_ui.resources import load_index

_AFFECT = {"valence", "arousal"}


@dataclass(frozen=True)
class FormContext:
    """The dataset and machine of a training.

    Attributes:
        votes: whether the dataset has votes of several annotators.
        affect: whether it has valence and arousal.
        corrections: the newest version of its corrections; 0 if there are none.
        published: the names of its published splits.
        gpus: names of the GPUs.
        other_datasets: ids of the other datasets in the store.
        teachers: finished runs and their input contracts.
    """

    dataset: StoredDataset
    index: pd.DataFrame
    votes: bool
    affect: bool
    corrections: int
    published: frozenset[str]
    gpus: tuple[str, ...]
    other_datasets: tuple[str, ...]
    teachers: Mapping[str, Contract]


def load_form_context(dataset: StoredDataset) -> FormContext:
    """Collect the context for a dataset."""
    index, columns = load_index(dataset), set(dataset.columns())
    return FormContext(
        dataset=dataset,
        index=index,
        votes=VOTE_COLUMNS[0] in columns,
        affect=columns >= _AFFECT,
        corrections=dataset.corrections().version,
        published=frozenset(map(str, index["split"].dropna().unique())),
        gpus=tuple(gpus()),
        other_datasets=tuple(each.id for each in list_datasets(settings()) if each.id != dataset.id),
        teachers=eligible_teachers(settings()),
    )
