"""Rebalancing strategies as query parameters and as text."""

from __future__ import annotations

from pydantic import ValidationError

from fer_core.data.imbalance.rebalancing import STRATEGIES, Rebalancing, Sampling, Weights

_SEPARATOR = "~"
_FIELDS = ("sampling", "weights", "beta", "logit_tau")
_DEFERRED = "reweight_start_01"
"""Written last, and only where it is not 0."""

SAMPLING: dict[Sampling, str] = {
    "natural": "Natural",
    "under": "Under-sampling",
    "over": "Over-sampling",
    "square_root": "Square-root sampling",
}
WEIGHTS: dict[Weights, str] = {
    "none": "None",
    "inverse": "Class weights",
    "effective_number": "Effective-number weights",
}


def rebalancing_to_query(rebalancing: Rebalancing) -> str:
    """Write a strategy as its name, such as "under-sampling", or else its fields: "over~inverse~0.999~0"."""
    for name, named in STRATEGIES.items():
        if named.rebalancing == rebalancing:
            return name
    fields = (*_FIELDS, _DEFERRED) if rebalancing.reweight_start_01 else _FIELDS
    return _SEPARATOR.join(_text(getattr(rebalancing, field)) for field in fields)


def rebalancing_from_query(text: str) -> Rebalancing | None:
    """Parse the result of `rebalancing_to_query`; None where it is invalid."""
    if text in STRATEGIES:
        return STRATEGIES[text].rebalancing
    values = text.split(_SEPARATOR)
    if len(values) not in (len(_FIELDS), len(_FIELDS) + 1):
        return None
    try:
        return Rebalancing.model_validate(dict(zip((*_FIELDS, _DEFERRED), values, strict=False)))
    except ValidationError:
        return None


def describe_rebalancing(rebalancing: Rebalancing) -> str:
    """Describe a strategy by its title, or by its parts: "Over-sampling, class weights, logit adjustment (tau 0.5)"."""
    for named in STRATEGIES.values():
        if named.rebalancing == rebalancing:
            return named.title
    deferred = f" after {describe_reweight_start(rebalancing)}" if rebalancing.reweight_start_01 else ""
    parts = {
        SAMPLING[rebalancing.sampling]: rebalancing.sampling != "natural",
        f"{WEIGHTS[rebalancing.weights]}{deferred}": rebalancing.weights == "inverse",
        f"{WEIGHTS[rebalancing.weights]} (beta {rebalancing.beta:g}){deferred}": rebalancing.weights
        == "effective_number",
        f"Logit adjustment (tau {rebalancing.logit_tau:g})": rebalancing.logit_tau > 0,
    }
    first, *others = [text for text, used in parts.items() if used] or [STRATEGIES["natural"].title]
    return ", ".join([first, *(f"{text[0].lower()}{text[1:]}" for text in others)])


def describe_reweight_start(rebalancing: Rebalancing) -> str:
    """Format when reweighting starts: "80 % of the epochs"."""
    return f"{100 * rebalancing.reweight_start_01:.3g} % of the epochs"


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value!r}".removesuffix(".0")
