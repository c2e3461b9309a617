"""Build the config from the form's state and the query string, without values that do not apply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fer_core.errors import ConfigError
from fer_core.text import lowercase_first
from fer_core.training.config.train_config import TrainConfig, flatten, parse_config
from fer_ui.datasets.ambiguous_choice import exclude_ambiguous_in_query
from fer_ui.datasets.imbalance.rebalancing_picker import rebalancing_in_query
from fer_ui.datasets.split_choice import split_in_query
from fer_ui.training.form.augment_fields import AUGMENT
from fer_ui.training.form.augmentation import policy_values
from fer_ui.training.form.fields import DATA, EPOCHS, LEARNING, RUN, SELECTION, Field
from fer_ui.training.form.form_context import FormContext
from fer_ui.training.form.form_state import FormState, Values, unflatten

FIELDS: dict[str, Field] = {**EPOCHS, **DATA, **LEARNING, **SELECTION, **AUGMENT, **RUN}
"""Fields with widgets; network, split, rebalancing and corrections have their own modules."""


@dataclass(frozen=True)
class FormConfig:
    """The form's values and config.

    Attributes:
        values: by path, as the widgets show them.
        config: None if the values are invalid.
        error: why they are invalid.
    """

    values: Values
    config: TrainConfig | None
    error: str = ""


def build_form_config(state: FormState, context: FormContext) -> FormConfig:
    """Combine the form's state and the query string."""
    base = state.base
    ambiguous = exclude_ambiguous_in_query(default=base.exclude_ambiguous)
    values = state.values() | policy_values()
    values |= {"dataset": context.dataset.id, "exclude_ambiguous": ambiguous}
    values |= _with_prefix("rebalancing", rebalancing_in_query(base.rebalancing).model_dump())
    values |= _with_prefix("split", split_in_query(base.split, context.published).model_dump())
    try:
        return FormConfig(values, parse_config(unflatten(reset_inapplicable(values, base, context)), "These settings"))
    except ConfigError as error:
        return FormConfig(values, None, str(error))


def reset_inapplicable(values: Values, base: TrainConfig, context: FormContext) -> dict[str, Any]:
    """Reset values that do not apply: to the base's if they did not apply there either, else to the default."""
    default, original = flatten(TrainConfig(dataset=base.dataset)), flatten(base)
    resets = {
        path: default[path] if field.dataset_dependent or field.applies(original, context) else original[path]
        for path, field in FIELDS.items()
        if not field.applies(values, context)
    }
    return {**values, **resets}


def changed_labels(state: FormState, form_config: FormConfig) -> list[str]:
    """Labels of the widgets that differ from the base; the dataset is not counted."""
    original = flatten(state.base)
    current = flatten(form_config.config) if form_config.config else form_config.values
    changed = [path for path, value in current.items() if path != "dataset" and value != original[path]]
    return list(dict.fromkeys(map(_label, changed)))


def _label(path: str) -> str:
    group, _, name = path.partition(".")
    if path == "model.name":
        return "network"
    if group in _GROUP_LABELS and path not in FIELDS:
        return _GROUP_LABELS[group]
    if group == "augment":
        return _GROUP_LABELS["augment"]
    if path in FIELDS:
        return lowercase_first(FIELDS[path].label.split(", ")[0])
    return _OTHER_LABELS.get(path, name or group)


_GROUP_LABELS = {"model": "network options", "rebalancing": "rebalancing", "split": "split", "augment": "augmentation"}
_OTHER_LABELS = {"labels": "expressions", "exclude_ambiguous": "ambiguous images", "corrections": "corrections"}


def _with_prefix(group: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{group}.{name}": value for name, value in values.items()}
