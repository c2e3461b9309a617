"""Cached resources shared between sessions, keyed by id and content. Everything here is thread-safe."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from fer_core.bundles.bundle import INT8_FILE, MODEL_FILE, Bundle
from fer_core.bundles.catalog import ModelEntry, active_model_id, find_model
from fer_core.bundles.fastest import FastestBundle, open_fastest
from fer_core.calibration import CALIBRATION_FILE
from fer_core.contract import CONTRACT_FILE
from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.feedback import find_feedback
from fer_core.data.index.images import BOX_COLUMNS
from fer_core.data.packing.extra_datasets import data_versions
from fer_core.detection.open_detector import OpenedDetector, open_detector
from fer_core.doctor import CheckResult, run_checks
from fer_core.inference.network_features import FeatureNetwork
from fer_core.inference.predictor import Predictor
from fer_core.jobs.store import JobStore
from fer_core.runs.folder import Run, open_run
from fer_core.settings import settings
from fer_core.training.retraining import CorrectionsSince, find_corrections_since

_INDEX_COLUMNS = ("id", "path", *BOX_COLUMNS, "split", "label", "raw_label", "unlabeled", "identity", "problem")
_CATEGORICAL = ("split", "label", "raw_label", "unlabeled", "problem")


@st.cache_resource(show_spinner=False)
def job_store() -> JobStore:
    """Open the job database."""
    return JobStore(settings())


@st.cache_resource(show_spinner="Loading the face detector", ttl=600)
def detector() -> OpenedDetector:
    """Open the face detector, which one thread uses at a time; reopened every ten minutes."""
    return open_detector(settings())


def active_model() -> ModelEntry:
    """Find the model that Predict and Live use."""
    return find_model(active_model_id(settings()), settings())


def predictor(model: ModelEntry) -> Predictor:
    """Build a predictor from the model and the detector."""
    return Predictor(_bundle(model.folder / MODEL_FILE, _changed_at(model.folder)), detector().detector)


def feature_network(model_folder: Path) -> FeatureNetwork:
    """Open a network whose intermediate values can be read.

    Raises:
        BundleError: it does not end with a linear layer.
    """
    return _feature_network(model_folder, _changed_at(model_folder))


def fastest_bundle(model: ModelEntry) -> FastestBundle:
    """Open the variant of the model that is fastest on this processor, for live video."""
    return _fastest(model.folder, _changed_at(model.folder))


def load_index(dataset: StoredDataset) -> pd.DataFrame:
    """Load a dataset's index with its corrections, for pages; shared, so not to be changed.

    Columns of few values are categorical: a filter on a million rows then takes milliseconds.
    """
    return _index(dataset.id, dataset.fingerprint, dataset.corrections().version)


def load_corrections_since(run: Run, dataset: StoredDataset) -> CorrectionsSince:
    """Find what was corrected since a run was trained; the same until the corrections change.

    Raises:
        RunError: see `find_corrections_since`.
    """
    changed_at = tuple(path.stat().st_mtime for path in [run.path("data.json")] if path.is_file())
    versions = data_versions([each for each in (dataset, find_feedback(settings())) if each is not None])
    return _corrections_since(run.id, changed_at, dataset.id, tuple(versions.items()))


def _changed_at(folder: Path) -> tuple[float, ...]:
    """Times of the files that a model's predictions depend on."""
    names = (MODEL_FILE, INT8_FILE, CALIBRATION_FILE, CONTRACT_FILE)
    return tuple(path.stat().st_mtime for name in names if (path := folder / name).is_file())


@st.cache_resource(show_spinner="Loading the model", max_entries=4)
def _bundle(path: Path, changed_at: tuple[float, ...]) -> Bundle:
    del changed_at  # cache key: a changed file is another model
    return Bundle.open(path.parent, model_file=path.name)


@st.cache_resource(show_spinner="Loading the model", max_entries=4)
def _fastest(folder: Path, changed_at: tuple[float, ...]) -> FastestBundle:
    del changed_at  # cache key, as above
    return open_fastest(folder)


@st.cache_resource(show_spinner="Loading the model", max_entries=2)
def _feature_network(folder: Path, changed_at: tuple[float, ...]) -> FeatureNetwork:
    del changed_at  # cache key, as above
    return FeatureNetwork.open(folder)


@st.cache_resource(show_spinner="Reading the index", max_entries=4)
def _index(dataset_id: str, fingerprint: str, version: int) -> pd.DataFrame:
    del fingerprint  # cache key: an import under the same id is another dataset
    index = open_dataset(dataset_id, settings()).index(_INDEX_COLUMNS, version)
    return index.astype({name: "category" for name in _CATEGORICAL if name in index})


@st.cache_data(show_spinner=False, max_entries=64)
def _corrections_since(
    run_id: str, changed_at: tuple[float, ...], dataset_id: str, versions: tuple[tuple[str, str], ...]
) -> CorrectionsSince:
    del changed_at, versions  # cache key
    return find_corrections_since(open_run(run_id, settings()), open_dataset(dataset_id, settings()), settings())


def doctor_findings() -> list[CheckResult]:
    """Run the system check; results are at most a minute old, and about the model that is in use now."""
    return _doctor_findings(active_model_id(settings()))


@st.cache_data(show_spinner="Checking the system", ttl=60)
def _doctor_findings(model_id: str) -> list[CheckResult]:
    del model_id  # cache key
    return run_checks(settings())
