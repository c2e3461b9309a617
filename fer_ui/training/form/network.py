"""The network: its choice, what it costs in numbers, where its published weights are, and its options."""

from __future__ import annotations

from typing import Any

import streamlit as st

from fer_core.errors import ConfigError
from fer_core.jobs.devices import gpus
from fer_core.labels import LABEL_SETS
from fer_core.models.catalog import MODELS, ModelInfo
from fer_core.models.memory_estimate import NetworkCost, Precision, estimate_cost, optimizer_copies
from fer_core.models.options import Option
from fer_core.models.weights_cache import LICENSE, find_weights
from fer_core.settings import settings
from fer_core.text import capitalize_first
from fer_core.training.precision import preview_precision
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import count
from fer_ui.header import Headline, headline, notice
from fer_ui.training.form.form_state import MODEL_NAME, Values, form_state, widget_key

_OPTION_TITLES = {
    "width": "Width",
    "dropout_01": "Dropout, %",
    "drop_block_01": "Drop-block, %",
    "pretrained": "Begin with published weights",
    "frozen": "Leave them as they are (frozen)",
    "size_px": "Side of the input, pixels",
}
_STEPS = {"width": 4}
_MEBIBYTE, _GIBIBYTE = 2**20, 2**30


def draw_network_choice(values: Values) -> None:
    """The drop-down of networks."""
    key = widget_key(MODEL_NAME)
    st.session_state[key] = values[MODEL_NAME]
    st.selectbox(
        "Network",
        list(MODELS),
        key=key,
        format_func=lambda name: MODELS[name].title,
        on_change=_take_name,
        help="\n".join(f"- {info.title}: {info.summary}" for info in MODELS.values()),
    )


def draw_network_facts(values: Values) -> None:
    """Three numbers, what the network is, and where its published weights come from."""
    info = MODELS[values[MODEL_NAME]]
    try:
        found = estimate_network_memory(info, values)
    except ConfigError:
        return  # said where the whole form is judged
    side = input_size_px(info, values)
    trainable = "all learned" if found.trainable == found.parameters else f"{_large(found.trainable)} learned"
    headline(
        [
            Headline("Parameters", _large(found.parameters), trainable),
            Headline("Multiply-adds", _large(found.multiply_adds), f"for a face of {side}x{side}, {_color(info)}"),
            Headline(
                "Memory of a step",
                f"~{format_memory(found.step_bytes)}",
                f"{count(values['batch_size'])} images, {_precision(values)}; judging and libraries come on top",
            ),
        ]
    )
    st.caption(escape_markdown(f"{info.summary} Source: {info.source}."))
    _weights(info, values)


def estimate_network_memory(info: ModelInfo, values: Values) -> NetworkCost:
    """What it takes as the form has it.

    Raises:
        ConfigError: an option is out of its limits.
    """
    return estimate_cost(
        info,
        get_options(info, values),
        classes=len(LABEL_SETS[values["labels"]]),
        batch_size=values["batch_size"],
        precision=_precision(values),
        copies=optimizer_copies(
            values["optimizer.name"], momentum=values["optimizer.momentum"] > 0, averaged=values["ema_decay"] > 0
        ),
    )


def _precision(values: Values) -> Precision:
    """What the chosen precision comes to on this machine."""
    return preview_precision(values["precision"], on_gpu=bool(gpus())).precision


def get_options(info: ModelInfo, values: Values) -> dict[str, Any]:
    """What the form says of the network's options; None is the network's own default."""
    return {option.name: values[f"model.{option.name}"] for option in info.options}


def input_size_px(info: ModelInfo, values: Values) -> int:
    """The side of the input, in pixels."""
    return values["model.size_px"] or info.size_px


def format_memory(size: float) -> str:
    """ "203 MiB", "1.6 GiB"."""
    return f"{size / _GIBIBYTE:.1f} GiB" if size >= _GIBIBYTE else f"{max(size / _MEBIBYTE, 1):,.0f} MiB"


