"""Widgets whose values are in the page's query string, so that links can be shared."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

import streamlit as st
from pydantic import BaseModel, ValidationError

from fer_core.files.migration import rename_query_params

Value = TypeVar("Value", bound=str)
Config = TypeVar("Config", bound=BaseModel)

_SEPARATOR = "~"
_HEADER_SELECTBOX_PX = 228


class QueryParam(StrEnum):
    """The names of all query parameters."""

    DATASET = "dataset"
    MANIFEST = "manifest"
    RUN = "run"
    JOB = "job"
    SPLIT = "split"
    PROTOCOL = "protocol"
    POINT = "point"
    VIEW = "view"
    SCALE = "scale"
    MODEL = "model"
    SECTION = "section"
    LABEL = "label"
    PAGE = "page"
    FINDING = "finding"
    MARK = "mark"
    REBALANCING = "rebalancing"
    IMPORT = "import"
    BARS = "bars"
    SETS = "sets"
    KIND = "kind"
    POLICY = "policy"
    SEED = "seed"
    SPLIT_CONFIG = "split_config"
    AMBIGUOUS = "ambiguous"
    LABELS = "labels"
    ORDER = "order"
    FIND = "find"
    FACE = "face"
    PRESET = "preset"
    FROM = "from"
    RUNS = "runs"
    TAG = "tag"
    METRIC = "metric"
    AXIS = "axis"
    SAMPLE = "sample"
    VOTES = "votes"
    CELL = "cell"
    WITH = "with"


def rename_old_params() -> None:
    """Rename the query parameters of links from earlier versions."""
    params = st.query_params.to_dict()
    if (renamed := rename_query_params(params)) != params:
        st.query_params.from_dict(renamed)


def param_selectbox(
    label: str,
    options: Sequence[Value] | Mapping[Value, str],
    param: QueryParam,
    *,
    format_func: Callable[[str], str] = str,
    help_text: str | None = None,
    in_header: bool = False,
    width_px: int = _HEADER_SELECTBOX_PX,
) -> Value:
    """Show a select box whose value is in the query string.

    Args:
        options: at least one; the first is the default. A mapping gives each option's title.
        format_func: makes the titles where `options` is a sequence.
        in_header: keep it small, without a visible label, for the page's header row.
        width_px: in the header row.
    """
    if not in_header:
        return _choose(st.selectbox, label, options, param, format_func, help=help_text)
    small = {"label_visibility": "collapsed", "width": width_px}
    return _choose(st.selectbox, label, options, param, format_func, help=help_text, **small)


def param_segmented_control(
    label: str, options: Mapping[Value, str], param: QueryParam, *, in_header: bool = False
) -> Value:
    """Show a row of buttons, one of them pressed, whose value is in the query string; see `param_selectbox`."""
    visibility = "collapsed" if in_header else "visible"
    return _choose(st.segmented_control, label, options, param, str, required=True, label_visibility=visibility)


def param_tabs(label: str, options: Mapping[Value, str], param: QueryParam) -> Value:
    """Show the sections of a page as a row of tabs below its header, on a phone one that scrolls sideways."""
    with st.container(key=f"tabs-{param}"):
        visibility = {"required": True, "label_visibility": "collapsed", "wrap": False}
        return _choose(st.segmented_control, label, options, param, str, **visibility)


def chosen_param(options: Iterable[Value], param: QueryParam) -> Value:
    """Get the choice of a widget that is shown further down, so that the chart above it can be drawn first.

    Args:
        options: of the widget, of which the first is its default.
    """
    values, given = list(options), get_param(param)
    current = st.session_state.get(str(param))
    if (given or values[0]) == st.session_state.get(_last_value_key(param)) and current in values:
        return next(value for value in values if value == current)
    return next((value for value in values if value == given), values[0])


def param_radio(label: str, options: Mapping[Value, str], param: QueryParam) -> Value:
    """Show a list of options, one of them chosen, whose value is in the query string."""
    return _choose(st.radio, label, options, param, str)


def param_multiselect(
    label: str,
    options: Sequence[Value],
    param: QueryParam,
    *,
    default: Sequence[Value],
    max_selections: int,
    format_func: Callable[[str], str] = str,
    help_text: str | None = None,
) -> list[Value]:
    """Show a multiselect whose values are in the query string, separated by commas.

    Args:
        max_selections: of the query string's values that are in `options`, only so many are used.
    """
    key, given = str(param), st.query_params.get(param)
    if key not in st.session_state or given != st.session_state.get(_last_value_key(param)):
        values = list(dict.fromkeys(default if given is None else given.split(",")))
        st.session_state[key] = [value for value in values if value in options][:max_selections]
    else:
        st.session_state[key] = [value for value in st.session_state[key] if value in options]
    chosen = st.multiselect(
        label, options, key=key, max_selections=max_selections, format_func=format_func, help=help_text
    )
    if given is not None or list(chosen) != list(default):
        st.query_params[param] = ",".join(chosen)
    st.session_state[_last_value_key(param)] = st.query_params.get(param)
    return list(chosen)


def param_text_input(label: str, param: QueryParam, *, placeholder: str = "", in_header: bool = False) -> str:
    """Show a text field whose stripped value is in the query string; see `param_selectbox`."""
    key, given = str(param), get_param(param)
    if key not in st.session_state or given != st.session_state.get(_last_value_key(param)):
        st.session_state[key] = given
    small: dict[str, Any] = {"label_visibility": "collapsed", "width": _HEADER_SELECTBOX_PX} if in_header else {}
    text: str = st.text_input(label, key=key, placeholder=placeholder, **small).strip()
    if text:
        st.query_params[param] = text
    else:
        st.query_params.pop(param, None)
    st.session_state[_last_value_key(param)] = text
    return text


def get_param(param: QueryParam) -> str:
    """Get the value of a query parameter; "" if it is missing."""
    return st.query_params.get(param, "")


def join_fields(config: BaseModel, stop: int | None = None) -> str:
    """Join the values of a config's fields, up to `stop` as in a slice: "kfold~0.1~0.1~5~2~7"."""
    values = [getattr(config, name) for name in type(config).model_fields][:stop]
    return _SEPARATOR.join(value if isinstance(value, str) else f"{value!r}".removesuffix(".0") for value in values)


