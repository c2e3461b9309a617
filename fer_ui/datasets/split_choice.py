"""Choices of a split, stored in the query string."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.data.record import Split
from fer_core.data.splits.split import SplitConfig
from fer_ui.image_labels import split_title
from fer_ui.number_field import NumberRange, number_field
from fer_ui.query_params import (
    QueryParam,
    get_param,
    join_fields,
    param_segmented_control,
    param_selectbox,
    parse_fields,
)

ALL_SPLITS = "all"

_KINDS = {"published": "As published", "seeded": "Seeded", "kfold": "K-fold"}
_KEY = "split-{}"
_HEADER_SPLIT_PX = 136
_FIELD_PX = 190
_SEED_MAX = 2**53 - 1
"""The largest integer that a browser represents exactly."""


def split_to_query(config: SplitConfig) -> str:
    """Write a config as its kind where the rest is the default, else as all fields: "kfold~0.1~0.1~5~2~7"."""
    return config.kind if config == SplitConfig(kind=config.kind) else join_fields(config)


def split_from_query(text: str) -> SplitConfig | None:
    """Parse the result of `split_to_query`; None where it is invalid."""
    return parse_fields(SplitConfig, text, (1, len(SplitConfig.model_fields)))


def describe_split_config(config: SplitConfig) -> str:
    """Describe a config briefly: "as published", "80/10/10, seed 0", "fold 1 of 5, seed 0"."""
    if config.kind == "kfold":
        return f"fold {config.fold + 1} of {config.folds}, seed {config.seed}"
    shares = (1 - config.valid_01 - config.test_01, config.valid_01, config.test_01)
    ratios = f"{'/'.join(f'{100 * share:.3g}' for share in shares)}, seed {config.seed}"
    if config.kind == "seeded":
        return ratios
    return "as published" if config == SplitConfig() else f"as published; missing splits {ratios}"


def has_published_split(present: Collection[str]) -> bool:
    """Whether a dataset with these splits has a training split and another one."""
    return Split.TRAIN in present and len(present) > 1


def split_in_query(default: SplitConfig, present: Collection[str]) -> SplitConfig:
    """Read the choice of `choose_split` without showing it."""
    split = split_from_query(get_param(QueryParam.SPLIT_CONFIG)) or default
    return split if split.kind in _available_kinds(default, present) else default


def choose_split(default: SplitConfig, present: Collection[str], *, with_fold: bool = True) -> SplitConfig:
    """Show the kind of split with the fields that apply to it, and return the config.

    Args:
        default: used, and left out of the query string, until another split is chosen.
        present: the dataset's splits, such as "train" and "test"; a missing one is cut from the others.
        with_fold: whether to ask for the test fold.
    """
    split = split_in_query(default, present)
    published = split.kind == "published" and has_published_split(present)

    def options(field: str, help_text: str) -> dict[str, Any]:
        return {"key": _KEY.format(field), "on_change": _store, "args": (field, split, default), "help": help_text}

    def percent_input(label: str, field: str, most: float, help_text: str) -> None:
        """Ask for a share of all images; a value of the query string is shown even beyond the limits."""
        value = round(100 * float(getattr(split, field)), 6)
        allowed = NumberRange(min(1.0, value), max(most, value))
        with st.container(width=_FIELD_PX, gap=None):
            number_field(label, value, allowed, step=1.0, format="%g", **options(field, help_text))

    def integer_input(label: str, field: str, least: int, most: int, help_text: str) -> None:
        value = min(getattr(split, field) + (field == "fold"), most)
        with st.container(width=_FIELD_PX, gap=None):
            number_field(label, value, NumberRange(least, most), step=1, **options(field, help_text))

    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.session_state[_KEY.format("kind")] = split.kind
        st.segmented_control(
            "Split",
            _available_kinds(default, present),
            required=True,
            format_func=_KINDS.__getitem__,
            **options("kind", "Near-duplicates and images of one person are always in the same split."),
        )
        cut = not (published and set(Split) <= set(present))
        if cut:
            percent_input("Validation, %", "valid_01", 49.0, "Used to choose the epoch.")
        if split.kind != "kfold" and not published:
            percent_input("Test, %", "test_01", 99 - 100 * split.valid_01, "Used to evaluate the trained model.")
        if split.kind == "kfold":
            integer_input("Folds", "folds", 2, 20, "Each fold can be the test split.")
            if with_fold:
                integer_input("Test fold", "fold", 1, split.folds, "Counted from 1.")
        if cut:
            integer_input("Split seed", "seed", 0, _SEED_MAX, "Decides which image is in which split.")
    return split


def choose_published_split(splits: Sequence[str]) -> str:
    """Show the choice of a published split; `ALL_SPLITS` without one, or if there is only one split."""
    if not splits[1:]:
        return ALL_SPLITS
    return param_segmented_control("Split", _published_titles(splits), QueryParam.SPLIT, in_header=True)


def choose_split_in_header(header: DeltaGenerator, splits: Sequence[str]) -> str:
    """Show `choose_published_split` in the page's header row, beside the dataset."""
    if not splits[1:]:
        return ALL_SPLITS
    with header:
        return param_selectbox(
            "Split", _published_titles(splits), QueryParam.SPLIT, in_header=True, width_px=_HEADER_SPLIT_PX
        )


def _published_titles(splits: Sequence[str]) -> dict[str, str]:
    return {ALL_SPLITS: "All splits", **{split: split_title(split) for split in splits}}


def _available_kinds(default: SplitConfig, present: Collection[str]) -> list[str]:
    return [kind for kind in _KINDS if kind in ("seeded", "kfold", default.kind) or has_published_split(present)]


def _store(field: str, split: SplitConfig, default: SplitConfig) -> None:
    value = st.session_state[_KEY.format(field)]
    if field.endswith("_01"):
        value = round(value / 100, 8)
    values = split.model_dump() | {field: value - 1 if field == "fold" else value}
    values["fold"] = min(values["fold"], values["folds"] - 1)
    values["test_01"] = min(values["test_01"], round(0.99 - values["valid_01"], 8))
    changed = SplitConfig.model_validate(values)
    if changed == default:
        st.query_params.pop(QueryParam.SPLIT_CONFIG, None)
    else:
        st.query_params[QueryParam.SPLIT_CONFIG] = split_to_query(changed)
