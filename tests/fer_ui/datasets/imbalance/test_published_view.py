"""Published counts and facts of manifests."""

from __future__ import annotations

import pytest

from fer_core.data.catalog import StoredDataset
from fer_core.data.manifest import Manifest, builtin_manifests, dump_manifest
from fer_core.data.manifest_store import save_manifest
from fer_core.settings import Settings
from fer_ui.datasets.imbalance.published_view import facts_html
from tests.fer_ui.datasets.small_dataset import MANIFEST, open_view
from tests.support.app_test import charts, page_text


def view() -> None:
    import streamlit as st

    from fer_ui.datasets.imbalance.published_view import show_published
    from fer_ui.navigation import build_pages

    st.navigation(list(build_pages().values()))
    show_published(st.container())


def test_published_counts_need_no_images(store: Settings) -> None:
    app = open_view(view, manifest="fer2013")
    assert not app.exception and not app.error
    text = page_text(app)
    assert "35,887" in text and ">16 : 1<" in text and "Strongly imbalanced" in text
    assert "the test split" in text
    assert "Goodfellow" in text and "Labels are noisy" in text
    assert "view=import" in app.get("page_link")[0].proto.query_string
    assert len(charts(app)) == 1


def test_a_single_split_can_be_shown(store: Settings) -> None:
    assert ">3,589<" in page_text(open_view(view, manifest="fer2013", split="test"))


@pytest.mark.parametrize("name", sorted(builtin_manifests()))
def test_every_manifest_can_be_shown(store: Settings, name: str) -> None:
    manifest = builtin_manifests()[name]
    app = open_view(view, manifest=name)
    assert not app.exception and not app.error
    assert app.selectbox(key="manifest").value == name
    assert manifest.license in page_text(app)
    assert all(" ".join(problem.split()[:4]) in page_text(app) for problem in manifest.problems)
    has_counts = manifest.published is not None
    assert ("No class counts are published" in page_text(app)) != has_counts
    assert len(charts(app)) == has_counts


def test_custom_manifests_are_listed_and_those_without_counts_come_last(store: Settings) -> None:
    custom = MANIFEST.model_copy(update={"title": "Aardvarks", "published": None})
    save_manifest(dump_manifest(custom), store)
    app = open_view(view, manifest=custom.id)
    options = app.selectbox(key="manifest").options
    assert "Aardvarks (no counts)" in options
    lacks_counts = [option.endswith("(no counts)") for option in options]
    assert lacks_counts == sorted(lacks_counts)
    assert "No class counts are published" in page_text(app)


def test_an_imported_dataset_is_linked(small: StoredDataset, store: Settings) -> None:
    save_manifest(dump_manifest(MANIFEST), store)
    links = {link.proto.label: link.proto.query_string for link in open_view(view, manifest=small.id).get("page_link")}
    assert links["Open the imported dataset"] == f"dataset={small.id}"
    assert "view=compare" in links["Compare with the imported dataset"]


def test_facts_are_escaped_and_only_web_addresses_are_links() -> None:
    unsafe = Manifest(id="bad", title="", summary="", license="<script>", homepage="javascript:alert(1)")
    assert "<script>" not in facts_html(unsafe) and "href" not in facts_html(unsafe)
    with_homepage = unsafe.model_copy(update={"homepage": 'https://example.org/?a=1&b="2"'})
    assert 'href="https://example.org/?a=1&amp;b=&quot;2&quot;"' in facts_html(with_homepage)
    assert "Citation" not in facts_html(with_homepage)
