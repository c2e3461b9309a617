"""Widgets of fields: they show the form's state within the config's limits and write changes into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_origin

import streamlit as st
from annotated_types import Ge, Gt, Le, Lt, MaxLen
from pydantic.fields import FieldInfo

from fer_core.training.config.train_config import TrainConfig
from fer_ui.number_field import NumberRange, number_field
from fer_ui.training.form.fields import Field
from fer_ui.training.form.form_context import FormContext
from fer_ui.training.form.form_state import Values, form_state, widget_key

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
        for column, path in zip(st.columns(columns), shown[start : start + columns], strict=False):
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
    allowed = number_range(info, field.percent)
    if info.annotation is int:
        number_field(field.label, int(value), allowed, step=int(field.step), **kwargs)
    else:
        shown = shown_number(value, field.percent)
        number_field(field.label, shown, allowed, step=float(field.step), format="%g", **kwargs)


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


def number_range(info: FieldInfo, percent: bool) -> NumberRange:
    """Get the allowed values of a number, in displayed units."""
    low, high, factor = -float(_INTEGER_MAX), float(_INTEGER_MAX), 100 if percent else 1
    low_exclusive = high_exclusive = False
    for each in info.metadata:
        if isinstance(each, Ge):
            low = factor * _number_of(each.ge)
        elif isinstance(each, Gt):
            low, low_exclusive = factor * _number_of(each.gt), True
        elif isinstance(each, Le):
            high = factor * _number_of(each.le)
        elif isinstance(each, Lt):
            high, high_exclusive = factor * _number_of(each.lt), True
    return NumberRange(low, min(high, _INTEGER_MAX), low_exclusive, high_exclusive)


def _number_of(limit: Any) -> float:
    return float(limit)
