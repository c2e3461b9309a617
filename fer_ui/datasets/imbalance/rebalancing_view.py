"""The section Rebalancing: what training sees in an epoch under a strategy, before a run is started."""

from __future__ import annotations

from typing import Literal, TypeAlias

import pandas as pd
import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.data.imbalance.rebalancing import Rebalancing, rebalancing_warnings
from fer_core.data.splits.split import describe_published_roles
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.training.config.presets import PRESETS
from fer_core.training.config.train_config import TrainConfig
from fer_ui.chart_cache import draw_cached
from fer_ui.chart_view import show_chart, show_csv_download
from fer_ui.charts.rebalancing import imbalance_ratio, loss_bars, offset_bars, sample_bars
from fer_ui.datasets.ambiguous_choice import choose_exclude_ambiguous
from fer_ui.datasets.imbalance.epoch_summary import describe_counted_images, describe_epoch, warn_small_epoch
from fer_ui.datasets.imbalance.rebalancing_picker import (
    choose_rebalancing,
    describe_reweight_start,
    rebalancing_to_query,
)
from fer_ui.datasets.imbalance.training_split import TrainingSplit, load_training_split
from fer_ui.datasets.split_choice import split_from_query
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count, format_images, format_percent, format_ratio
from fer_ui.frame.header import Headline, empty_state, headline, notice
from fer_ui.frame.view_layout import chart_and_numbers, verdict
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, get_param, param_selectbox
from fer_ui.resources import load_index

_Chart: TypeAlias = Literal["samples", "loss", "offsets"]
_KNOB_PX = 300
_SAME_01 = 0.0005
"""Shares that are the same with one decimal of a percent."""


@st.fragment
def show_rebalancing(dataset: StoredDataset) -> None:
    """Show the choice of a strategy, its effect on an epoch, and the link to Training."""
    with show_errors():
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            rebalancing = choose_rebalancing(width="content")
            config = _build_config(dataset, rebalancing)
        split = load_training_split(dataset, config)
        if not split.sizes.any():
            empty_state(
                "There is no labeled image to train on",
                "Only readable, labeled images of the training split count. Restore excluded images, or include "
                "ambiguous ones.",
            )
            return
        table, before = split.epoch_table(rebalancing), split.epoch_table(Rebalancing())
        first, *others = _order_charts(rebalancing)
        view = chart_and_numbers("rebalancing")
        with view.numbers:
            _show_numbers(split, table, before)
            if messages := [*rebalancing_warnings(rebalancing), *warn_small_epoch(split, table, config)]:
                notice("warning", "\n".join(messages))
            _show_training_link(dataset, config)
            with st.expander("What an epoch contains", icon=":material/info:"):
                epoch = f"{describe_epoch(split, table, rebalancing)}{_describe_deferral(rebalancing)}"
                st.markdown(escape_markdown(epoch))
                st.caption(escape_markdown(_describe_images(dataset, split, config)))
        with view.chart:
            _show_chart(first, table, before, dataset.id)
        for kind in others:
            _show_chart(kind, table, before, dataset.id)
        _show_table(table, dataset.id)


def _build_config(dataset: StoredDataset, rebalancing: Rebalancing) -> TrainConfig:
    preset = next(iter(PRESETS))
    without_ambiguous = False
    index = load_index(dataset)
    has_votes, ambiguous = VOTE_COLUMNS[0] in dataset.columns(), bool(index["ambiguous"].any())
    if has_votes:
        with st.container(width=_KNOB_PX):
            preset = param_selectbox(
                "Training preset",
                list(PRESETS),
                QueryParam.PRESET,
                format_func=lambda name: PRESETS[name].title,
                help_text="Presets differ in their targets (votes or labels) and in their expressions.",
            )
    if ambiguous:
        with st.container(width=_KNOB_PX):
            without_ambiguous = choose_exclude_ambiguous(index)
    default = PRESETS[preset].config
    split = split_from_query(get_param(QueryParam.SPLIT_CONFIG)) or default.split
    choices = {"rebalancing": rebalancing, "split": split, "exclude_ambiguous": without_ambiguous}
    return default.model_copy(update={"dataset": dataset.id, **choices})


