"""What takes a moment to find out of a dataset, shared between sessions: its quality, and how it is divided."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
import streamlit as st

from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.duplicates.groups import Groups, find_groups
from fer_core.data.quality.faceless import load_face_search
from fer_core.data.quality.report import QualityReport, quality_report
from fer_core.data.splits.leakage import Leakage, find_leakage
from fer_core.data.splits.report import SPLIT_COLUMNS, SplitReport, leakage_of_published, split_report
from fer_core.data.splits.split import SplitConfig
from fer_core.settings import settings


class _Version(NamedTuple):
    """What a cache goes by: another import, another measurement, another correction is another."""

    dataset_id: str
    fingerprint: str
    indexed_ns: int
    corrections: int


def load_quality(dataset: StoredDataset) -> tuple[QualityReport, str]:
    """A dataset's quality, and the name of the detector that faces were searched with; "" where they were not."""
    faces = dataset.folder / "faces.parquet"
    return _quality(_version(dataset), faces.stat().st_mtime_ns if faces.is_file() else 0)


def load_split(dataset: StoredDataset, config: SplitConfig) -> SplitReport:
    """A dataset divided.

    Raises:
        ConfigError: it can't be divided like that.
    """
    return _split(_version(dataset), config)


def load_leakage(dataset: StoredDataset, config: SplitConfig) -> Leakage:
    """What leaks in a dataset that is divided like that; see `load_split`."""
    return _leakage(_version(dataset), config)


def _version(dataset: StoredDataset) -> _Version:
    indexed_ns = (dataset.folder / "index.parquet").stat().st_mtime_ns
    return _Version(dataset.id, dataset.fingerprint, indexed_ns, dataset.corrections().version)


@st.cache_resource(show_spinner="Checking the images", max_entries=4)
def _quality(version: _Version, searched_ns: int) -> tuple[QualityReport, str]:
    del searched_ns  # part of the key
    dataset = open_dataset(version.dataset_id, settings())
    found = load_face_search(dataset)
    faces, detector = found if found else (None, "")
    return quality_report(dataset, faces, version.corrections), detector


@st.cache_resource(show_spinner="Dividing the images", max_entries=8)
def _split(version: _Version, config: SplitConfig) -> SplitReport:
    index, groups, published = _divisible(version)
    return split_report(index, config, groups, published)


@st.cache_resource(show_spinner="Looking for leaks", max_entries=8)
def _leakage(version: _Version, config: SplitConfig) -> Leakage:
    return find_leakage(_divisible(version).groups, _split(version, config).splits)


class _Divisible(NamedTuple):
    """What every split of a dataset needs: its parts and labels, what belongs together, what leaks as it comes."""

    labeled: pd.DataFrame
    groups: Groups
    published: Leakage


@st.cache_resource(show_spinner="Looking at the published parts", max_entries=2)
def _divisible(version: _Version) -> _Divisible:
    dataset = open_dataset(version.dataset_id, settings())
    index = dataset.index(SPLIT_COLUMNS, version.corrections)
    groups = find_groups(index, dataset.pairs())
    needed = index[["split", "label", "excluded"]].astype({"split": "category", "label": "category"})
    return _Divisible(needed, groups, leakage_of_published(needed, groups))
