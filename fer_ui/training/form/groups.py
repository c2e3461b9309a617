"""Option groups, folded, with a summary in each title."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from fer_core.data.imbalance.rebalancing import Rebalancing
from fer_core.data.splits.split import SplitConfig
from fer_core.jobs.devices import CPU, format_device, gpus
from fer_core.jobs.job import PRIORITY_MAX
from fer_core.labels import LABEL_SETS
from fer_core.metrics import METRIC_TITLES
from fer_core.models.catalog import MODELS
from fer_core.runs.title import PRESET_TITLES, automatic_title
from fer_core.settings import settings
from fer_core.text import join_words, lowercase_first, shorten
from fer_core.training.config.train_config import TITLE_CHARACTERS_MAX
from fer_core.training.precision import preview_precision
from fer_ui.datasets.imbalance.rebalancing_picker import choose_rebalancing, describe_rebalancing, rebalancing_to_query
from fer_ui.datasets.split_choice import describe_split_config
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count
from fer_ui.navigation import Page, link_to
from fer_ui.number_field import NumberRange, number_field
from fer_ui.query_params import QueryParam, get_param
from fer_ui.training.form.augmentation import describe_augmentation, show_augmentation
from fer_ui.training.form.data_choice import show_data, trains_all_folds
from fer_ui.training.form.fields import BATCHES, LEARNING, LOSS, OPTIMIZER, RATE, RUN, SELECTION, TEACHERS
from fer_ui.training.form.form_context import FormContext
from fer_ui.training.form.form_state import MODEL_NAME, FormState, Values, form_state, unflatten, widget_key
from fer_ui.training.form.network import get_options, input_size_px, show_network_options
from fer_ui.training.form.widgets import show_field, show_fields

_PRIORITY, _DEVICE = "train-priority", "train-device"
_SUMMARY_CHARACTERS = 90
_LEARNING = {"Optimizer": OPTIMIZER, "Learning rate": RATE, "Batches": BATCHES, "Loss": LOSS, "Teachers": TEACHERS}


def show_groups(
    state: FormState, values: Values, rebalancing: Rebalancing, split: SplitConfig, context: FormContext
) -> None:
    """Show all groups; a group is open if a link sets one of its options."""
    with st.container(gap="xsmall"):
        _show_group("Network", "hub", network_summary(values), lambda: show_network_options(values))
        _show_group("Training", "trending_down", learning_summary(values), lambda: _show_learning(values, context))
        _show_group(
            "Selection", "flag", selection_summary(values), lambda: show_fields(SELECTION, values, context, columns=4)
        )
        _show_group(
            "Class imbalance",
            "balance",
            "no rebalancing" if rebalancing == Rebalancing() else lowercase_first(describe_rebalancing(rebalancing)),
            lambda: _show_imbalance(state, rebalancing, context),
            QueryParam.REBALANCING,
        )
        _show_group(
            "Data",
            "pie_chart",
            data_summary(values, split),
            lambda: show_data(state, values, split, context),
            QueryParam.SPLIT_CONFIG,
            QueryParam.AMBIGUOUS,
        )
        _show_group(
            "Augmentation",
            "auto_awesome_motion",
            lowercase_first(describe_augmentation(values)),
            lambda: show_augmentation(state, values, context),
            QueryParam.POLICY,
        )
        _show_group("Run", "label", run_summary(values), lambda: _show_run(state, values, context))


def priority_and_device() -> tuple[int, str]:
    """Get the chosen priority and device; 0 and any device by default."""
    return int(st.session_state.get(_PRIORITY, 0)), str(st.session_state.get(_DEVICE, ""))


def _on_priority_change() -> None:
    st.session_state[_PRIORITY] = st.session_state[f"{_PRIORITY}-field"]


def network_summary(values: Values) -> str:
    """Describe the input size and the options."""
    info = MODELS[values[MODEL_NAME]]
    chosen = {option.name: option.default for option in info.options}
    chosen |= {name: value for name, value in get_options(info, values).items() if value is not None}
    formats = {"width": "width {}", "dropout_01": "dropout {:.3g} %", "drop_block_01": "drop-block {:.3g} %"}
    options = [
        formats[name].format(100 * value if name.endswith("_01") else value)
        for name, value in chosen.items()
        if name in formats
    ]
    if chosen.get("pretrained"):
        options.append("frozen ImageNet weights" if chosen.get("frozen") else "ImageNet weights")
    return ", ".join([f"{input_size_px(info, values)} pixels", *options])


def learning_summary(values: Values) -> str:
    """Describe optimizer, learning rate, schedule, batch size and precision."""
    optimizers, schedules = LEARNING["optimizer.name"].titles or {}, LEARNING["optimizer.schedule"].titles or {}
    return (
        f"{optimizers[values['optimizer.name']]} {values['optimizer.learning_rate']:g}, "
        f"{schedules[values['optimizer.schedule']].lower()}, batch {format_count(values['batch_size'])}, "
        f"{preview_precision(values['precision'], on_gpu=bool(gpus())).precision}"
    )


def selection_summary(values: Values) -> str:
    """Describe which epoch is kept, and early stopping."""
    patience = values["early_stopping.patience"]
    stops = f"stops after {patience} epochs without improvement" if patience else "no early stopping"
    metric = values["monitor"]
    best = "lowest validation loss" if metric == "loss" else f"best {lowercase_first(METRIC_TITLES[metric])}"
    return f"keeps the epoch with the {best}, {stops}"


def data_summary(values: Values, split: SplitConfig) -> str:
    """Describe split and label set."""
    fold = f"all {split.folds} folds" if trains_all_folds(split) else describe_split_config(split)
    ambiguous = ", without ambiguous" if values["exclude_ambiguous"] else ""
    extra = f", plus {join_words(values['extra_datasets'])}" if values["extra_datasets"] else ""
    return f"{fold}, {len(LABEL_SETS[values['labels']])} expressions{ambiguous}{extra}"


def run_summary(values: Values) -> str:
    """Describe title and seed."""
    title = values["title"]
    named = title if title and title not in PRESET_TITLES else "automatic title"
    return f"{named}, seed {values['seed']}"


def _show_group(title: str, icon: str, summary: str, show: Callable[[], None], *opened_by: QueryParam) -> None:
    with st.expander(
        f"**{title}**  :small[{escape_markdown(shorten(summary, _SUMMARY_CHARACTERS, cut='end'))}]",
        expanded=any(map(get_param, opened_by)),
        icon=f":material/{icon}:",
        key=f"train-group-{title.lower()}",
    ):
        show()


def _show_learning(values: Values, context: FormContext) -> None:
    for title, fields in _LEARNING.items():
        st.markdown(f"**{title}**")
        show_fields(fields, values, context)


def _show_imbalance(state: FormState, rebalancing: Rebalancing, context: FormContext) -> None:
    choose_rebalancing(state.base.rebalancing)
    link_to(
        Page.DATASETS,
        "Preview its effect on an epoch",
        dataset=context.dataset.id,
        section="balance",
        rebalancing=rebalancing_to_query(rebalancing),
    )


def _show_title(state: FormState, values: Values) -> None:
    """Show the field of the name; empty for the automatic title, which it then shows."""
    key, title = widget_key("title"), values["title"]
    st.session_state[key] = "" if title in PRESET_TITLES else title
    st.text_input(
        "Title",
        key=key,
        max_chars=TITLE_CHARACTERS_MAX,
        placeholder=automatic_title(unflatten(values), settings()),
        help="Name of the run. If empty, it says what is trained, and you can rename the run later.",
        on_change=_on_title_change,
        args=(state.base.title,),
    )


def _on_title_change(base_title: str) -> None:
    """Store the name; an empty one restores the preset's title, which names no run."""
    name = " ".join(st.session_state[widget_key("title")].split())
    form_state().set("title", name or (base_title if base_title in PRESET_TITLES else ""))


def _show_run(state: FormState, values: Values, context: FormContext) -> None:
    first, second, third = st.columns([2, 1, 1])
    with first:
        _show_title(state, values)
    with second:
        show_field("seed", RUN["seed"], values, context)
    with third:
        number_field(
            "Priority",
            priority_and_device()[0],
            NumberRange(-PRIORITY_MAX, PRIORITY_MAX),
            key=f"{_PRIORITY}-field",
            step=1,
            on_change=_on_priority_change,
            help="Queued jobs with the highest priority start first, then the oldest.",
        )
    show_field("init_from", RUN["init_from"], values, context)
    if context.gpus:
        with first:
            st.selectbox(
                "Device",
                ["", *context.gpus, CPU],
                key=_DEVICE,
                format_func=lambda name: lowercase_first(format_device(name)) if name else "any",
                help="Each device has its own queue.",
            )
