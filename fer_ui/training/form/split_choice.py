"""Choice of the split, kept in the query string, and whether to train every fold."""

from __future__ import annotations

from typing import Any

import streamlit as st

from fer_core.data.splits.split import SplitConfig
from fer_core.text import capitalize_first
from fer_ui.query_params import QueryParam, get_param
from fer_ui.split_query_params import describe_split_config, split_from_query, split_to_query
from fer_ui.training.form.form_context import FormContext
from fer_ui.training.form.form_state import form_state, widget_key

SPLIT_KINDS: dict[str, str] = {"published": "As published", "seeded": "Random, seeded", "kfold": "K-fold"}

_ALL_FOLDS = "train-all-folds"
_HELP = "Near-duplicates and images of one person are always in the same split."
_VALID_MAX, _SHARE_MIN, _SEED_MAX = 49.0, 1.0, 2**53 - 1


def split_in_query(default: SplitConfig) -> SplitConfig:
    """The split of the query string, or `default`."""
    return split_from_query(get_param(QueryParam.SPLIT_CONFIG)) or default


def trains_all_folds(split: SplitConfig) -> bool:
    """Whether each fold gets a run."""
    return split.kind == "kfold" and bool(st.session_state.get(_ALL_FOLDS))


def show_split(split: SplitConfig, context: FormContext) -> None:
    """Draw the kind of split and the fields that apply to it."""
    adjustable = split.kind != "published" or not {"train", "valid", "test"} <= context.published
    first, second, third = st.columns(3)
    with first:
        st.session_state[widget_key("split.kind")] = split.kind
        st.selectbox(
            "Split",
            list(SPLIT_KINDS),
            key=widget_key("split.kind"),
            format_func=SPLIT_KINDS.__getitem__,
            on_change=_on_change,
            args=("kind",),
            help=_HELP,
        )
    if adjustable:
        with second:
            _share("Validation, %", "valid_01", split, _VALID_MAX, "Used to choose the epoch.")
        with third:
            _integer("Split seed", "seed", split.seed, 0, _SEED_MAX, "Decides which image goes to which split.")
    if split.kind == "seeded" or (split.kind == "published" and "train" not in context.published):
        with first:
            _share("Test, %", "test_01", split, 99.0 - 100 * split.valid_01, "Used to evaluate the finished model.")
    if split.kind == "kfold":
        _folds(split)


def _folds(split: SplitConfig) -> None:
    first, second, third = st.columns(3, vertical_alignment="bottom")
    with first:
        _integer("Folds", "folds", split.folds, 2, 20, "The number of parts, each the test split once.")
    with third:
        every_fold = st.toggle(
            f"All {split.folds} folds",
            key=_ALL_FOLDS,
            help="Starts a run for each fold.",
        )
    with second:
        _integer("Test fold", "fold", split.fold + 1, 1, split.folds, "Counted from 1.", disabled=every_fold)


def _share(label: str, part: str, split: SplitConfig, most: float, help_text: str) -> None:
    key = widget_key(f"split.{part}")
    shown = round(100 * float(getattr(split, part)), 6)
    low, high = min(_SHARE_MIN, shown), max(most, shown)
    st.session_state[key] = shown
    st.number_input(
        label, low, high, step=1.0, format="%g", key=key, on_change=_on_change, args=(part,), help=help_text
    )


def _integer(
    label: str, part: str, value: int, least: int, most: int, help_text: str, *, disabled: bool = False
) -> None:
    key = widget_key(f"split.{part}")
    st.session_state[key] = min(value, most)
    st.number_input(label, least, most, key=key, on_change=_on_change, args=(part,), help=help_text, disabled=disabled)


def _on_change(part: str) -> None:
    """Write the changed split to the query string, unless it is the default."""
    default = form_state().base.split
    value: Any = st.session_state[widget_key(f"split.{part}")]
    if part.endswith("_01"):
        value = round(value / 100, 8)
    parts = split_in_query(default).model_dump() | {part: value - 1 if part == "fold" else value}
    parts["fold"] = min(parts["fold"], parts["folds"] - 1)
    parts["test_01"] = min(parts["test_01"], round(0.99 - parts["valid_01"], 8))
    split = SplitConfig.model_validate(parts)
    if split == default:
        st.query_params.pop(QueryParam.SPLIT_CONFIG, None)
    else:
        st.query_params[QueryParam.SPLIT_CONFIG] = split_to_query(split)


def describe_split(split: SplitConfig, parts: frozenset[str], *, every_fold: bool = False) -> str:
    """Describe how the dataset is split."""
    grouped = "near-duplicates and people kept together"
    if every_fold:
        return f"Each of {split.folds} folds, seed {split.seed}, is the test split of one run; {grouped}."
    if split.kind == "kfold":
        return f"{capitalize_first(describe_split_config(split))}, is the test split; {grouped}."
    if split.kind == "published" and {"train", "valid", "test"} <= parts:
        return "The dataset's published training, validation and test splits are used."
    if split.kind == "published" and "train" in parts and len(parts) > 1:
        share = f"{100 * split.valid_01:.3g} % of the training split"
        return f"The dataset's second split is the test split; {share} is the validation split."
    seeded = split.model_copy(update={"kind": "seeded"})
    return f"The images are split {describe_split_config(seeded)}, {grouped}."
