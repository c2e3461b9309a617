"""Choosing a remedy on a page: one with a name and its knob, or parts combined by hand. The address is the choice."""

from __future__ import annotations

from typing import Any

import streamlit as st

from fer_core.data.imbalance.rebalancing import STRATEGIES, Rebalancing
from fer_ui.datasets.imbalance.rebalancing_query_params import (
    SAMPLING,
    WEIGHTS,
    rebalancing_from_query,
    rebalancing_to_query,
)
from fer_ui.query_params import QueryParam, get_param

_COMBINED = "combined"
_KIND_KEY = "remedy-kind"
_PART_KEY = "remedy-part-{}"
_USUAL_KEY = "remedy-usual"
_BETAS = (0.9, 0.99, 0.999, 0.9999, 0.99999)
_TAU_MAX = 4.0
_TAU_STEP = 0.1
_DEFERRED_MAX, _DEFERRED_STEP = 95, 5
_HINT = "Each corrects the imbalance once; combined by hand they may do so twice, which is then said."


def choose_rebalancing(usual: Rebalancing | None = None) -> Rebalancing:
    """Draw the choice and its knobs; `usual`, or nothing at all, where the address says none."""
    rebalancing = rebalancing_in_query(usual)
    st.session_state[_USUAL_KEY] = usual
    kinds = [*STRATEGIES, _COMBINED]
    kind = st.session_state.get(_KIND_KEY)
    st.session_state[_KIND_KEY] = kind = kind if kind and _fits(kind, rebalancing) else _kind_of(rebalancing)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            "Rebalancing", kinds, key=_KIND_KEY, format_func=_title, on_change=_take_kind, width=300, help=_HINT
        )
        if kind == _COMBINED:
            _options("Images drawn", "sampling", SAMPLING, rebalancing.sampling)
            _options("Weights", "weights", WEIGHTS, rebalancing.weights)
        if rebalancing.weights == "effective_number":
            _beta(rebalancing.beta)
        if rebalancing.reweight_start_01 > 0 or (kind == _COMBINED and rebalancing.weights != "none"):
            _deferred(rebalancing.reweight_start_01, lowest=0 if kind == _COMBINED else _DEFERRED_STEP)
        if kind == _COMBINED or rebalancing.logit_tau > 0:
            _tau(rebalancing.logit_tau, lowest=0.0 if kind == _COMBINED else _TAU_STEP)
    return rebalancing


def rebalancing_in_query(usual: Rebalancing | None = None) -> Rebalancing:
    """What `choose_rebalancing` gives, without drawing anything."""
    return rebalancing_from_query(get_param(QueryParam.REBALANCING)) or usual or Rebalancing()


def _title(kind: str) -> str:
    return STRATEGIES[kind].title if kind in STRATEGIES else "Combine"


def _kind_of(rebalancing: Rebalancing) -> str:
    """The named remedy of the same parts, whatever its knobs; combined where there is none."""
    return next((name for name in STRATEGIES if _fits(name, rebalancing)), _COMBINED)


def _fits(kind: str, rebalancing: Rebalancing) -> bool:
    return kind == _COMBINED or _parts(STRATEGIES[kind].rebalancing) == _parts(rebalancing)


def _parts(rebalancing: Rebalancing) -> tuple[str, str, bool, bool]:
    return rebalancing.sampling, rebalancing.weights, rebalancing.logit_tau > 0, rebalancing.reweight_start_01 > 0


def _options(label: str, part: str, words: dict[Any, str], chosen: str) -> None:
    key = _PART_KEY.format(part)
    st.session_state[key] = chosen
    st.selectbox(
        label, list(words), key=key, format_func=words.__getitem__, on_change=_take_part, args=(part,), width=220
    )


def _beta(beta: float) -> None:
    key = _PART_KEY.format("beta")
    st.session_state[key] = beta
    st.select_slider(
        "Beta",
        sorted({*_BETAS, beta}),
        key=key,
        on_change=_take_part,
        args=("beta",),
        width=220,
        help="The nearer to 1, the more the weights follow the class sizes; 0 weighs all alike.",
    )


def _tau(tau: float, lowest: float) -> None:
    key = _PART_KEY.format("logit_tau")
    st.session_state[key] = max(tau, lowest)
    st.slider(
        "Logit adjustment, tau",
        lowest,
        _TAU_MAX,
        step=_TAU_STEP,
        key=key,
        on_change=_take_part,
        args=("logit_tau",),
        width=220,
        help="How much of the class shares the loss takes over from the network: 0 is none, 1 is all.",
    )


def _deferred(after_01: float, lowest: int) -> None:
    key = _PART_KEY.format("reweight_start_01")
    st.session_state[key] = percent = max(round(100 * after_01), lowest)
    st.slider(
        "Weights count after, %",
        lowest,
        max(_DEFERRED_MAX, percent),
        step=_DEFERRED_STEP,
        key=key,
        on_change=_take_part,
        args=("reweight_start_01",),
        width=220,
        help="The share of the epochs in which all images count alike first; 0 lets the weights count from the start.",
    )


def _take_kind() -> None:
    kind = st.session_state[_KIND_KEY]
    if kind in STRATEGIES:
        st.query_params[QueryParam.REBALANCING] = rebalancing_to_query(STRATEGIES[kind].rebalancing)


def _take_part(part: str) -> None:
    before = rebalancing_in_query(st.session_state.get(_USUAL_KEY))
    chosen = st.session_state[_PART_KEY.format(part)]
    parts = before.model_dump() | {part: chosen / 100 if part == "reweight_start_01" else chosen}
    if parts["weights"] != "effective_number":
        del parts["beta"]  # it means nothing without them
    if parts["weights"] == "none":
        del parts["reweight_start_01"]
    st.query_params[QueryParam.REBALANCING] = rebalancing_to_query(Rebalancing(**parts))
