"""The section Augmentation: preview a policy on faces of the dataset."""

from __future__ import annotations

import shlex
from base64 import b64encode
from collections.abc import Sequence

import cv2
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
from fer_ui.escaping import escape_html, escape_markdown
from fer_ui.frame.header import empty_state
from fer_ui.frame.view_layout import chart_and_numbers, verdict
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, get_param, param_selectbox
from fer_ui.theme import expression_title

SEEDS_PER_SAMPLE = 1000
"""The thousands of the seed in the query string choose the faces, the rest their augmentation."""

_SEED_END = 2**31 // SEEDS_PER_SAMPLE * SEEDS_PER_SAMPLE
_SHOWN_PX = 76
_ROW_PX = 80


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
        view = chart_and_numbers("augmentation")
        with view.numbers:
            _show_description(policy)
            link_to(Page.TRAINING, "Train with this policy", dataset=dataset.id, policy=name)
            _show_command(build_augment_command(dataset.id, faces["id"].tolist(), name, seed))
        with view.chart:
            with st.skeleton(height=len(faces) * _ROW_PX):
                augmented = load_augmented_images(dataset, faces["id"].tolist(), name, seed)
            st.html(faces_html(faces, augmented))


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
    return chosen.sort_values("label", key=lambda labels: labels.astype(str).map(order)).reset_index(drop=True)


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
        with st.container(width=300):
            name = param_selectbox(
                "Augmentation policy", names, QueryParam.POLICY, format_func=lambda each: known[each].title
            )
        st.button(
            "Augment again",
            key="augment-again",
            icon=":material/refresh:",
            on_click=_go_to,
            args=(next_augmentation(seed),),
        )
        st.button(
            "Other faces", key="other-faces", icon=":material/shuffle:", on_click=_go_to, args=(next_faces(seed),)
        )
    return name, known[name]


def _go_to(seed: int) -> None:
    st.query_params[QueryParam.SEED] = str(seed)


def _show_description(policy: AugmentationPolicy) -> None:
    changes = describe_changes(policy.augment)
    verdict(policy.title)
    if policy.description:
        st.caption(escape_markdown(policy.description))
    if changes:
        with st.expander("All changes", icon=":material/info:"):
            st.markdown("\n".join(f"- {escape_markdown(capitalize_first(change))}" for change in changes))


def faces_html(faces: pd.DataFrame, augmented: NDArray[np.uint8]) -> str:
    """Build the HTML of a row for each face: its class, the original, and its augmented versions.

    Args:
        faces: `id` and `label`, one row for each face.
        augmented: uint8, shape (faces, versions, S, S) gray or (faces, versions, S, S, 3) RGB; the original first.
    """
    versions = augmented.shape[1] - 1
    heads = f'<span></span><span>Original</span><span style="grid-column:span {versions}">Augmented</span>'
    rows = []
    for name, label, pictures in zip(faces["id"], faces["label"], augmented, strict=True):
        title = expression_title(Expression(label))
        rows.append(f'<span title="{escape_html(name)}">{title}</span>')
        for number, picture in enumerate(pictures):
            kind = f"version {number}" if number else "original"
            rows.append(f'<img src="{_data_url(picture)}" alt="{escape_html(f"{title}, {name}: {kind}")}">')
    columns = f"grid-template-columns:minmax(4.25rem,max-content) repeat({versions + 1},minmax(0,{_SHOWN_PX}px))"
    return f'<div class="ferscope-augmented" style="{columns}">{heads}{"".join(rows)}</div>'


def _data_url(picture: NDArray[np.uint8]) -> str:
    pixels = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR) if picture.ndim == 3 else picture
    return f"data:image/png;base64,{b64encode(cv2.imencode('.png', pixels)[1].tobytes()).decode()}"


def _show_command(arguments: Sequence[str]) -> None:
    with st.expander("Equivalent command"):
        line = shlex.join(["python", "-m", "fer_core", *arguments, "--out=faces.png"])
        st.code(line, language="bash", wrap_lines=True)
