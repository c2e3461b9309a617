"""Cards of the store: its datasets, and the best run on each."""

from __future__ import annotations

import streamlit as st

from fer_core.comparison.run_summary import RunSummary
from fer_core.data.catalog import StoredDataset, list_datasets
from fer_core.data.dataset_title import short_dataset_title
from fer_core.data.imbalance.counts import class_counts, class_totals
from fer_core.data.record import SPLIT_TITLES
from fer_core.settings import settings
from fer_core.text import shorten
from fer_ui.escaping import escape_html
from fer_ui.formatting import format_count, format_interval, format_percent
from fer_ui.frame.card import link_card
from fer_ui.navigation import Page, link_to
from fer_ui.overview.distribution_card import show_distribution_card
from fer_ui.training.runs.list_view import BestRun, best_runs
from fer_ui.training.runs.rows import run_table

_CARDS_A_ROW, _CARD_PX = 4, 210
_DATASETS_MAX, _BEST_RUNS_MAX = 6, 2
_NAME_CHARACTERS = 60


def show_store_cards() -> None:
    """Show the newest datasets and the best runs; nothing on an empty store."""
    datasets = sorted(list_datasets(settings()), key=lambda dataset: dataset.created, reverse=True)
    best = [run for run in best_runs(run_table().rows()) if run.row.metrics and run.row.metrics.n]
    if not datasets and not best:
        return
    st.subheader("Your datasets and best runs" if best else "Your datasets", anchor=False)
    cards = len(datasets[:_DATASETS_MAX]) + len(best[:_BEST_RUNS_MAX])
    grid = st.grid(min(cards, _CARDS_A_ROW), min_column_width=_CARD_PX, gap="small")
    for dataset in datasets[:_DATASETS_MAX]:
        with grid:
            totals = _class_totals(dataset.id, dataset.fingerprint, dataset.corrections().version, dataset)
            show_distribution_card(f"dataset-{dataset.id}", dataset.title, dataset.n, totals, dataset=dataset.id)
    for run in best[:_BEST_RUNS_MAX]:
        with grid:
            _show_best_run(run)
    if len(datasets) > _DATASETS_MAX:
        link_to(Page.DATASETS, f"{format_count(len(datasets) - _DATASETS_MAX)} more datasets")


def _show_best_run(best: BestRun) -> None:
    dataset = short_dataset_title(best.row.dataset, settings())
    with link_card(f"run-{best.row.id}", Page.EVALUATION, f"Best run on {dataset}", run=best.row.id):
        st.html(best_run_html(best.row, best.ranked))


def best_run_html(row: RunSummary, ranked: int) -> str:
    """Build the HTML of the best run's macro-F1, its 95 % interval, what it was measured on, and its title.

    Args:
        ranked: the number of runs that it is the best of.
    """
    bounds, metrics = row.interval("macro_f1"), row.metrics
    interval = f"95 %: {format_interval(*bounds)}" if bounds else "no interval"
    split = SPLIT_TITLES.get(metrics.split, metrics.split) if metrics else ""
    images = f", {format_count(metrics.n)} images" if metrics and metrics.n else ""
    of = f"Best of {format_count(ranked)} runs" if ranked > 1 else "The only run"
    lines = [
        f"Macro-F1, {interval}",
        f"{split.capitalize()} split{images}",
        f"{of}: {shorten(row.title, _NAME_CHARACTERS)}",
    ]
    if row.synthetic:
        lines.append("Synthetic faces: says nothing about people")
    details = "<br>".join(escape_html(line) for line in lines)
    return (
        f'<p class="ferscope-card-value">{escape_html(format_percent(row.score("macro_f1") or 0.0))}</p>'
        f'<p class="ferscope-card-detail">{details}</p>'
    )


@st.cache_data(show_spinner="Counting the classes", max_entries=64)
def _class_totals(dataset_id: str, fingerprint: str, version: int, _dataset: StoredDataset) -> dict[str, int]:
    """Count a dataset's classes; the first three arguments are the key of the cache."""
    del dataset_id, fingerprint, version
    return class_totals(class_counts(_dataset.index(["split", "label"])))