def _show_numbers(split: TrainingSplit, table: pd.DataFrame, before: pd.DataFrame) -> None:
    samples = int(table["samples"].sum()) + split.unlabeled
    present = table[table["images"] > 0]
    smallest = int(table["images"].where(table["images"] > 0).argmin())
    share, share_before = (float(each["effective_share"].iloc[smallest]) for each in (table, before))
    unseen = int(table["never_seen"].sum())
    verdict(_describe_change(table["expression"].iloc[smallest], share_before, share))
    headline(
        [
            Headline("Sampled per epoch", format_count(samples), f"of {format_images(split.images)}"),
            Headline(
                "Imbalance ratio",
                format_ratio(imbalance_ratio(present["samples"])),
                f"of the samples; {format_ratio(imbalance_ratio(present['images']))} of the images",
            ),
            Headline(
                "Not seen in an epoch", format_count(unseen), f"{format_percent(unseen / split.images)} of the images"
            ),
            Headline(
                "Loss share of smallest",
                format_percent(share),
                f"{table['expression'].iloc[smallest]}; {format_percent(share_before)} without",
            ),
        ]
    )


def _show_training_link(dataset: StoredDataset, config: TrainConfig) -> None:
    """Link to the training form with the chosen rebalancing, preset, split and treatment of ambiguous images."""
    params = (QueryParam.PRESET, QueryParam.SPLIT_CONFIG, QueryParam.AMBIGUOUS)
    query = {str(param): value for param in params if (value := get_param(param))}
    link_to(
        Page.TRAINING,
        "Train with this strategy",
        dataset=dataset.id,
        rebalancing=rebalancing_to_query(config.rebalancing),
        **query,
    )


def _describe_deferral(rebalancing: Rebalancing) -> str:
    if not rebalancing.reweight_start_01 or rebalancing.weights == "none":
        return ""
    return f" The weights apply only after {describe_reweight_start(rebalancing)}; until then all weights are equal."


def _describe_change(smallest: str, before_01: float, after_01: float) -> str:
    if abs(after_01 - before_01) < _SAME_01:
        return f"No rebalancing: {smallest} is {format_percent(before_01)} of the loss"
    return f"{smallest.capitalize()} rises from {format_percent(before_01)} to {format_percent(after_01)} of the loss"


def _describe_images(dataset: StoredDataset, split: TrainingSplit, config: TrainConfig) -> str:
    present = set(load_index(dataset)["split"].dropna().unique())
    counted = describe_counted_images(split, config, dataset.n)
    return f"{counted} {describe_published_roles(present, config.split)}".strip()


def _order_charts(rebalancing: Rebalancing) -> list[_Chart]:
    """Order the charts so that the first shows what the strategy changes."""
    charts: list[_Chart] = ["samples", "loss"]
    if rebalancing.sampling == "natural" and rebalancing.weights != "none":
        charts.reverse()
    if rebalancing.logit_tau > 0:
        only_offsets = rebalancing.sampling == "natural" and rebalancing.weights == "none"
        charts.insert(0 if only_offsets else 2, "offsets")
    return charts


def _show_chart(kind: _Chart, table: pd.DataFrame, before: pd.DataFrame, name: str) -> None:
    if kind == "offsets":
        show_chart(draw_cached(offset_bars, table), f"offsets-{name}", table=table[["expression", "offset"]])
    elif kind == "samples":
        columns = ["expression", "images", "samples", "repeats", "never_seen"]
        show_chart(draw_cached(sample_bars, table), f"samples-{name}", table=table[columns])
    else:
        shares = table[["expression", "weight", "effective_share"]].assign(
            share_without_rebalancing=before["effective_share"]
        )
        show_chart(draw_cached(loss_bars, table, before), f"loss-{name}", table=shares)


def _show_table(table: pd.DataFrame, name: str) -> None:
    number = st.column_config.NumberColumn
    columns = {
        "expression": st.column_config.TextColumn("Expression"),
        "images": number("Images", format="localized"),
        "samples": number("Samples", format="localized"),
        "repeats": number("Repeats", format="%.2f", help="How often an epoch contains each image, on average."),
        "never_seen": number("Not seen", format="localized"),
        "weight": number("Weight", format="%.2f", help="Weight of the class in the loss."),
        "offset": number("Offset", format="%.2f", help="Added to the class's logit in training."),
        "effective_share": number("Share of loss", format="%.1f %%"),
    }
    st.dataframe(
        table.assign(expression=table["expression"].str.capitalize(), effective_share=100 * table["effective_share"]),
        key=f"rebalancing-table-{name}",
        hide_index=True,
        column_order=list(columns),
        column_config=columns,
    )
    show_csv_download(table, f"rebalancing-{name}", type="tertiary")
