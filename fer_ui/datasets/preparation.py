"""Prepare what takes seconds the first time, while the user looks at a dataset's first section."""

from __future__ import annotations

import logging
import threading

import pandas as pd
import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.errors import FerscopeError
from fer_core.jobs.worker.warm_worker import WarmWorker
from fer_ui.datasets.augmentation_preview import prepare_augmentation, worker
from fer_ui.datasets.faces.thumbnails import load_thumbnails
from fer_ui.resources import load_index

_LOG = logging.getLogger(__name__)
_PREPARED = "prepared-dataset"
_AFTER_S = 1.0
"""Until then the processor draws the page."""


def prepare_dataset(dataset: StoredDataset) -> None:
    """Open a dataset's images and start the process that augments, in the background, once per session and dataset."""
    key = (dataset.id, dataset.fingerprint)
    if st.session_state.get(_PREPARED) == key:
        return
    st.session_state[_PREPARED] = key
    index = load_index(dataset)
    usable = index[(index["problem"] == "").to_numpy(bool)]
    rows = (usable if len(usable) else index).head(1)
    if len(rows):
        timer = threading.Timer(_AFTER_S, _prepare, args=(dataset, rows, worker()))
        timer.daemon = True
        timer.start()


def _prepare(dataset: StoredDataset, rows: pd.DataFrame, process: WarmWorker) -> None:
    try:
        load_thumbnails(dataset, rows)
        prepare_augmentation(process, dataset.id, str(rows["id"].iloc[0]))
    except (FerscopeError, OSError) as exc:  # the view that needs it shows its error
        _LOG.warning("%s could not be prepared: %s", dataset.id, exc)
