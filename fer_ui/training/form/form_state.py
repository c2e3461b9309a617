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

MODEL_NAME = "model.name"

_KEY = "training-form"
_WIDGET = "train-{}"
_MODEL = "model."

Values = Mapping[str, Any]
"""A config's values by path."""


@dataclass
class FormState:
    """A base config and changes to it.

    Attributes:
        start: a preset's name or a run's id.
        base: the config of the source.
        changes: values by path that differ from `base`.
    """

    start: str
    base: TrainConfig
    changes: dict[str, Any] = field(default_factory=dict)

    def value(self, path: str) -> Any:
        """The current value of `path`; options of another network start with its defaults."""
        if path in self.changes:
            return self.changes[path]
        if path.startswith(_MODEL) and path != MODEL_NAME and MODEL_NAME in self.changes:
            return None
        return flatten(self.base)[path]

    def values(self) -> dict[str, Any]:
        """All values by path."""
        return {path: self.value(path) for path in flatten(self.base)}

    def set(self, path: str, value: Any) -> None:
        """Change a value."""
        self.changes.pop(path, None)
        if path == MODEL_NAME:
            self.changes = {each: old for each, old in self.changes.items() if not each.startswith(_MODEL)}
        if value != self.value(path):
            self.changes[path] = value


def open_form_state(start: str, base: TrainConfig) -> FormState:
    """Get the session's state; a new one if the source or its config is another."""
    state = st.session_state.get(_KEY)
    if not isinstance(state, FormState) or (state.start, state.base) != (start, base):
        state = FormState(start, base)
        st.session_state[_KEY] = state
    return state


def form_state() -> FormState:
    """The current state, for callbacks."""
    state = st.session_state[_KEY]
    assert isinstance(state, FormState)
    return state


def reset_changes() -> None:
    """Reset all values to the base."""
    form_state().changes.clear()


def widget_key(path: str) -> str:
    """The key of the widget of `path`."""
    return _WIDGET.format(path)


def nested(values: Values) -> dict[str, Any]:
    """The inverse of `train_config.flatten`: what `parse_config` takes."""
    content: dict[str, Any] = {}
    for path, value in values.items():
        *groups, name = path.split(".")
        inner = content
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[name] = value
    return content
