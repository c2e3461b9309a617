"""The choice of a rebalancing strategy with its options, stored in the query string."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from fer_core.data.imbalance.rebalancing import STRATEGIES, Rebalancing, Sampling, Weights
from fer_core.text import lowercase_first
from fer_ui.query_params import QueryParam, get_param, join_fields, parse_fields

_COMBINED = "combined"
_KIND_KEY = "rebalancing-kind"
_BETAS = (0.9, 0.99, 0.999, 0.9999, 0.99999)
_TAU_MAX, _TAU_STEP = 4.0, 0.1
_DEFERRED_MAX, _DEFERRED_STEP = 95, 5
_HELP = "How training corrects class imbalance. Combine lets you choose sampling, weights and logit adjustment."

_SAMPLING: dict[Sampling, str] = {
    "natural": "Natural",
    "under": "Under-sampling",
    "over": "Over-sampling",
    "square_root": "Square-root sampling",
}
_WEIGHTS: dict[Weights, str] = {
    "none": "None",
    "inverse": "Class weights",
    "effective_number": "Effective-number weights",
}


def rebalancing_to_query(rebalancing: Rebalancing) -> str:
    """Write a strategy as its name, such as "under-sampling", or else its fields: "over~inverse~0.999~0"."""
    for name, named in STRATEGIES.items():
        if named.rebalancing == rebalancing:
            return name
    return join_fields(rebalancing, None if rebalancing.reweight_start_01 else -1)


def rebalancing_from_query(text: str) -> Rebalancing | None:
    """Parse the result of `rebalancing_to_query`; None where it is invalid."""
    if text in STRATEGIES:
        return STRATEGIES[text].rebalancing
    return parse_fields(Rebalancing, text, (len(Rebalancing.model_fields) - 1, len(Rebalancing.model_fields)))


def describe_rebalancing(rebalancing: Rebalancing) -> str:
    """Describe a strategy by its title, or by its parts: "Over-sampling, class weights, logit adjustment (tau 0.5)"."""
    for named in STRATEGIES.values():
        if named.rebalancing == rebalancing:
            return named.title
    deferred = f" after {describe_reweight_start(rebalancing)}" if rebalancing.reweight_start_01 else ""
    beta = f" (beta {rebalancing.beta:g})" if rebalancing.weights == "effective_number" else ""
    parts = {
        _SAMPLING[rebalancing.sampling]: rebalancing.sampling != "natural",
        f"{_WEIGHTS[rebalancing.weights]}{beta}{deferred}": rebalancing.weights != "none",
        f"Logit adjustment (tau {rebalancing.logit_tau:g})": rebalancing.logit_tau > 0,
    }
    first, *others = [text for text, used in parts.items() if used] or [STRATEGIES["natural"].title]
    return ", ".join([first, *map(lowercase_first, others)])


def describe_reweight_start(rebalancing: Rebalancing) -> str:
    """Format when reweighting starts: "80 % of the epochs"."""
    return f"{100 * rebalancing.reweight_start_01:.3g} % of the epochs"


def choose_rebalancing(
    default: Rebalancing | None = None, width: Literal["stretch", "content"] = "stretch"
) -> Rebalancing:
    """Show the choice with its options and return it; `default` where the query has none.

    Args:
        width: of the row; "content" leaves room for others beside it.
    """
    rebalancing = rebalancing_in_query(default)
    kinds = [*STRATEGIES, _COMBINED]
    kind = st.session_state.get(_KIND_KEY)
    st.session_state[_KIND_KEY] = kind = kind if kind and _matches(kind, rebalancing) else _find_kind(rebalancing)
    combined = kind == _COMBINED

    def option(name: str, value: object) -> dict[str, Any]:
        key = f"rebalancing-{name}"
        st.session_state[key] = value
        return {"key": key, "on_change": _store_option, "args": (name, rebalancing), "width": 220}

    def select(label: str, name: str, titles: dict[Any, str]) -> None:
        st.selectbox(label, list(titles), format_func=titles.__getitem__, **option(name, getattr(rebalancing, name)))

    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", width=width):
        st.selectbox(
            "Rebalancing", kinds, key=_KIND_KEY, format_func=_title, on_change=_store_kind, width=300, help=_HELP
        )
        if combined:
            select("Sampling", "sampling", _SAMPLING)
            select("Weights", "weights", _WEIGHTS)
        if rebalancing.weights == "effective_number":
            st.select_slider(
                "Beta",
                sorted({*_BETAS, rebalancing.beta}),
                help="The closer to 1, the more the weights follow the class sizes; 0 means equal weights.",
                **option("beta", rebalancing.beta),
            )
        if rebalancing.reweight_start_01 > 0 or (combined and rebalancing.weights != "none"):
            lowest = 0 if combined else _DEFERRED_STEP
            percent = max(round(100 * rebalancing.reweight_start_01), lowest)
            st.slider(
                "Reweight after, % of epochs",
                lowest,
                max(_DEFERRED_MAX, percent),
                step=_DEFERRED_STEP,
                help="Share of the first epochs that have equal weights (deferred reweighting); 0 for none.",
                **option("reweight_start_01", percent),
            )
        if combined or rebalancing.logit_tau > 0:
            lowest_tau = 0.0 if combined else _TAU_STEP
            st.slider(
                "Logit adjustment, tau",
                lowest_tau,
                _TAU_MAX,
                step=_TAU_STEP,
                help="Strength of the adjustment by class frequency: 0 is none, 1 is full.",
                **option("logit_tau", max(rebalancing.logit_tau, lowest_tau)),
            )
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


def _store_kind() -> None:
    kind = st.session_state[_KIND_KEY]
    if kind in STRATEGIES:
        st.query_params[QueryParam.REBALANCING] = rebalancing_to_query(STRATEGIES[kind].rebalancing)


def _store_option(name: str, current: Rebalancing) -> None:
    value = st.session_state[f"rebalancing-{name}"]
    options = current.model_dump() | {name: value / 100 if name == "reweight_start_01" else value}
    if options["weights"] != "effective_number":
        del options["beta"]  # only used by these weights
    if options["weights"] == "none":
        del options["reweight_start_01"]
    st.query_params[QueryParam.REBALANCING] = rebalancing_to_query(Rebalancing(**options))
