"""Rebalancing on a page: what training would really see in an epoch under a remedy, before a run is started."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.data.imbalance.rebalancing import Rebalancing, rebalancing_warnings
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.labels import Expression
from fer_core.training.config.presets import PRESETS
from fer_core.training.config.train_config import TrainConfig
from fer_ui.chart_view import show_chart, show_csv_download
from fer_ui.charts.rebalancing import imbalance_ratio, loss_bars, offset_bars, sample_bars
from fer_ui.datasets.ambiguous_choice import choose_exclude_ambiguous
from fer_ui.datasets.imbalance.epoch_summary import describe_counted_images, describe_epoch, warn_small_epoch
from fer_ui.datasets.imbalance.rebalancing_picker import choose_rebalancing
from fer_ui.datasets.imbalance.rebalancing_query_params import describe_reweight_start, rebalancing_to_query
from fer_ui.datasets.imbalance.training_split import TrainingSplit, load_training_split
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import count, percent, times
from fer_ui.header import Headline, empty_state, headline, notice
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, get_param, param_selectbox
from fer_ui.resources import load_index
from fer_ui.split_query_params import split_from_query
from fer_ui.theme import expression_title


def show_rebalancing(dataset: StoredDataset) -> None:
    """The choice of a remedy, what an epoch would be with it in numbers, words and charts, and the link to Training."""
    with show_errors():
        rebalancing = choose_rebalancing()
        config = _config(dataset, rebalancing)
        split = load_training_split(dataset, config)
        if not split.sizes.any():
            empty_state(
                "There is no labeled image to train on",
                "Only readable images of the training part with a label are counted. Restore excluded images, or "
                "learn from ambiguous ones too.",
            )
            return
        table, before = split.under(rebalancing), split.under(Rebalancing())
        _headline(split, table, before)
        st.markdown(escape_markdown(f"{describe_epoch(split, table, rebalancing)}{_deferred(rebalancing)}"))
        if cautions := [*rebalancing_warnings(rebalancing), *warn_small_epoch(split, table, config)]:
            notice("warning", "\n".join(cautions))
        _train_link(dataset, config)
        _charts(table, before, rebalancing, dataset.id)
        _table(table, dataset.id)
        st.caption(escape_markdown(describe_counted_images(split, config, dataset.n)))


def _config(dataset: StoredDataset, rebalancing: Rebalancing) -> TrainConfig:
    """What Training would be asked for: a preset with what the address says."""
    preset = next(iter(PRESETS))
    without_ambiguous = False
    index = load_index(dataset)
    voted, ambiguous = VOTE_COLUMNS[0] in dataset.columns(), bool(index["ambiguous"].any())
    columns = iter(st.columns(2) if voted or ambiguous else ())
    if voted:
        with next(columns):
            preset = param_selectbox(
                "Counted for",
                list(PRESETS),
                QueryParam.PRESET,
                format_func=lambda name: PRESETS[name].title,
                help_text="Some learn from the votes, others from the labels alone, and some from fewer expressions.",
            )
    if ambiguous:
        with next(columns):
            without_ambiguous = choose_exclude_ambiguous(index)
    usual = PRESETS[preset].config
    split = split_from_query(get_param(QueryParam.SPLIT_CONFIG)) or usual.split
    changed = {
        "dataset": dataset.id,
        "rebalancing": rebalancing,
        "split": split,
        "exclude_ambiguous": without_ambiguous,
    }
    return usual.model_copy(update=changed)


def _headline(split: TrainingSplit, table: pd.DataFrame, before: pd.DataFrame) -> None:
    drawn = int(table["samples"].sum()) + split.unlabeled
    present = table[table["images"] > 0]
    rarest = int(table["images"].where(table["images"] > 0).argmin())
    share, usual = float(table["effective_share"].iloc[rarest]), float(before["effective_share"].iloc[rarest])
    waiting = int(table["never_seen"].sum())
    headline(
        [
            Headline("Images in an epoch", count(drawn), f"of {count(split.images)} to learn from"),
            Headline(
                "Commonest to rarest",
                times(imbalance_ratio(present["samples"])),
                f"as drawn; {times(imbalance_ratio(present['images']))} as they are",
            ),
            Headline("Not seen in an epoch", count(waiting), f"{percent(waiting / split.images)} of the images"),
            Headline(
                "Loss about the rarest",
                percent(share),
                f"{expression_title(Expression(table['expression'].iloc[rarest]))}; {percent(usual)} without a remedy",
            ),
        ]
    )


def _train_link(dataset: StoredDataset, config: TrainConfig) -> None:
    """Link to the training form with the chosen rebalancing, preset, split and treatment of ambiguous images."""
    kept = {
        str(param): get_param(param) for param in (QueryParam.PRESET, QueryParam.SPLIT_CONFIG, QueryParam.AMBIGUOUS)
    }
    asked = {name: value for name, value in kept.items() if value}
    link_to(
        Page.TRAINING,
        "Train with this",
        dataset=dataset.id,
        rebalancing=rebalancing_to_query(config.rebalancing),
        **asked,
    )


def _deferred(rebalancing: Rebalancing) -> str:
    """When the weights begin to count, where that is not at once."""
    if not rebalancing.reweight_start_01 or rebalancing.weights == "none":
        return ""
    return f" The weights shown count only after {describe_reweight_start(rebalancing)}; until then all count alike."


def _charts(table: pd.DataFrame, before: pd.DataFrame, rebalancing: Rebalancing, name: str) -> None:
    if rebalancing.logit_tau > 0:
        show_chart(offset_bars(table), f"offsets-{name}", table=table[["expression", "offset"]])
    show_chart(
        sample_bars(table), f"samples-{name}", table=table[["expression", "images", "samples", "repeats", "never_seen"]]
    )
    shares = table[["expression", "weight", "effective_share"]].assign(without_remedy=before["effective_share"])
    show_chart(loss_bars(table, before), f"loss-{name}", table=shares)


def _table(table: pd.DataFrame, name: str) -> None:
    whole = st.column_config.NumberColumn(format="localized", width="small")
    shown = pd.DataFrame(
        {
            "Expression": [expression_title(Expression(each)) for each in table["expression"]],
            "Images": table["images"],
            "Drawn": table["samples"],
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
    show_csv_download(table, f"remedy-{name}")
