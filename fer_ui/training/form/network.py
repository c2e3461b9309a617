"""Choice of the network: size, memory, pretrained weights and options."""

from __future__ import annotations

from typing import Any

import streamlit as st

from fer_core.errors import ConfigError
from fer_core.jobs.devices import gpus
from fer_core.labels import LABEL_SETS
from fer_core.models.catalog import MODELS, ModelInfo
from fer_core.models.memory_estimate import NetworkCost, Precision, estimate_cost, optimizer_state_copies
from fer_core.models.options import Option
from fer_core.models.weights_cache import LICENSE, find_weights
from fer_core.settings import settings
from fer_core.text import capitalize_first, format_size
from fer_core.training.precision import preview_precision
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_compact_count, format_count
from fer_ui.frame.header import Headline, headline, notice
from fer_ui.number_field import NumberRange, number_field
from fer_ui.training.form.form_state import MODEL_NAME, Values, form_state, widget_key

_OPTION_TITLES = {
    "width": "Width",
    "dropout_01": "Dropout, %",
    "drop_block_01": "Drop-block, %",
    "pretrained": "Pretrained weights",
    "frozen": "Freeze the backbone",
    "size_px": "Input size, pixels",
}
_STEPS = {"width": 4}


def show_network_choice(values: Values) -> None:
    """Show the select box of networks."""
    key = widget_key(MODEL_NAME)
    st.session_state[key] = values[MODEL_NAME]
    st.selectbox(
        "Network",
        list(MODELS),
        key=key,
        format_func=lambda name: MODELS[name].title,
        on_change=_on_name_change,
        help="\n".join(f"- {info.title}: {info.summary}" for info in MODELS.values()),
    )


def show_network_facts(values: Values, first: Headline) -> None:
    """Show a number about the data, parameters, FLOPs and memory, a summary, and the pretrained weights."""
    info = MODELS[values[MODEL_NAME]]
    try:
        cost = estimate_network_memory(info, values)
    except ConfigError:
        return  # shown below the form
    side, color = input_size_px(info, values), "gray" if info.color == "gray" else "RGB"
    trainable = "all" if cost.trainable == cost.parameters else format_compact_count(cost.trainable)
    headline(
        [
            first,
            Headline("Parameters", format_compact_count(cost.parameters), f"{trainable} trainable"),
            Headline(
                "Multiply-adds", format_compact_count(cost.multiply_adds), f"for a face of {side}x{side}, {color}"
            ),
            Headline(
                "Memory per step",
                f"~{format_size(cost.step_bytes)}",
                f"{format_count(values['batch_size'])} images, {_precision(values)}; without libraries and evaluation",
            ),
        ]
    )
    st.caption(escape_markdown(f"{info.summary} Source: {info.source}."))
    _show_weights(info, values)


def estimate_network_memory(info: ModelInfo, values: Values) -> NetworkCost:
    """Estimate size and memory for the form's values.

    Raises:
        ConfigError: an option is out of its limits.
    """
    return estimate_cost(
        info,
        get_options(info, values),
        classes=len(LABEL_SETS[values["labels"]]),
        batch_size=values["batch_size"],
        precision=_precision(values),
        copies=optimizer_state_copies(
            values["optimizer.name"], momentum=values["optimizer.momentum"] > 0, averaged=values["ema_decay"] > 0
        ),
    )


def _precision(values: Values) -> Precision:
    """The precision used on this machine."""
    return preview_precision(values["precision"], on_gpu=bool(gpus())).precision


def get_options(info: ModelInfo, values: Values) -> dict[str, Any]:
    """Get the form's values of the network options; None is the default."""
    return {option.name: values[f"model.{option.name}"] for option in info.options}


def input_size_px(info: ModelInfo, values: Values) -> int:
    """Get the side of the input in pixels."""
    return values["model.size_px"] or info.size_px


def show_network_options(values: Values) -> None:
    """Show the options of the chosen network: numbers in a row, then switches."""
    info = MODELS[values[MODEL_NAME]]
    if not info.options:
        st.caption("This network has no options.")
        return
    resolved = info.resolve_options({"pretrained": get_options(info, values).get("pretrained")})
    shown = [option for option in info.options if option.name != "frozen" or resolved["pretrained"]]
    numbers = [option for option in shown if not isinstance(option.default, bool)]
    for column, option in zip(st.columns(3), numbers, strict=False):
        with column:
            _show_option(option, values)
    for option in shown:
        if isinstance(option.default, bool):
            _show_option(option, values)


def _show_option(option: Option, values: Values) -> None:
    path, label = f"model.{option.name}", _OPTION_TITLES[option.name]
    key = widget_key(path)
    value = option.default if values[path] is None else values[path]
    kwargs: dict[str, Any] = {"key": key, "on_change": _on_option_change, "args": (option.name,)}
    if isinstance(option.default, bool):
        st.session_state[key] = value
        st.toggle(label, help=capitalize_first(f"{option.description}."), **kwargs)
        return
    kwargs["help"] = capitalize_first(f"{option.description}.")
    if isinstance(option.default, float):
        allowed = NumberRange(100 * option.low, 100 * option.high)
        number_field(label, round(100 * float(value), 6), allowed, step=5.0, format="%g", **kwargs)
    else:
        allowed = NumberRange(option.low, option.high, multiple_of=option.multiple_of)
        step = max(option.multiple_of, _STEPS.get(option.name, 1))
        number_field(label, int(value), allowed, step=step, **kwargs)


def _on_name_change() -> None:
    form_state().set(MODEL_NAME, st.session_state[widget_key(MODEL_NAME)])


def _on_option_change(name: str) -> None:
    """Store the option; a default that was implicit stays implicit."""
    state, path = form_state(), f"model.{name}"
    option = MODELS[state.value(MODEL_NAME)].option(name)
    assert option is not None
    value = st.session_state[widget_key(path)]
    if isinstance(option.default, float):
        value = round(value / 100, 8)
    state.changes.pop(path, None)
    state.set(path, None if value == option.default and state.value(path) is None else value)


def _show_weights(info: ModelInfo, values: Values) -> None:
    """Show whether pretrained weights are used and available, and what to do if not."""
    if info.weights is None:
        return
    if not info.resolve_options({"pretrained": values["model.pretrained"]})["pretrained"]:
        st.caption("Pretrained weights are off: the network is trained from scratch.")
        return
    store, name = settings(), info.weights.name
    if find_weights(info.weights, store) is not None:
        st.caption(escape_markdown(f"Starts from the ImageNet weights in {name}, which are available. {LICENSE}"))
        return
    remedy = (
        f"Put {name} ({info.weights.size_mib:.0f} MiB, from {info.weights.url}) into {store.pretrained_dir}, or "
        "switch off “Pretrained weights” in the network options."
    )
    if store.offline:
        notice("warning", f"The ImageNet weights are missing. {remedy}")
    else:
        notice("info", f"The ImageNet weights are downloaded when the training starts. Offline: {remedy}")
    st.caption(escape_markdown(LICENSE))
