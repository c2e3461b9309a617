"""The choice of a rebalancing strategy with its options, stored in the query string."""

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
_KIND_KEY = "rebalancing-kind"
_OPTION_KEY = "rebalancing-{}"
_DEFAULT_KEY = "rebalancing-default"
_BETAS = (0.9, 0.99, 0.999, 0.9999, 0.99999)
_TAU_MAX = 4.0
_TAU_STEP = 0.1
_DEFERRED_MAX, _DEFERRED_STEP = 95, 5
_HELP = "How training corrects class imbalance. Combine lets you choose sampling, weights and logit adjustment."


def choose_rebalancing(default: Rebalancing | None = None) -> Rebalancing:
    """Show the choice with its options and return it; `default` where the query has none."""
    rebalancing = rebalancing_in_query(default)
    st.session_state[_DEFAULT_KEY] = default
    kinds = [*STRATEGIES, _COMBINED]
    kind = st.session_state.get(_KIND_KEY)
    st.session_state[_KIND_KEY] = kind = kind if kind and _matches(kind, rebalancing) else _find_kind(rebalancing)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            "Rebalancing", kinds, key=_KIND_KEY, format_func=_title, on_change=_store_kind, width=300, help=_HELP
        )
        if kind == _COMBINED:
            _options("Sampling", "sampling", SAMPLING, rebalancing.sampling)
            _options("Weights", "weights", WEIGHTS, rebalancing.weights)
        if rebalancing.weights == "effective_number":
            _beta(rebalancing.beta)
        if rebalancing.reweight_start_01 > 0 or (kind == _COMBINED and rebalancing.weights != "none"):
            _deferred(rebalancing.reweight_start_01, lowest=0 if kind == _COMBINED else _DEFERRED_STEP)
        if kind == _COMBINED or rebalancing.logit_tau > 0:
            _tau(rebalancing.logit_tau, lowest=0.0 if kind == _COMBINED else _TAU_STEP)
    return rebalancing


def rebalancing_in_query(default: Rebalancing | None = None) -> Rebalancing:
    """Read the choice of `choose_rebalancing` without showing it."""
    return rebalancing_from_query(get_param(QueryParam.REBALANCING)) or default or Rebalancing()


def _title(kind: str) -> str:
    return STRATEGIES[kind].title if kind in STRATEGIES else "Combine"


def _find_kind(rebalancing: Rebalancing) -> str:
    """Find the strategy with the same components, whatever their values; "combined" if there is none."""
    return next((name for name in STRATEGIES if _matches(name, rebalancing)), _COMBINED)


def _matches(kind: str, rebalancing: Rebalancing) -> bool:
    return kind == _COMBINED or _components(STRATEGIES[kind].rebalancing) == _components(rebalancing)


def _components(rebalancing: Rebalancing) -> tuple[str, str, bool, bool]:
    return rebalancing.sampling, rebalancing.weights, rebalancing.logit_tau > 0, rebalancing.reweight_start_01 > 0


def _options(label: str, option: str, titles: dict[Any, str], chosen: str) -> None:
    key = _OPTION_KEY.format(option)
    st.session_state[key] = chosen
    st.selectbox(
        label, list(titles), key=key, format_func=titles.__getitem__, on_change=_store_option, args=(option,), width=220
    )


def _beta(beta: float) -> None:
    key = _OPTION_KEY.format("beta")
    st.session_state[key] = beta
    st.select_slider(
        "Beta",
        sorted({*_BETAS, beta}),
        key=key,
        on_change=_store_option,
        args=("beta",),
        width=220,
        help="The closer to 1, the more the weights follow the class sizes; 0 means equal weights.",
    )


def _tau(tau: float, lowest: float) -> None:
    key = _OPTION_KEY.format("logit_tau")
    st.session_state[key] = max(tau, lowest)
    st.slider(
        "Logit adjustment, tau",
        lowest,
        _TAU_MAX,
        step=_TAU_STEP,
        key=key,
        on_change=_store_option,
        args=("logit_tau",),
        width=220,
        help="Strength of the adjustment by class frequency: 0 is none, 1 is full.",
    )


def _deferred(after_01: float, lowest: int) -> None:
    key = _OPTION_KEY.format("reweight_start_01")
    st.session_state[key] = percent = max(round(100 * after_01), lowest)
    st.slider(
        "Reweight after, % of epochs",
        lowest,
        max(_DEFERRED_MAX, percent),
        step=_DEFERRED_STEP,
        key=key,
        on_change=_store_option,
        args=("reweight_start_01",),
        width=220,
        help="Share of the epochs with equal weights at the start (deferred reweighting); 0 uses the weights at once.",
    )


def _store_kind() -> None:
    kind = st.session_state[_KIND_KEY]
    if kind in STRATEGIES:
        st.query_params[QueryParam.REBALANCING] = rebalancing_to_query(STRATEGIES[kind].rebalancing)


def _store_option(option: str) -> None:
    current = rebalancing_in_query(st.session_state.get(_DEFAULT_KEY))
    chosen = st.session_state[_OPTION_KEY.format(option)]
    options = current.model_dump() | {option: chosen / 100 if option == "reweight_start_01" else chosen}
    if options["weights"] != "effective_number":
        del options["beta"]  # only used by these weights
    if options["weights"] == "none":
        del options["reweight_start_01"]
    st.query_params[QueryParam.REBALANCING] = rebalancing_to_query(Rebalancing(**options))
