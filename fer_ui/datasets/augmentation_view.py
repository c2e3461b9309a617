"""The section Augmentation: preview a policy on faces of the dataset."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fer_core.data.catalog import StoredDataset
from fer_core.data.imbalance.counts import excluded_rows
from fer_core.data.record import Split
from fer_core.labels import Expression
from fer_core.text import capitalize_first
from fer_core.training.config.augmentation_policies import AugmentationPolicy, describe_changes, policies
from fer_ui.datasets.augmentation_preview import build_augment_command, load_augmented_images
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.frame.header import empty_state
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, get_param, param_selectbox
from fer_ui.theme import expression_title

SEEDS_PER_SAMPLE = 1000
"""The thousands of the seed in the query string choose the faces, the rest their augmentation."""

_SEED_END = 2**31 // SEEDS_PER_SAMPLE * SEEDS_PER_SAMPLE
_SHOWN_PX = 96


@st.fragment
def show_augmentation(dataset: StoredDataset, index: pd.DataFrame) -> None:
    """Show the choice of a policy, its description, and a row for each face: the original and augmented versions.

    Args:
        index: with `id`, `split`, `label`, `problem` and, with corrections, `excluded`.
    """
    with show_errors():
        seed = _seed_in_query()
        faces = sample_faces(index, seed // SEEDS_PER_SAMPLE)
        if faces.empty:
            empty_state("There are no labeled faces", "Training uses only readable images with a label.")
            return
        name, policy = _choose_policy(seed)
        _show_description(policy)
        _show_grid(faces, load_augmented_images(dataset, faces["id"].tolist(), name, seed))
        link_to(Page.TRAINING, "Train with this policy", dataset=dataset.id, policy=name)
        _show_command(build_augment_command(dataset.id, faces["id"].tolist(), name, seed))


def sample_faces(index: pd.DataFrame, sample: int) -> pd.DataFrame:
    """Sample one face of each expression (`id`, `label`), from the training split if there is one.

    Args:
        index: as for `show_augmentation`.
        sample: the random seed.
    """
    usable = ((index["problem"] == "") & index["label"].notna()).to_numpy(bool) & ~excluded_rows(index)
    train = usable & index["split"].eq(str(Split.TRAIN)).fillna(False).to_numpy(bool)
    rows = index.loc[train if train.any() else usable, ["id", "label"]]
    chosen = rows.groupby("label", observed=True).sample(1, random_state=np.random.default_rng(sample))
    order = {str(expression): index for index, expression in enumerate(Expression)}
    return chosen.sort_values("label", key=lambda labels: labels.map(order)).reset_index(drop=True)


def next_augmentation(seed: int) -> int:
    """Get the next seed of the same faces, which wraps around."""
    return seed - seed % SEEDS_PER_SAMPLE + (seed + 1) % SEEDS_PER_SAMPLE


def next_faces(seed: int) -> int:
    """Get the first seed of the next faces."""
    return (seed // SEEDS_PER_SAMPLE + 1) * SEEDS_PER_SAMPLE % _SEED_END


def _seed_in_query() -> int:
    seed = get_param(QueryParam.SEED)
    return int(seed) % _SEED_END if seed.isdecimal() and len(seed) <= len(str(_SEED_END)) else 0


def _choose_policy(seed: int) -> tuple[str, AugmentationPolicy]:
    known = policies()
    names = sorted(known, key=lambda name: (name == "none", name))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = param_selectbox(
            "Augmentation policy", names, QueryParam.POLICY, format_func=lambda each: known[each].title
        )
        st.button("Augment again", icon=":material/refresh:", on_click=_go_to, args=(next_augmentation(seed),))
        st.button("Other faces", icon=":material/shuffle:", on_click=_go_to, args=(next_faces(seed),))
    return name, known[name]


def _go_to(seed: int) -> None:
    st.query_params[QueryParam.SEED] = str(seed)


def _show_description(policy: AugmentationPolicy) -> None:
    changes = "; ".join(describe_changes(policy.augment)) or "no augmentation"
    st.markdown(escape_markdown(f"{capitalize_first(changes)}."))
    if policy.description:
        st.caption(escape_markdown(policy.description))


def _show_grid(faces: pd.DataFrame, augmented: NDArray[np.uint8]) -> None:
    for name, label, versions in zip(faces["id"], faces["label"], augmented, strict=True):
        title = expression_title(Expression(label))
        st.markdown(f"**{title}** {escape_markdown(name)}")
        with st.container(horizontal=True, gap="small"):
            for draw, face in enumerate(versions):
                caption = f"version {draw}" if draw else "original"
                st.image(_enlarge(face), caption, _SHOWN_PX, output_format="PNG", alt=f"{title}, {name}: {caption}")


def _enlarge(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Enlarge by a whole factor, so that the browser does not interpolate."""
    factor = max(1, _SHOWN_PX // len(face))
    return face.repeat(factor, axis=0).repeat(factor, axis=1)


def _show_command(arguments: Sequence[str]) -> None:
    with st.expander("Equivalent command"):
        line = shlex.join(["python", "-m", "fer_core", *arguments, "--out=faces.png"])
        st.code(line, language="bash", wrap_lines=True)
