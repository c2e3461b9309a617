"""A remedy for imbalance as a link carries it, and in words."""

from __future__ import annotations

from pydantic import ValidationError

from fer_core.data.imbalance.rebalancing import STRATEGIES, Rebalancing, Sampling, Weights

_SEPARATOR = "~"
_PARTS = ("sampling", "weights", "beta", "logit_tau")
_DEFERRED = "reweight_start_01"
"""Written last, and only where it is not 0."""

SAMPLING: dict[Sampling, str] = {
    "natural": "Every image once",
    "under": "Under-sampling",
    "over": "Over-sampling",
    "square_root": "Square-root sampling",
}
WEIGHTS: dict[Weights, str] = {
    "none": "All alike",
    "inverse": "Class weights",
    "effective_number": "Effective-number weights",
}


def rebalancing_to_query(rebalancing: Rebalancing) -> str:
    """Its name, such as "under-sampling"; its parts where it has none: "over~inverse~0.999~0"."""
    for name, named in STRATEGIES.items():
        if named.rebalancing == rebalancing:
            return name
    parts = (*_PARTS, _DEFERRED) if rebalancing.reweight_start_01 else _PARTS
    return _SEPARATOR.join(_text(getattr(rebalancing, part)) for part in parts)


def rebalancing_from_query(text: str) -> Rebalancing | None:
    """What `rebalancing_to_query` wrote; None where it is something else, or has values out of their range."""
    if text in STRATEGIES:
        return STRATEGIES[text].rebalancing
    values = text.split(_SEPARATOR)
    if len(values) not in (len(_PARTS), len(_PARTS) + 1):
        return None
    try:
        return Rebalancing.model_validate(dict(zip((*_PARTS, _DEFERRED), values, strict=False)))
    except ValidationError:
        return None


def describe_rebalancing(rebalancing: Rebalancing) -> str:
    """Its title, or its parts in a row: "Over-sampling, class weights, logit adjustment (tau 0.5)"."""
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
    first, *others = [words for words, used in parts.items() if used] or [STRATEGIES["natural"].title]
    return ", ".join([first, *(f"{words[0].lower()}{words[1:]}" for words in others)])


def describe_reweight_start(rebalancing: Rebalancing) -> str:
    """The epochs before the weights count: "80 % of the epochs"."""
    return f"{100 * rebalancing.reweight_start_01:.3g} % of the epochs"


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value!r}".removesuffix(".0")
