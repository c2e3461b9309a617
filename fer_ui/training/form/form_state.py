"""State of the form: the only owner of its session state.

The state is a base config, from a preset or a run, and changes to it by path, such as "optimizer.momentum". Widgets
show the state and write into it, so hidden widgets lose nothing. Dataset, rebalancing, split, augmentation policy and
ambiguous images are in the query string instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from fer_core.training.config.train_config import TrainConfig, flatten
from fer_ui.number_field import forget_refused_numbers

MODEL_NAME = "model.name"

_KEY = "training-form"
_MODEL = "model."

Values = Mapping[str, Any]
"""A config's values by path."""


@dataclass
class FormState:
    """A base config and changes to it.

    Attributes:
        start: name of the starting point, see `starting_point.StartingPoint`.
        base: its config.
        changes: values by path that differ from `base`.
    """

    start: str
    base: TrainConfig
    changes: dict[str, Any] = field(default_factory=dict)

    def value(self, path: str) -> Any:
        """Get the value of `path`; options of another network start with its defaults."""
        return self._value(path, flatten(self.base))

    def values(self) -> dict[str, Any]:
        """Get all values by path."""
        base = flatten(self.base)
        return {path: self._value(path, base) for path in base}

    def _value(self, path: str, base: Values) -> Any:
        if path in self.changes:
            return self.changes[path]
        if path.startswith(_MODEL) and path != MODEL_NAME and MODEL_NAME in self.changes:
            return None
        return base[path]

    def set(self, path: str, value: Any) -> None:
        """Change a value."""
        self.changes.pop(path, None)
        if path == MODEL_NAME:
            self.changes = {name: old for name, old in self.changes.items() if not name.startswith(_MODEL)}
        if value != self.value(path):
            self.changes[path] = value


def open_form_state(start: str, base: TrainConfig) -> FormState:
    """Get the session's state; a new one if the starting point has changed."""
    state: FormState | None = st.session_state.get(_KEY)
    if state is None or (state.start, state.base) != (start, base):
        forget_refused_numbers()
        state = st.session_state[_KEY] = FormState(start, base)
    return state


def form_state() -> FormState:
    """Get the current state, for callbacks."""
    state: FormState = st.session_state[_KEY]
    return state


def reset_changes() -> None:
    """Reset all values to the base."""
    form_state().changes.clear()
    forget_refused_numbers()


def widget_key(path: str) -> str:
    """Build the key of the widget of `path`."""
    return f"train-{path}"


def unflatten(values: Values) -> dict[str, Any]:
    """Nest the values by group, for `parse_config`; the inverse of `train_config.flatten`."""
    content: dict[str, Any] = {}
    for path, value in values.items():
        *groups, name = path.split(".")
        inner = content
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[name] = value
    return content
