"""A model's files on a page: its card, the proof that it is what it was, the one file to take away, and deleting it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import streamlit as st

from fer_core.bundles.card.calibration import PICTURE
from fer_core.bundles.card.model_card import model_card, portable_card
from fer_core.bundles.catalog import ModelEntry, delete_model
from fer_core.bundles.export import export_bundle
from fer_core.bundles.verification import Check, verify_bundle
from fer_core.settings import settings
from fer_ui.confirm_deletion import show_deletion_form
from fer_ui.errors import show_errors
from fer_ui.formatting import count
from fer_ui.header import notice
from fer_ui.navigation import Page, go_to

_MIB = 2**20
_CARD_KEY = "card-text"
_WIDE_TABLES = f'<style>[class*="st-key-{_CARD_KEY}"] table {{ display: block; overflow-x: auto }}</style>'
"""A table wider than a phone is pushed sideways by itself, not cut off."""


def show_card(model: ModelEntry) -> None:
    """The model card, made anew from the model's files, and its download."""
    st.download_button(
        "The card as Markdown",
        portable_card(model.info, model.folder),
        f"{model.id}-card.md",
        "text/markdown",
        key=f"card-{model.id}",
        icon=":material/download:",
        on_click="ignore",
    )
    # The page has the title already, and shows the picture as a chart; what is left starts one level lower.
    lines = model_card(model.info, model.folder).splitlines()[1:]
    shown = [f"##{line}" if line.startswith("#") else line for line in lines if f"]({PICTURE})" not in line]
    st.html(_WIDE_TABLES)
    with st.container(key=f"{_CARD_KEY}-{model.id}"):
        st.markdown("\n".join(shown))


def show_files(model: ModelEntry) -> None:
    """Verify, export, delete."""
    # Containers: what comes and goes in one moves nothing else to another place, where it would fold up.
    with st.container():
        _proof(model)
    with st.container():
        _export(model)
    if model.kind == "imported":
        show_deletion_form(
            f"model-{model.id}",
            "Delete this model",
            "Its folder in the store goes, with everything in it. Where it came from stays as it is. If it is in use, "
            "Predict and Live use the one that ships with FERscope again.",
            lambda: _delete(model.id),
        )


def _proof(model: ModelEntry) -> None:
    st.markdown(
        "**Proof.** Its files are compared with the hashes written down when it was made, and its golden faces "
        "must get the probabilities that they got then."
    )
    if model.kind == "run":
        st.caption("A run has no golden faces yet: the file below has them.")
        return
    if st.button("Verify", key=f"verify-{model.id}", icon=":material/verified:"):
        with show_errors(), st.spinner("Reading the files and the golden faces"):
            show_checks(verify_bundle(model.folder))


def show_checks(checks: list[Check]) -> None:
    """What was verified: in a sentence, and a row a check, those that failed first."""
    failed = sum(not check.passed for check in checks)
    if failed:
        notice("error", f"{count(failed)} of {count(len(checks))} checks failed: this is not the model that was made.")
    else:
        notice("success", f"All {count(len(checks))} checks passed: it still predicts what it did.")
    rows = [
        {"Check": check.name, "QuantizationResult": "yes" if check.passed else "no", "Found": check.detail}
        for check in sorted(checks, key=lambda check: check.passed)
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)


def _export(model: ModelEntry) -> None:
    st.markdown(
        "**One file.** The model with its contract, calibration, card and golden faces, to keep or to import elsewhere."
    )
    if not st.button("Make the file", key=f"export-{model.id}", icon=":material/archive:"):
        return
    with show_errors():
        content = _bundle_file(model, _stamp(model.folder))
        st.download_button(
            f"Download {model.id}.zip ({len(content) / _MIB:.1f} MiB)",
            content,
            f"{model.id}.zip",
            "application/zip",
            key=f"download-{model.id}",
            icon=":material/download:",
            on_click="ignore",
            type="primary",
        )


@st.cache_data(show_spinner="Writing the bundle", max_entries=2, hash_funcs={ModelEntry: lambda entry: entry.id})
def _bundle_file(model: ModelEntry, stamp: str) -> bytes:
    del stamp  # part of the key: other files in the same place are another model
    with TemporaryDirectory(prefix="ferscope-export-") as folder:
        return export_bundle(model, Path(folder) / f"{model.id}.zip").read_bytes()


def _stamp(folder: Path) -> str:
    """Another text once a file of the model was changed."""
    return " ".join(f"{path.name}:{path.stat().st_mtime_ns}" for path in sorted(folder.glob("*")))


def _delete(model_id: str) -> None:
    fallen_back = delete_model(model_id, settings())
    st.toast(f"Deleted {model_id}." + (" Predict and Live now use the one that ships." if fallen_back else ""))
    go_to(Page.MODELS)
