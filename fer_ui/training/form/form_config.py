"""The config that the form asks for: the draft's values, what the address carries, and nothing that does not apply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fer_core.errors import ConfigError
from fer_core.training.config.train_config import TrainConfig, flat, parse_config
from fer_ui.datasets.ambiguous_choice import exclude_ambiguous_in_query
from fer_ui.datasets.imbalance.rebalancing_picker import rebalancing_in_query
from fer_ui.training.form.augment_fields import AUGMENT
from fer_ui.training.form.augmentation import policy_values
from fer_ui.training.form.fields import EPOCHS, LEARNING, RUN, SELECTION, Field
from fer_ui.training.form.form_context import FormContext
from fer_ui.training.form.form_state import FormState, Values, nested
from fer_ui.training.form.split_choice import split_in_query

FIELDS: dict[str, Field] = {**EPOCHS, **LEARNING, **SELECTION, **AUGMENT, **RUN}
"""Every field of its own; network, division, imbalance and corrections have theirs beside."""


@dataclass(frozen=True)
class FormConfig:
    """What the form asks for.

    Attributes:
        values: by path, as the widgets show them.
        config: None where the values don't go together.
        error: why they don't, in words.
    """

    values: Values
    config: TrainConfig | None
    error: str = ""


def build_form_config(state: FormState, context: FormContext) -> FormConfig:
    """Put the draft and the address together."""
    base = state.base
    ambiguous = exclude_ambiguous_in_query(default=base.exclude_ambiguous)
    values = state.values() | policy_values()
    values |= {"dataset": context.dataset.id, "exclude_ambiguous": ambiguous}
    values |= _below("rebalancing", rebalancing_in_query(base.rebalancing).model_dump())
    values |= _below("split", split_in_query(base.split).model_dump())
    try:
        return FormConfig(values, parse_config(nested(reset_inapplicable(values, base, context)), "These settings"))
    except ConfigError as error:
        return FormConfig(values, None, str(error))


def reset_inapplicable(values: Values, base: TrainConfig, context: FormContext) -> dict[str, Any]:
    """The values, those without effect put back: to the base's where they had none there either, else the default."""
    usual, before = flat(TrainConfig(dataset=base.dataset)), flat(base)
    put_back = {
        path: usual[path] if field.dataset_dependent or field.applies(before, context) else before[path]
        for path, field in FIELDS.items()
        if not field.applies(values, context)
    }
    return {**values, **put_back}


def changed_labels(state: FormState, form_config: FormConfig) -> list[str]:
    """What differs from what was begun with, in the words of the widgets; the dataset is not counted."""
    before = flat(state.base)
    now = flat(form_config.config) if form_config.config else form_config.values
    differing = [path for path, value in now.items() if path != "dataset" and value != before[path]]
    return list(dict.fromkeys(map(_label, differing)))


def _label(path: str) -> str:
    group, _, name = path.partition(".")
    if path == "model.name":
        return "network"
    if group in _GROUPS and path not in FIELDS:
        return _GROUPS[group]
    if group == "augment":
        return _GROUPS["augment"]
    if path in FIELDS:
        words = FIELDS[path].label.split(", ")[0]
        return words if words[:2].isupper() else words[0].lower() + words[1:]
    return _OTHERS.get(path, name or group)


_GROUPS: Mapping[str, str] = {
    "model": "options of the network",
    "rebalancing": "imbalance",
    "split": "division",
    "augment": "augmentation",
}
_OTHERS: Mapping[str, str] = {
    "labels": "expressions",
    "exclude_ambiguous": "ambiguous images",
    "corrections": "corrections",
}


def _below(group: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{group}.{name}": value for name, value in values.items()}