def draw_network_options(values: Values) -> None:
    """The options that the chosen network has."""
    info = MODELS[values[MODEL_NAME]]
    if not info.options:
        st.caption("This network has no options: its shape is fixed, as published.")
        return
    checked = info.checked({name: value for name, value in get_options(info, values).items() if name == "pretrained"})
    shown = [option for option in info.options if option.name != "frozen" or checked["pretrained"]]
    numbers = [option for option in shown if not isinstance(option.default, bool)]
    for column, option in zip(st.columns(3), numbers, strict=False):
        with column:
            _number(option, values)
    for option in shown:
        if isinstance(option.default, bool):
            _toggle(option, values)


def _number(option: Option, values: Values) -> None:
    path = f"model.{option.name}"
    value = values[path] if values[path] is not None else option.default
    kwargs: dict[str, Any] = {
        "key": widget_key(path),
        "help": capitalize_first(f"{option.meaning}; {_limits(option)}."),
        "on_change": _take_option,
        "args": (option.name,),
    }
    label = _OPTION_TITLES[option.name]
    if isinstance(option.default, float):
        st.session_state[kwargs["key"]] = round(100 * float(value), 6)
        st.number_input(label, 100 * float(option.low), 100 * float(option.high), step=5.0, format="%g", **kwargs)
    else:
        st.session_state[kwargs["key"]] = int(value)
        step = max(option.multiple_of, _STEPS.get(option.name, 1))
        st.number_input(label, int(option.low), int(option.high), step=step, **kwargs)


def _toggle(option: Option, values: Values) -> None:
    path = f"model.{option.name}"
    st.session_state[widget_key(path)] = option.default if values[path] is None else values[path]
    st.toggle(
        _OPTION_TITLES[option.name],
        key=widget_key(path),
        help=capitalize_first(f"{option.meaning}."),
        on_change=_take_option,
        args=(option.name,),
    )


def _limits(option: Option) -> str:
    if isinstance(option.default, float):
        return f"{100 * option.low:g} to {100 * option.high:g} %"
    return option.limits


def _take_name() -> None:
    form_state().put(MODEL_NAME, st.session_state[widget_key(MODEL_NAME)])


def _take_option(name: str) -> None:
    """A default that was not written down before is not written down now."""
    state, path = form_state(), f"model.{name}"
    option = MODELS[state.value(MODEL_NAME)].option(name)
    assert option is not None
    value = st.session_state[widget_key(path)]
    if isinstance(option.default, float):
        value = round(value / 100, 8)
    state.changes.pop(path, None)
    state.put(path, None if value == option.default and state.value(path) is None else value)


def _weights(info: ModelInfo, values: Values) -> None:
    """Whether published weights are wanted, whether they are here, and what to do where they are not."""
    if info.weights is None:
        return
    if not info.checked({"pretrained": values["model.pretrained"]})["pretrained"]:
        st.caption("Published weights are switched off: it is trained from scratch.")
        return
    store, name = settings(), info.weights.name
    found = find_weights(info.weights, store)
    if found is not None:
        st.caption(escape_markdown(f"It begins with the ImageNet weights in {name}: the file is here. {LICENSE}"))
        return
    by_hand = (
        f"Put {name} ({info.weights.size_mib:.0f} MiB, from {info.weights.url}) into {store.pretrained_dir}, or "
        "switch off “Begin with published weights” among the options of the network."
    )
    if store.offline:
        notice("warning", f"The ImageNet weights that it begins with are not here. {by_hand}")
    else:
        notice(
            "info", f"The ImageNet weights that it begins with are fetched as the training starts. Offline: {by_hand}"
        )
    st.caption(escape_markdown(LICENSE))


def _large(number: int) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:,.{0 if number >= 100 * size else 1}f} {unit}"
    return count(number)


def _color(info: ModelInfo) -> str:
    return "gray" if info.color == "gray" else "RGB"
