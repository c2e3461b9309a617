"""Choosing a remedy on a page: one with a name and its knob, or parts combined by hand. The address is the choice."""

from __future__ import annotations

from typing import Any

import streamlit as st

from fer_core.data.rebalance import NAMED_REMEDIES, Remedy
from fer_ui.datasets.remedy_address import SAMPLING, WEIGHTS, remedy_from_address, remedy_to_address
from fer_ui.params import Param, value_of

_COMBINED = "combined"
_KIND_KEY = "remedy-kind"
_PART_KEY = "remedy-part-{}"
_USUAL_KEY = "remedy-usual"
_BETAS = (0.9, 0.99, 0.999, 0.9999, 0.99999)
_TAU_MAX = 4.0
_TAU_STEP = 0.1
_DEFERRED_MAX, _DEFERRED_STEP = 95, 5
_HINT = "Each corrects the imbalance once; combined by hand they may do so twice, which is then said."


def pick_remedy(usual: Remedy | None = None) -> Remedy:
    """Draw the choice and its knobs; `usual`, or nothing at all, where the address says none."""
    remedy = remedy_in_address(usual)
    st.session_state[_USUAL_KEY] = usual
    kinds = [*NAMED_REMEDIES, _COMBINED]
    kind = st.session_state.get(_KIND_KEY)
    st.session_state[_KIND_KEY] = kind = kind if kind and _fits(kind, remedy) else _kind_of(remedy)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox("Remedy", kinds, key=_KIND_KEY, format_func=_title, on_change=_take_kind, width=300, help=_HINT)
        if kind == _COMBINED:
            _options("Images drawn", "sampling", SAMPLING, remedy.sampling)
            _options("Weights", "weights", WEIGHTS, remedy.weights)
        if remedy.weights == "effective_number":
            _beta(remedy.beta)
        if remedy.weights_after_01 > 0 or (kind == _COMBINED and remedy.weights != "none"):
            _deferred(remedy.weights_after_01, lowest=0 if kind == _COMBINED else _DEFERRED_STEP)
        if kind == _COMBINED or remedy.logit_tau > 0:
            _tau(remedy.logit_tau, lowest=0.0 if kind == _COMBINED else _TAU_STEP)
    return remedy


def remedy_in_address(usual: Remedy | None = None) -> Remedy:
    """What `pick_remedy` gives, without drawing anything."""
    return remedy_from_address(value_of(Param.REMEDY)) or usual or Remedy()


def _title(kind: str) -> str:
    return NAMED_REMEDIES[kind].title if kind in NAMED_REMEDIES else "Combine"


def _kind_of(remedy: Remedy) -> str:
    """The named remedy of the same parts, whatever its knobs; combined where there is none."""
    return next((name for name in NAMED_REMEDIES if _fits(name, remedy)), _COMBINED)


def _fits(kind: str, remedy: Remedy) -> bool:
    return kind == _COMBINED or _parts(NAMED_REMEDIES[kind].remedy) == _parts(remedy)


def _parts(remedy: Remedy) -> tuple[str, str, bool, bool]:
    return remedy.sampling, remedy.weights, remedy.logit_tau > 0, remedy.weights_after_01 > 0


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
    key = _PART_KEY.format("weights_after_01")
    st.session_state[key] = percent = max(round(100 * after_01), lowest)
    st.slider(
        "Weights count after, %",
        lowest,
        max(_DEFERRED_MAX, percent),
        step=_DEFERRED_STEP,
        key=key,
        on_change=_take_part,
        args=("weights_after_01",),
        width=220,
        help="The share of the epochs in which all images count alike first; 0 lets the weights count from the start.",
    )


def _take_kind() -> None:
    kind = st.session_state[_KIND_KEY]
    if kind in NAMED_REMEDIES:
        st.query_params[Param.REMEDY] = remedy_to_address(NAMED_REMEDIES[kind].remedy)


def _take_part(part: str) -> None:
    before = remedy_in_address(st.session_state.get(_USUAL_KEY))
    chosen = st.session_state[_PART_KEY.format(part)]
    parts = before.model_dump() | {part: chosen / 100 if part == "weights_after_01" else chosen}
    if parts["weights"] != "effective_number":
        del parts["beta"]  # it means nothing without them
    if parts["weights"] == "none":
        del parts["weights_after_01"]
    st.query_params[Param.REMEDY] = remedy_to_address(Remedy(**parts))
