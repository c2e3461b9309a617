"""A card of a dataset: its imbalance ratio, its images and a sparkline of its classes."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from fer_core.data.imbalance.imbalance import measure_imbalance
from fer_core.labels import Expression
from fer_ui.escaping import escape_html
from fer_ui.formatting import format_images, format_ratio
from fer_ui.frame.card import link_card
from fer_ui.navigation import Page
from fer_ui.overview.sparkline import sparkline_html
from fer_ui.theme import expression_title


def show_distribution_card(name: str, title: str, n: int, totals: Mapping[str, int], **query: str) -> None:
    """Show the card, which links to Datasets.

    Args:
        name: of the card, unique on the page.
        n: the images of the dataset, with or without a label.
        totals: images of each expression.
        query: what Datasets shows.
    """
    with link_card(name, Page.DATASETS, title, **query):
        st.html(card_html(n, totals))


def card_html(n: int, totals: Mapping[str, int]) -> str:
    """Build the HTML of a card's numbers and sparkline."""
    imbalance = measure_imbalance(totals)
    if imbalance is None:
        return f'<p class="ferscope-card-detail">{format_images(n)}, none labeled</p>'
    largest = expression_title(Expression(imbalance.largest))
    between = "balanced" if imbalance.ratio == 1 else f"{largest} to {imbalance.smallest}"
    return (
        f'<p class="ferscope-card-value">{format_ratio(imbalance.ratio)}</p>'
        f'<p class="ferscope-card-detail">{escape_html(between)}<br>{format_images(n)}</p>{sparkline_html(totals)}'
    )
