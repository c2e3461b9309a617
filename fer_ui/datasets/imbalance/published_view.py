"""Published counts on a page: how unequal the classes are without a single image at hand, and what else is known."""

from __future__ import annotations

import streamlit as st

from fer_core.data.catalog import list_datasets
from fer_core.data.imbalance.balance import class_totals, published_counts
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
    show_imbalance_metrics,
    show_imbalance_verdict,
)
from fer_ui.escaping import escape_html, escape_markdown
from fer_ui.formatting import count
from fer_ui.header import empty_state, notice
from fer_ui.image_labels import describe_reason
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, param_selectbox

_FACTS = (
    "display:grid;grid-template-columns:minmax(6.5rem,auto) 1fr;gap:0.375rem 1rem;margin:0;padding:0;"
    "font-size:0.9375rem;line-height:1.45"
)
_TERM = "margin:0;color:color-mix(in srgb, currentColor 72%, transparent)"
_SAID = "margin:0;min-width:0;overflow-wrap:anywhere"


def show_published() -> None:
    """The choice of a dataset, its published counts, and all else that its manifest says."""
    manifests = all_manifests(settings())
    counted = [name for name, manifest in manifests.items() if _totals(manifest)]
    ids = [*counted, *(name for name in manifests if name not in counted)]

    def named(name: str) -> str:
        return manifests[name].title if name in counted else f"{manifests[name].title} (no counts)"

    manifest = manifests[param_selectbox("Dataset", ids, QueryParam.MANIFEST, format_func=named)]
    st.markdown(escape_markdown(manifest.summary))
    with st.container(horizontal=True, gap="small"):
        _show_links(manifest)
    if manifest.synthetic:
        notice("info", "These faces are drawings. Figures on them say nothing about people.")
    if manifest.published and _totals(manifest):
        _show_counts(manifest.published, manifest.id)
    else:
        empty_state("No class counts are published", "Import the dataset and its classes are counted here.")
    st.subheader(escape_markdown(f"About {manifest.title}"), anchor=False)
    show_manifest(manifest)


def show_manifest(manifest: Manifest) -> None:
    """What is known of a dataset beside its counts: license, terms, citation, homepage, contents, known problems."""
    st.html(facts_html(manifest))
    if manifest.problems:
        st.markdown("**Known problems**")
        st.markdown("\n".join(f"- {escape_markdown(problem)}" for problem in manifest.problems))


def facts_html(manifest: Manifest) -> str:
    """The markup of the facts: a list of terms and what is said of them, without those of which nothing is."""
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
        "Beside labels": escape_html(join_words([name for name, there in contents.items() if there])),
        "Layout": escape_html(manifest.layout),
    }
    rows = (f'<dt style="{_TERM}">{name}</dt><dd style="{_SAID}">{said}</dd>' for name, said in facts.items() if said)
    return f'<dl style="{_FACTS}">{"".join(rows)}</dl>'


def _show_links(manifest: Manifest) -> None:
    if any(dataset.id == manifest.id for dataset in list_datasets(settings())):
        link_to(Page.DATASETS, "Open the imported one", dataset=manifest.id)
        link_to(Page.DATASETS, "Compare the two", view="compare", sets=f"{manifest.id},published:{manifest.id}")
    elif manifest.synthetic:
        link_to(Page.DATASETS, "Draw it", view="import")
    else:
        link_to(Page.DATASETS, "Import it", view="import")


def _show_counts(published: PublishedCounts, name: str) -> None:
    counts = published_counts(published.splits)
    split = choose_split_of_counts(counts)
    shown = select_split(counts, split)
    judge, judged = find_test_counts(counts, split)
    show_imbalance_metrics(class_totals(shown))
    show_imbalance_verdict(class_totals(shown), judged, judge)
    show_distribution(shown, f"published-{name}")
    if published.others:
        each = [f"{count(number)} {describe_reason(reason)}" for reason, number in published.others.items()]
        st.caption(escape_markdown(f"Without an expression: {join_words(each)}."))
    st.caption(escape_markdown(f"Source: {published.source}. {published.note}".strip()))
    show_class_table(counts, judge, judged, f"published-{name}")


def _totals(manifest: Manifest) -> int:
    return sum(sum(split.values()) for split in manifest.published.splits.values()) if manifest.published else 0


def _link(address: str) -> str:
    """A link where the address is one of the web; others are shown as text."""
    if not address.startswith(("https://", "http://")):
        return escape_html(address)
    target = escape_html(address)
    return f'<a href="{target}" target="_blank" rel="noopener noreferrer" style="color:inherit">{target}</a>'