def parse_fields(kind: type[Config], text: str, counts: Collection[int]) -> Config | None:
    """Parse the result of `join_fields`; None where it is invalid or its number of values is not among `counts`."""
    values = text.split(_SEPARATOR)
    if len(values) not in counts:
        return None
    try:
        return kind.model_validate(dict(zip(kind.model_fields, values, strict=False)))
    except ValidationError:
        return None


def _choose(
    widget: Callable[..., Value | None],
    label: str,
    options: Sequence[Value] | Mapping[Value, str],
    param: QueryParam,
    format_func: Callable[[str], str],
    **kwargs: Any,
) -> Value:
    """Show a widget of options and keep its value in the query string, where the first option is left out.

    Streamlit's own binding of widgets to the query string writes labels; a link should hold ids.
    """
    values, key = list(options), str(param)
    if isinstance(options, Mapping):
        format_func = {str(value): title for value, title in options.items()}.__getitem__
    given = get_param(param) or values[0]
    if given != st.session_state.get(_last_value_key(param)) or st.session_state.get(key) not in values:
        st.session_state[key] = given if given in values else values[0]
    chosen = widget(label, values, key=key, format_func=format_func, **kwargs)
    value = values[0] if chosen is None else chosen
    st.session_state[_last_value_key(param)] = value
    if get_param(param) != value and (value != values[0] or get_param(param)):
        st.query_params[param] = value
    return value


def _last_value_key(param: QueryParam) -> str:
    """Build the session key of the value at the end of the last run."""
    return f"last-{param}"
