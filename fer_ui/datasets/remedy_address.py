"""A remedy for imbalance as a link carries it, and in words."""

from __future__ import annotations

from pydantic import ValidationError

from fer_core.data.rebalance import NAMED_REMEDIES, Remedy, Sampling, Weights

_SEPARATOR = "~"
_PARTS = ("sampling", "weights", "beta", "logit_tau")
_DEFERRED = "weights_after_01"
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


def remedy_to_address(remedy: Remedy) -> str:
    """Its name, such as "under-sampling"; its parts where it has none: "over~inverse~0.999~0"."""
    for name, named in NAMED_REMEDIES.items():
        if named.remedy == remedy:
            return name
    parts = (*_PARTS, _DEFERRED) if remedy.weights_after_01 else _PARTS
    return _SEPARATOR.join(_text(getattr(remedy, part)) for part in parts)


def remedy_from_address(text: str) -> Remedy | None:
    """What `remedy_to_address` wrote; None where it is something else, or has values out of their range."""
    if text in NAMED_REMEDIES:
        return NAMED_REMEDIES[text].remedy
    values = text.split(_SEPARATOR)
    if len(values) not in (len(_PARTS), len(_PARTS) + 1):
        return None
    try:
        return Remedy.model_validate(dict(zip((*_PARTS, _DEFERRED), values, strict=False)))
    except ValidationError:
        return None


def remedy_in_words(remedy: Remedy) -> str:
    """Its title, or its parts in a row: "Over-sampling, class weights, logit adjustment (tau 0.5)"."""
    for named in NAMED_REMEDIES.values():
        if named.remedy == remedy:
            return named.title
    deferred = f" after {deferred_words(remedy)}" if remedy.weights_after_01 else ""
    parts = {
        SAMPLING[remedy.sampling]: remedy.sampling != "natural",
        f"{WEIGHTS[remedy.weights]}{deferred}": remedy.weights == "inverse",
        f"{WEIGHTS[remedy.weights]} (beta {remedy.beta:g}){deferred}": remedy.weights == "effective_number",
        f"Logit adjustment (tau {remedy.logit_tau:g})": remedy.logit_tau > 0,
    }
    first, *others = [words for words, used in parts.items() if used] or [NAMED_REMEDIES["natural"].title]
    return ", ".join([first, *(f"{words[0].lower()}{words[1:]}" for words in others)])


def deferred_words(remedy: Remedy) -> str:
    """The epochs before the weights count: "80 % of the epochs"."""
    return f"{100 * remedy.weights_after_01:.3g} % of the epochs"


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value!r}".removesuffix(".0")
