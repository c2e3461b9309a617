"""Augmented faces for a page, made in another process, as the web process loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fer_core.data.catalog import StoredDataset
from fer_core.jobs.subprocess_runner import Command
from fer_core.jobs.worker.warm_worker import WarmWorker
from fer_core.settings import settings

DRAWS = 5
"""With the original, a row that fits a phone."""

_TIMEOUT_S = 120
_HINT = "Training may be using the machine: try again later."


def build_augment_command(dataset_id: str, ids: Sequence[str], policy: str, seed: int) -> list[str]:
    """Build the command for one seed, without the program and `--out`."""
    named = [f"--id={name}" for name in ids]  # with "=", as an id may start with a dash
    return ["augment", dataset_id, f"--policy={policy}", *named, f"--draws={DRAWS}", f"--seed={seed}"]


def load_augmented_images(dataset: StoredDataset, ids: Sequence[str], policy: str, seed: int) -> NDArray[np.uint8]:
    """Load faces and `DRAWS` augmented versions of each; cached.

    Returns:
        uint8, shape (faces, 1 + DRAWS, S, S) gray or (faces, 1 + DRAWS, S, S, 3) RGB.
    Raises:
        FerscopeError: the command failed or took too long.
    """
    return _augment(dataset.id, dataset.fingerprint, tuple(ids), policy, seed)


def prepare_augmentation(process: WarmWorker, dataset_id: str, image_id: str) -> None:
    """Load torch and open a dataset's images in the process, by augmenting one face for nothing.

    Args:
        process: `worker()`, so that this can run in a thread without Streamlit.
    Raises:
        FerscopeError: as `load_augmented_images`.
    """
    _run_augment(process, build_augment_command(dataset_id, [image_id], "none", 0), 0)


@st.cache_resource(show_spinner=False)
def worker() -> WarmWorker:
    """Get the process that augments, shared by all sessions, as it takes most of a gigabyte while it is used."""
    return WarmWorker(settings())


@st.cache_data(show_spinner=False, max_entries=64)
def _augment(dataset_id: str, fingerprint: str, ids: tuple[str, ...], policy: str, seed: int) -> NDArray[np.uint8]:
    del fingerprint  # part of the key
    return _run_augment(worker(), build_augment_command(dataset_id, ids, policy, seed), seed)


def _run_augment(process: WarmWorker, arguments: Sequence[str], seed: int) -> NDArray[np.uint8]:
    with TemporaryDirectory(prefix="ferscope-") as folder:
        out = Path(folder) / "faces.npz"
        process.run(Command([*arguments, f"--out={out}"], "Augmenting the faces", _TIMEOUT_S, _HINT))
        with np.load(out, allow_pickle=False) as arrays:
            return np.asarray(arrays[str(seed)], np.uint8)
