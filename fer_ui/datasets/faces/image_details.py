"""Votes and measures of a dataset's images, which only some views need."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.settings import settings

MEASURES = ("width", "height", "bytes", "brightness", "contrast", "sharpness")


def load_details(dataset: StoredDataset) -> pd.DataFrame:
    """Load the votes, as far as there are any, and `MEASURES`, in the order of the index; shared, not to be changed."""
    return _load(dataset.id, dataset.fingerprint)


@st.cache_resource(show_spinner=False, max_entries=1)
def _load(dataset_id: str, fingerprint: str) -> pd.DataFrame:
    del fingerprint  # part of the key
    details = open_dataset(dataset_id, settings()).raw_index([*VOTE_COLUMNS, *MEASURES])
    floats = details.select_dtypes("float64").columns
    return details.astype(dict.fromkeys(floats, np.float32))
