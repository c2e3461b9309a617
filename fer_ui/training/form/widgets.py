"""Widgets of fields: they show the form's state within the config's limits and write changes into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_origin

import streamlit as st
from annotated_types import Ge, Gt, Le, Lt, MaxLen
from pydantic.fields import FieldInfo

from fer_core.training.config.train_config import TrainConfig
from fer_ui.training.form.fields import Field
from fer_ui.training.form.form_context import FormContext
from fer_ui.training.form.form_state import Values, form_state, widget_key

_EDGE = 1e-6
"""Distance to an exclusive limit."""

_INTEGER_MAX = 2**53 - 1
"""The largest integer that a browser represents exactly."""

_PERCENT_DIGITS = 6


def show_fields(
    fields: Mapping[str, Field],
    values: Values,
    context: FormContext,
    *,
    columns: int = 3,
    on_change: Callable[[str], None] | None = None,
) -> None:
    """Show the fields that apply, in rows of `columns`."""
    shown = [path for path, field in fields.items() if field.applies(values, context)]
    for start in range(0, len(shown), columns):
        for column, path in zip(
            st.columns(columns, vertical_alignment="bottom"), shown[start : start + columns], strict=False
        ):
            with column:
                show_field(path, fields[path], values, context, on_change=on_change)


def show_field(
    path: str, field: Field, values: Values, context: FormContext, *, on_change: Callable[[str], None] | None = None
) -> None:
    """Show one field; a change is written to the form's state, or passed to `on_change`."""
    value = values[path]
    info, key = field_info(path), widget_key(path)
    kwargs: dict[str, Any] = {
        "key": key,
        "help": field.help or None,
        "on_change": on_change or _on_change,
        "args": (path,) if on_change else (path, field.percent),
    }
    if field.titles is not None:
        titles = field.titles
        options = list(field.options(values, context) if field.options else titles)
        st.session_state[key] = value
        st.selectbox(
            field.label, options if value in options else [*options, value], format_func=titles.__getitem__, **kwargs
        )
    elif get_origin(info.annotation) is tuple:
        options = list(field.options(values, context)) if field.options else []
        st.session_state[key] = value
        st.multiselect(
            field.label, [*options, *(name for name in value if name not in options)], placeholder="None", **kwargs
        )
    elif info.annotation is bool:
        st.session_state[key] = value
        st.toggle(field.label, **kwargs)
    elif info.annotation is str:
        st.session_state[key] = value
        max_chars = next((limit.max_length for limit in info.metadata if isinstance(limit, MaxLen)), None)
        st.text_input(field.label, max_chars=max_chars, **kwargs)
    else:
        _show_number(field, info, value, kwargs)


def _show_number(field: Field, info: FieldInfo, value: float, kwargs: dict[str, Any]) -> None:
    low, high = limits(info)
    if info.annotation is int:
        st.session_state[kwargs["key"]] = min(max(value, int(low)), int(high))
        st.number_input(field.label, int(low), int(high), step=int(field.step), **kwargs)
        return
    factor = 100 if field.percent else 1
    low, high = low * factor, high * factor
    st.session_state[kwargs["key"]] = min(max(shown_number(value, field.percent), low), high)
    st.number_input(field.label, low, high, step=float(field.step), format="%g", **kwargs)


def shown_number(value: float, percent: bool) -> float:
    """Convert a config value to displayed units."""
    return round(100 * float(value), _PERCENT_DIGITS) if percent else float(value)


def _on_change(path: str, percent: bool) -> None:
    form_state().set(path, widget_value(path, percent))


def widget_value(path: str, percent: bool) -> Any:
    """Get a widget's value in the config's units."""
    value = st.session_state[widget_key(path)]
    return round(value / 100, _PERCENT_DIGITS + 2) if percent else value


def field_info(path: str) -> FieldInfo:
    """Get the config field at a path."""
    model: Any = TrainConfig
    *groups, name = path.split(".")
    for group in groups:
        model = model.model_fields[group].annotation
    info: FieldInfo = model.model_fields[name]
    return info


def limits(info: FieldInfo) -> tuple[float, float]:
    """Get minimum and maximum of a number."""
    edge = 1 if info.annotation is int else _EDGE
    low, high = -float(_INTEGER_MAX), float(_INTEGER_MAX)
    for each in info.metadata:
        if isinstance(each, Ge):
            low = _number_of(each.ge)
        elif isinstance(each, Gt):
            low = _number_of(each.gt) + edge
        elif isinstance(each, Le):
            high = _number_of(each.le)
        elif isinstance(each, Lt):
            high = _number_of(each.lt) - edge
    return low, min(high, _INTEGER_MAX)


def _number_of(limit: Any) -> float:
    return float(limit)
