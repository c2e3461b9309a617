"""Augmented faces for a page, made by a command in another process, as the web process loads no torch."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fer_core.data.catalog import StoredDataset
from fer_core.jobs.subprocess_runner import Command, run_command
from fer_core.settings import settings

DRAWS = 5
"""With the original, two full rows of three on a phone."""

SEEDS_AT_ONCE = 20
"""Starting torch takes seconds and augmenting milliseconds, so a call covers the next seeds too."""

_TIMEOUT_S = 120
_ONE_AT_A_TIME = threading.Lock()
"""Shared by all sessions, as each process takes most of a gigabyte."""


def build_augment_command(dataset_id: str, ids: Sequence[str], policy: str, seed: int) -> list[str]:
    """Build the command for one seed, without the program and `--out`."""
    named = [f"--id={name}" for name in ids]  # with "=", as an id may start with a dash
    return ["augment", dataset_id, f"--policy={policy}", *named, f"--draws={DRAWS}", f"--seed={seed}"]


def load_augmented_images(dataset: StoredDataset, ids: Sequence[str], policy: str, seed: int) -> NDArray[np.uint8]:
    """Load faces and `DRAWS` augmented versions of each; cached for nearby seeds.

    Returns:
        uint8, shape (faces, 1 + DRAWS, S, S) gray or (faces, 1 + DRAWS, S, S, 3) RGB.
    Raises:
        FerscopeError: the command failed or took too long.
    """
    first = seed // SEEDS_AT_ONCE * SEEDS_AT_ONCE
    return _block(dataset.id, dataset.fingerprint, tuple(ids), policy, first)[seed - first]


@st.cache_data(show_spinner="Augmenting the faces. This takes a few seconds.", max_entries=16)
def _block(
    dataset_id: str, fingerprint: str, ids: tuple[str, ...], policy: str, first_seed: int
) -> list[NDArray[np.uint8]]:
    del fingerprint  # part of the key
    with TemporaryDirectory(prefix="ferscope-") as folder:
        out = Path(folder) / "faces.npz"
        with _ONE_AT_A_TIME:
            arguments = [
                *build_augment_command(dataset_id, ids, policy, first_seed),
                f"--seeds={SEEDS_AT_ONCE}",
                f"--out={out}",
            ]
            hint = "Training may be using the machine: try again later."
            run_command(Command(arguments, "Augmenting the faces", _TIMEOUT_S, hint), settings())
        with np.load(out, allow_pickle=False) as arrays:
            return [arrays[str(seed)] for seed in range(first_seed, first_seed + SEEDS_AT_ONCE)]
