"""Published class counts and the other facts of a manifest, without any images."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.data.catalog import list_datasets
from fer_core.data.imbalance.counts import class_totals, published_counts
from fer_core.data.manifest import Manifest, PublishedCounts
from fer_core.data.manifest_store import all_manifests
from fer_core.settings import settings
from fer_core.text import join_words
from fer_ui.datasets.imbalance.class_table import show_class_table
from fer_ui.datasets.imbalance.count_view import (
    choose_split_of_counts,
    find_test_counts,
    select_split,
    show_distribution,
    show_imbalance,
)
from fer_ui.escaping import escape_html, escape_markdown
from fer_ui.formatting import format_count
from fer_ui.frame.header import SYNTHETIC_DATA_NOTE, empty_state, notice
from fer_ui.frame.view_layout import chart_and_numbers
from fer_ui.image_labels import describe_reason
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam
from fer_ui.record_choice import choose_record
from fer_ui.theme import MUTED

_FIRST = "affectnet-8"
"""Shown first: large, well known and very imbalanced."""

_FACTS = (
    "display:grid;grid-template-columns:minmax(6.5rem,auto) 1fr;gap:0.375rem 1rem;margin:0;padding:0;"
    "font-size:0.9375rem;line-height:1.45"
)
_TERM = f"margin:0;{MUTED}"
_DESCRIPTION = "margin:0;min-width:0;overflow-wrap:anywhere"


def show_published(header: DeltaGenerator) -> None:
    """Show the choice of a dataset in the page's header, its published counts, and the facts of its manifest."""
    manifests = all_manifests(settings())
    counted = [name for name, manifest in manifests.items() if _count_images(manifest)]
    counted.sort(key=lambda name: name != _FIRST)
    titles = {name: manifests[name].title for name in counted}
    titles |= {name: f"{manifest.title} (no counts)" for name, manifest in manifests.items() if name not in counted}
    with header:
        manifest_id = choose_record("Dataset", titles, QueryParam.MANIFEST, "manifest", in_header=True)
    if manifest_id is None:
        return
    manifest = manifests[manifest_id]
    if manifest.synthetic:
        notice("info", SYNTHETIC_DATA_NOTE)
    if manifest.published and _count_images(manifest):
        _show_counts(manifest.published, manifest.id, header)
    else:
        empty_state("No class counts are published", "Import the dataset to count its classes.")
    st.subheader(escape_markdown(f"About {manifest.title}"), anchor=False)
    st.markdown(escape_markdown(manifest.summary))
    with st.container(horizontal=True, gap="small"):
        _show_links(manifest)
    show_manifest(manifest)


def show_manifest(manifest: Manifest) -> None:
    """Show a dataset's license, terms, citation, homepage, contents and known problems."""
    st.html(facts_html(manifest))
    if manifest.problems:
        st.markdown("**Known problems**")
        st.markdown("\n".join(f"- {escape_markdown(problem)}" for problem in manifest.problems))


def facts_html(manifest: Manifest) -> str:
    """Build the HTML list of a manifest's facts, without empty ones."""
    contents = {
        "identities": manifest.contents.identities,
        "votes": manifest.contents.votes,
        "valence and arousal": manifest.contents.valence_arousal,
        "landmarks": manifest.contents.landmarks,
    }
    facts = {
        "License": escape_html(manifest.license),
        "Terms": escape_html(manifest.terms),
        "Citation": escape_html(manifest.citation),
        "Homepage": _link(manifest.homepage),
        "Annotations": escape_html(join_words([name for name, present in contents.items() if present])),
        "Layout": escape_html(manifest.layout),
    }
    rows = (
        f'<dt style="{_TERM}">{name}</dt><dd style="{_DESCRIPTION}">{description}</dd>'
        for name, description in facts.items()
        if description
    )
    return f'<dl style="{_FACTS}">{"".join(rows)}</dl>'


def _show_links(manifest: Manifest) -> None:
    if any(dataset.id == manifest.id for dataset in list_datasets(settings())):
        link_to(Page.DATASETS, "Open the imported dataset", dataset=manifest.id)
        link_to(
            Page.DATASETS,
            "Compare with the imported dataset",
            view="compare",
            sets=f"{manifest.id},published:{manifest.id}",
        )
    elif manifest.synthetic:
        link_to(Page.DATASETS, "Generate", view="import")
    else:
        link_to(Page.DATASETS, "Import", view="import")


def _show_counts(published: PublishedCounts, name: str, header: DeltaGenerator) -> None:
    counts = published_counts(published.splits)
    split = choose_split_of_counts(header, counts)
    shown = select_split(counts, split)
    test_split, test_counts = find_test_counts(counts, split)
    view = chart_and_numbers("published")
    with view.numbers:
        show_imbalance(class_totals(shown), test_counts, test_split)
    with view.chart:
        _show_chart(shown, name)
    if published.others:
        others = [f"{format_count(number)} {describe_reason(reason)}" for reason, number in published.others.items()]
        st.caption(escape_markdown(f"Without an expression: {join_words(others)}."))
    st.caption(escape_markdown(f"Source: {published.source}. {published.note}".strip()))
    show_class_table(counts, test_split, test_counts, f"published-{name}")


@st.fragment
def _show_chart(counts: pd.DataFrame, name: str) -> None:
    show_distribution(counts, f"published-{name}")


def _count_images(manifest: Manifest) -> int:
    return sum(sum(split.values()) for split in manifest.published.splits.values()) if manifest.published else 0


def _link(url: str) -> str:
    """Build a link to a web address; anything else stays text."""
    if not url.startswith(("https://", "http://")):
        return escape_html(url)
    target = escape_html(url)
    return f'<a href="{target}" target="_blank" rel="noopener noreferrer" style="color:inherit">{target}</a>'
