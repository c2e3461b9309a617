"""What somebody has changed in the form: the only owner of that session state.

A draft is a config to begin from, a preset's or a run's, and the changes made to it by path, such as
"optimizer.momentum". Widgets show the draft and write into it; one that is not shown loses nothing. What a link
carries (dataset, remedy, division, recipe, ambiguous images) lives in the address instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from fer_core.training.config.train_config import TrainConfig, flat

MODEL_NAME = "model.name"

_KEY = "training-draft"
_WIDGET = "train-{}"
_MODEL = "model."

Values = Mapping[str, Any]
"""A config's values by path."""


@dataclass
class FormState:
    """Changes to a config.

    Attributes:
        start: what was begun from: a preset's name, or a run's id.
        base: its config.
        changes: values by path; one that is as in `base` is not kept.
    """

    start: str
    base: TrainConfig
    changes: dict[str, Any] = field(default_factory=dict)

    def value(self, path: str) -> Any:
        """What `path` is now; options of another network than the base's begin with its defaults."""
        if path in self.changes:
            return self.changes[path]
        if path.startswith(_MODEL) and path != MODEL_NAME and MODEL_NAME in self.changes:
            return None
        return flat(self.base)[path]

    def values(self) -> dict[str, Any]:
        """Everything, by path."""
        return {path: self.value(path) for path in flat(self.base)}

    def put(self, path: str, value: Any) -> None:
        """Change one value."""
        self.changes.pop(path, None)
        if path == MODEL_NAME:
            self.changes = {each: kept for each, kept in self.changes.items() if not each.startswith(_MODEL)}
        if value != self.value(path):
            self.changes[path] = value


def open_form_state(start: str, base: TrainConfig) -> FormState:
    """The session's draft from `start`; a new one where the last was from another."""
    state = st.session_state.get(_KEY)
    if not isinstance(state, FormState) or (state.start, state.base) != (start, base):
        state = FormState(start, base)
        st.session_state[_KEY] = state
    return state


def form_state() -> FormState:
    """The draft of this session, for callbacks."""
    state = st.session_state[_KEY]
    assert isinstance(state, FormState)
    return state


def reset_changes() -> None:
    """Back to the base."""
    form_state().changes.clear()


def widget_key(path: str) -> str:
    """The key of the widget of `path`."""
    return _WIDGET.format(path)


def nested(values: Values) -> dict[str, Any]:
    """The inverse of `config.flat`: what `parse_config` takes."""
    content: dict[str, Any] = {}
    for path, value in values.items():
        *groups, name = path.split(".")
        inner = content
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[name] = value
    return content
