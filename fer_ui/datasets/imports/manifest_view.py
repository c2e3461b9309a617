"""The view Manifests: write, check, save and delete your own manifests."""

from __future__ import annotations

import streamlit as st

from fer_core.data.manifest import Manifest, dump_manifest, parse_manifest_text
from fer_core.data.manifest_store import delete_manifest, save_manifest, user_manifests
from fer_core.errors import InputError
from fer_core.settings import settings
from fer_core.text import join_words
from fer_ui.confirm_deletion import show_deletion_form
from fer_ui.errors import show_errors
from fer_ui.frame.announcement import announce
from fer_ui.frame.header import notice
from fer_ui.navigation import Page, go_to

_NEW = "New manifest"
_EXAMPLE = """\
id: my-faces
title: My faces
summary: Photographs that we took ourselves, with one label each.
license: ours, for research within the team
layout: folders
labels: {joy: happiness, rage: anger, other: null}
identity_pattern: "^(p[0-9]+)_"
published:
  source: our own counts
  splits:
    train: {happiness: 120, anger: 31}
problems:
  - Posed, in one room.
"""


def show_manifests() -> None:
    """Show the editor of manifests."""
    st.markdown(
        "A manifest describes a dataset: its license, file layout, labels and published class counts. With your own "
        "manifest, imports recognize your data, and its published counts can be explored without images. Map labels to "
        "ignore to `null`. `docs/manifests.md` explains each key."
    )
    own = user_manifests(settings())
    name = st.selectbox("Manifest", [_NEW, *own], key="own-manifest")
    text = st.text_area(
        "YAML",
        dump_manifest(own[name]) if name in own else _EXAMPLE,
        height=380,
        key=f"manifest-text-{name}",
    )
    manifest = _check_manifest(text)
    if st.button("Save", type="primary", icon=":material/save:", disabled=manifest is None):
        with show_errors():
            saved = save_manifest(text, settings(), replace=name in own)
            announce(f"Saved {saved.title}.")
            if saved.published:
                go_to(Page.DATASETS, view="published", manifest=saved.id)
            st.rerun()
    if name in own:
        _show_deletion(own[name])


def _check_manifest(text: str) -> Manifest | None:
    """Parse the text; on an error, show it and return None."""
    try:
        manifest = parse_manifest_text(text, "The manifest")
    except InputError as error:
        notice("error", str(error))
        return None
    splits = f", published counts of {join_words(list(manifest.published.splits))}" if manifest.published else ""
    notice("success", f"Valid: {manifest.title}, layout {manifest.layout or 'not stated'}{splits}.")
    return manifest


def _show_deletion(manifest: Manifest) -> None:
    def delete() -> None:
        delete_manifest(manifest.id, settings())
        go_to(Page.DATASETS, view="manifests")

    show_deletion_form(
        f"manifest-{manifest.id}",
        "Delete this manifest",
        "Datasets imported with it keep their copy.",
        delete,
    )
