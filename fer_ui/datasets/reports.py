"""Cached reports on datasets, shared by all sessions: quality, splits and leakage."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
import streamlit as st

from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.duplicates.groups import Groups, find_groups
from fer_core.data.quality.face_search import load_face_search
from fer_core.data.quality.report import QualityReport, quality_report
from fer_core.data.splits.leakage import Leakage, find_leakage
from fer_core.data.splits.report import SPLIT_COLUMNS, SplitReport, leakage_of_published, split_report
from fer_core.data.splits.split import SplitConfig
from fer_core.settings import settings


class _Version(NamedTuple):
    """The cache key, which changes with imports, index updates and corrections."""

    dataset_id: str
    fingerprint: str
    indexed_ns: int
    corrections: int


def load_quality(dataset: StoredDataset) -> tuple[QualityReport, str]:
    """Load a dataset's quality report, and the name of the face detector used for it, "" for none."""
    faces = dataset.folder / "faces.parquet"
    return _quality(_version(dataset), faces.stat().st_mtime_ns if faces.is_file() else 0)


def load_original_quality(dataset: StoredDataset) -> QualityReport:
    """Load the quality report without corrections, which thus includes excluded images and stays when one is made."""
    faces = dataset.folder / "faces.parquet"
    searched_ns = faces.stat().st_mtime_ns if faces.is_file() else 0
    return _quality(_version(dataset)._replace(corrections=0), searched_ns)[0]


def find_kinds_of(dataset: StoredDataset, row: int) -> list[str]:
    """Find the titles of the quality findings of one row of the index, before corrections."""
    return [each.message.title for each in load_original_quality(dataset).findings if row in each.rows]


def load_split(dataset: StoredDataset, config: SplitConfig) -> SplitReport:
    """Load the report on a split of a dataset.

    Raises:
        ConfigError: the split is impossible.
    """
    return _split(_version(dataset), config)


def load_leakage(dataset: StoredDataset, config: SplitConfig) -> Leakage:
    """Load the leakage of a split; see `load_split`."""
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


@st.cache_resource(show_spinner="Splitting the dataset", max_entries=8)
def _split(version: _Version, config: SplitConfig) -> SplitReport:
    index, groups, published = _load_split_inputs(version)
    return split_report(index, config, groups, published)


@st.cache_resource(show_spinner="Checking for leakage", max_entries=8)
def _leakage(version: _Version, config: SplitConfig) -> Leakage:
    return find_leakage(_load_split_inputs(version).groups, _split(version, config).splits)


class _SplitInputs(NamedTuple):
    """The inputs of every split: published splits and labels, groups, and the published leakage."""

    labeled: pd.DataFrame
    groups: Groups
    published: Leakage


@st.cache_resource(show_spinner="Reading the published splits", max_entries=2)
def _load_split_inputs(version: _Version) -> _SplitInputs:
    dataset = open_dataset(version.dataset_id, settings())
    index = dataset.index(SPLIT_COLUMNS, version.corrections)
    groups = find_groups(index, dataset.pairs())
    needed = index[["split", "label", "excluded"]].astype({"split": "category", "label": "category"})
    return _SplitInputs(needed, groups, leakage_of_published(needed, groups))
