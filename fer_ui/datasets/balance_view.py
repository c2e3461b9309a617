"""Rebalancing on a page: what training would really see in an epoch under a remedy, before a run is started."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.data.rebalance import Remedy, warnings
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.labels import Expression
from fer_core.training.config import TrainConfig
from fer_core.training.preset_info import PRESETS
from fer_ui.chart_view import offer_csv, show_chart
from fer_ui.charts.rebalancing import drawn_bars, loss_bars, offset_bars, ratio
from fer_ui.datasets.disputed_choice import choose_disputed
from fer_ui.datasets.epoch_words import counted_words, epoch_words, too_few
from fer_ui.datasets.remedy_address import deferred_words, remedy_to_address
from fer_ui.datasets.remedy_picker import pick_remedy
from fer_ui.datasets.training_part import TrainingPart, training_part
from fer_ui.errors import shown_errors
from fer_ui.header import Headline, empty_state, headline, notice
from fer_ui.numbers import count, percent, times
from fer_ui.pages import Page, link_to
from fer_ui.params import Param, choose, value_of
from fer_ui.resources import index_of
from fer_ui.split_address import split_from_address
from fer_ui.theme import expression_title
from fer_ui.words import plain


def show_balance(dataset: StoredDataset) -> None:
    """The choice of a remedy, what an epoch would be with it in numbers, words and charts, and the link to Training."""
    with shown_errors():
        remedy = pick_remedy()
        config = _config(dataset, remedy)
        part = training_part(dataset, config)
        if not part.sizes.any():
            empty_state(
                "There is no labelled image to train on",
                "Only readable images of the training part with a label are counted. Restore excluded images, or "
                "learn from disputed ones too.",
            )
            return
        table, before = part.under(remedy), part.under(Remedy())
        _headline(part, table, before)
        st.markdown(plain(f"{epoch_words(part, table, remedy)}{_deferred(remedy)}"))
        if doubts := [*warnings(remedy), *too_few(part, table, config)]:
            notice("warning", "\n".join(doubts))
        _train_link(dataset, config)
        _charts(table, before, remedy, dataset.id)
        _table(table, dataset.id)
        st.caption(plain(counted_words(part, config, dataset.n)))


def _config(dataset: StoredDataset, remedy: Remedy) -> TrainConfig:
    """What Training would be asked for: a preset with what the address says."""
    preset = next(iter(PRESETS))
    without_disputed = False
    index = index_of(dataset)
    voted, disputed = VOTE_COLUMNS[0] in dataset.columns(), bool(index["disputed"].any())
    columns = iter(st.columns(2) if voted or disputed else ())
    if voted:
        with next(columns):
            preset = choose(
                "Counted for",
                list(PRESETS),
                Param.PRESET,
                format_func=lambda name: PRESETS[name].title,
                help_text="Some learn from the votes, others from the labels alone, and some from fewer expressions.",
            )
    if disputed:
        with next(columns):
            without_disputed = choose_disputed(index)
    usual = PRESETS[preset].config
    split = split_from_address(value_of(Param.SPLIT)) or usual.split
    changed = {"dataset": dataset.id, "remedy": remedy, "split": split, "leave_out_disputed": without_disputed}
    return usual.model_copy(update=changed)


def _headline(part: TrainingPart, table: pd.DataFrame, before: pd.DataFrame) -> None:
    drawn = int(table["drawn"].sum()) + part.unlabelled
    present = table[table["images"] > 0]
    rarest = int(table["images"].where(table["images"] > 0).argmin())
    share, usual = float(table["effective_share"].iloc[rarest]), float(before["effective_share"].iloc[rarest])
    waiting = int(table["never_seen"].sum())
    headline(
        [
            Headline("Images in an epoch", count(drawn), f"of {count(part.images)} to learn from"),
            Headline(
                "Commonest to rarest",
                times(ratio(present["drawn"])),
                f"as drawn; {times(ratio(present['images']))} as they are",
            ),
            Headline("Not seen in an epoch", count(waiting), f"{percent(waiting / part.images)} of the images"),
            Headline(
                "Loss about the rarest",
                percent(share),
                f"{expression_title(Expression(table['expression'].iloc[rarest]))}; {percent(usual)} without a remedy",
            ),
        ]
    )


def _train_link(dataset: StoredDataset, config: TrainConfig) -> None:
    """To the form with what was counted: the remedy, and what the address says of preset, split and disputed images."""
    kept = {str(param): value_of(param) for param in (Param.PRESET, Param.SPLIT, Param.DISPUTED)}
    asked = {name: value for name, value in kept.items() if value}
    link_to(Page.TRAINING, "Train with this", dataset=dataset.id, remedy=remedy_to_address(config.remedy), **asked)


def _deferred(remedy: Remedy) -> str:
    """When the weights begin to count, where that is not at once."""
    if not remedy.weights_after_01 or remedy.weights == "none":
        return ""
    return f" The weights shown count only after {deferred_words(remedy)}; until then all count alike."


def _charts(table: pd.DataFrame, before: pd.DataFrame, remedy: Remedy, name: str) -> None:
    if remedy.logit_tau > 0:
        show_chart(offset_bars(table), f"offsets-{name}", table=table[["expression", "offset"]])
    show_chart(
        drawn_bars(table), f"drawn-{name}", table=table[["expression", "images", "drawn", "repeats", "never_seen"]]
    )
    shares = table[["expression", "weight", "effective_share"]].assign(without_remedy=before["effective_share"])
    show_chart(loss_bars(table, before), f"loss-{name}", table=shares)


def _table(table: pd.DataFrame, name: str) -> None:
    whole = st.column_config.NumberColumn(format="localized", width="small")
    shown = pd.DataFrame(
        {
            "Expression": [expression_title(Expression(each)) for each in table["expression"]],
            "Images": table["images"],
            "Drawn": table["drawn"],
            "Times each": table["repeats"],
            "Not seen": table["never_seen"],
            "Weight": table["weight"],
            "Offset": table["offset"],
            "Share of loss": 100 * table["effective_share"],
        }
    )
    st.dataframe(
        shown,
        key=f"remedy-table-{name}",
        hide_index=True,
        column_config={
            **dict.fromkeys(("Images", "Drawn", "Not seen"), whole),
            "Times each": st.column_config.NumberColumn(
                format="%.2f", width="small", help="How often an epoch sees an image of it, in the mean."
            ),
            "Weight": st.column_config.NumberColumn(format="%.2f", width="small", help="What one counts in the loss."),
            "Offset": st.column_config.NumberColumn(
                format="%.2f", width="small", help="What the logit-adjusted loss adds to its output."
            ),
            "Share of loss": st.column_config.NumberColumn(format="%.1f %%", width="small"),
        },
    )
    offer_csv(table, f"remedy-{name}")
