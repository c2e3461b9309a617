"""The choice of a split, stored in the query string. Owns that session state."""

from __future__ import annotations

import streamlit as st

from fer_core.data.splits.split import SplitConfig
from fer_ui.query_params import QueryParam, get_param
from fer_ui.split_query_params import split_from_query, split_to_query

KINDS: dict[str, str] = {"published": "As published", "seeded": "Seeded", "kfold": "K-fold"}

_SEED_MAX = 2**31 - 1
_KIND, _VALID, _TEST, _SEED, _FOLDS, _FOLD = (
    f"split-{name}" for name in ("kind", "valid", "test", "seed", "folds", "fold")
)
_SEEN = "split-query"


def choose_split(*, published: bool, has_valid: bool, has_test: bool) -> SplitConfig:
    """Show the controls of a split and return its config.

    Args:
        published: whether the dataset has published splits.
        has_valid, has_test: whether these include validation and test; a missing one is cut from training.
    """
    kinds = [kind for kind in KINDS if published or kind != "published"]
    _follow_query(kinds)
    kind = st.segmented_control("Split", kinds, required=True, key=_KIND, format_func=KINDS.__getitem__)
    cut = kind != "published" or not (has_valid and has_test)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        given: dict[str, object] = {"kind": kind}
        if cut:
            given["valid_01"] = _percent_input("Validation, %", _VALID, 49.0)
        if kind == "seeded":
            given["test_01"] = _percent_input("Test, %", _TEST, 99.0 - st.session_state[_VALID])
        if kind == "kfold":
            given["folds"] = _integer_input("Folds", _FOLDS, 2, 20)
            given["fold"] = _integer_input(f"Test fold (of {given['folds']})", _FOLD, 1, st.session_state[_FOLDS]) - 1
        if cut:
            given["seed"] = _integer_input("Seed", _SEED, 0, _SEED_MAX)
    config = SplitConfig.model_validate(given)
    _write_query(config, kinds[0])
    return config


def _follow_query(kinds: list[str]) -> None:
    """Set the controls to the query string where that has changed since the last run."""
    asked = get_param(QueryParam.SPLIT_CONFIG)
    config = split_from_query(asked) or SplitConfig(kind="published")
    if asked != st.session_state.get(_SEEN) or _KIND not in st.session_state:
        st.session_state[_KIND] = config.kind
        for key in (_VALID, _TEST, _SEED, _FOLDS, _FOLD):
            st.session_state.pop(key, None)
    if st.session_state[_KIND] not in kinds:
        st.session_state[_KIND] = kinds[0]
    default = {
        _VALID: 100 * config.valid_01,
        _TEST: 100 * config.test_01,
        _SEED: config.seed,
        _FOLDS: config.folds,
        _FOLD: config.fold + 1,
    }
    for key, value in default.items():
        st.session_state.setdefault(key, value)


def _write_query(config: SplitConfig, default: str) -> None:
    """Write the choice into the address, unless it is the default."""
    written = split_to_query(config)
    if get_param(QueryParam.SPLIT_CONFIG) != written and (written != default or get_param(QueryParam.SPLIT_CONFIG)):
        st.query_params[QueryParam.SPLIT_CONFIG] = written
    st.session_state[_SEEN] = get_param(QueryParam.SPLIT_CONFIG)


def _percent_input(label: str, key: str, most: float) -> float:
    """Ask for a share of all images, and return it as 0..1."""
    st.session_state[key] = min(max(1.0, float(st.session_state[key])), most)
    return float(st.number_input(label, 1.0, most, step=1.0, format="%g", key=key, width=130)) / 100


def _integer_input(label: str, key: str, least: int, most: int) -> int:
    st.session_state[key] = min(max(least, int(st.session_state[key])), most)
    return int(st.number_input(label, least, most, key=key, width=130))
