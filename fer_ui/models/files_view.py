"""A model's files on a page: model card, verification, export and deletion."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import streamlit as st

from fer_core.bundles.card.calibration import DIAGRAM_FILE
from fer_core.bundles.card.model_card import model_card, portable_card
from fer_core.bundles.catalog import ModelEntry, delete_model
from fer_core.bundles.export_bundle import export_bundle
from fer_core.bundles.verification import CheckResult, verify_bundle
from fer_core.settings import settings
from fer_core.text import format_size
from fer_ui.confirm_deletion import show_deletion_form
from fer_ui.downloads import show_download
from fer_ui.errors import show_errors
from fer_ui.formatting import format_count
from fer_ui.frame.announcement import announce
from fer_ui.frame.header import notice
from fer_ui.navigation import Page, go_to

_CARD_KEY = "card-text"
_TABLE_STYLE = f'<style>[class*="st-key-{_CARD_KEY}"] table {{ display: block; overflow-x: auto }}</style>'
"""Tables wider than a phone scroll by themselves."""


def show_card(model: ModelEntry) -> None:
    """Show the model card, built from the model's files, and its download."""
    card = portable_card(model.info, model.folder)
    show_download("Download card", card, f"{model.id}-card.md", "text/markdown")
    # The page shows the title and the chart itself; the headings start one level lower.
    lines = model_card(model.info, model.folder).splitlines()[1:]
    shown = [f"##{line}" if line.startswith("#") else line for line in lines if f"]({DIAGRAM_FILE})" not in line]
    st.html(_TABLE_STYLE)
    with st.container(key=f"{_CARD_KEY}-{model.id}"):
        st.markdown("\n".join(shown))


def show_files(model: ModelEntry) -> None:
    """Show verification, export and, for imported models, deletion."""
    # Containers keep the elements below at their place, where they stay expanded.
    with st.container():
        _show_verification(model)
    with st.container():
        _show_export(model)
    if model.kind == "imported":
        show_deletion_form(
            f"model-{model.id}",
            "Delete this model",
            "Removes its folder from the store; the file that it was imported from stays. If it is in use, Predict and "
            "Live go back to the model that ships with FERscope.",
            lambda: _delete(model.id),
        )


def _show_verification(model: ModelEntry) -> None:
    st.markdown(
        "**Verification.** Compares the files with their hashes from the export, and the predictions on the golden "
        "faces with the stored ones."
    )
    if model.kind == "run":
        st.caption("A run has no golden faces; the exported file below has them.")
        return
    if st.button("Verify", key=f"verify-{model.id}", icon=":material/verified:"):
        with show_errors(), st.spinner("Verifying the files and predictions"):
            show_checks(verify_bundle(model.folder))


def show_checks(checks: list[CheckResult]) -> None:
    """Show the result of the verification and a row per check, failed ones first."""
    failed = sum(not check.passed for check in checks)
    if failed:
        notice(
            "error",
            f"{format_count(failed)} of {format_count(len(checks))} checks failed: the model differs from the one that "
            "was exported.",
        )
    else:
        notice("success", f"All {format_count(len(checks))} checks passed: the model is unchanged.")
    rows = [
        {"Check": check.name, "Passed": "yes" if check.passed else "no", "Found": check.detail}
        for check in sorted(checks, key=lambda check: check.passed)
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)


def _show_export(model: ModelEntry) -> None:
    st.markdown(
        "**Export.** One file with the network, input contract, calibration, card and golden faces, to archive or to "
        "import elsewhere."
    )
    if not st.button("Export", key=f"export-{model.id}", icon=":material/archive:"):
        return
    with show_errors():
        content = _bundle_file(model, _version_key(model.folder))
        label = f"Download {model.id}.zip ({format_size(len(content))})"
        show_download(label, content, f"{model.id}.zip", "application/zip", "primary")


@st.cache_data(show_spinner="Writing the bundle", max_entries=2, hash_funcs={ModelEntry: lambda entry: entry.id})
def _bundle_file(model: ModelEntry, version_key: str) -> bytes:
    del version_key  # cache key: changed files are another model
    with TemporaryDirectory(prefix="ferscope-export-") as folder:
        return export_bundle(model, Path(folder) / f"{model.id}.zip").read_bytes()


def _version_key(folder: Path) -> str:
    """Build a text that changes with any file of the model."""
    return " ".join(f"{path.name}:{path.stat().st_mtime_ns}" for path in sorted(folder.glob("*")))


def _delete(model_id: str) -> None:
    fallen_back = delete_model(model_id, settings())
    announce(f"Deleted {model_id}." + (" Predict and Live now use the shipped model." if fallen_back else ""))
    go_to(Page.MODELS)
