"""The view Import: a sample dataset, the user's own data, known datasets, and unfinished imports."""

from __future__ import annotations

import streamlit as st

from fer_core.data.catalog import list_datasets
from fer_core.data.ingest.import_folder import list_imports
from fer_core.settings import settings
from fer_ui.datasets.imports.entry_checks import find_name_problem, find_range_problem
from fer_ui.datasets.imports.known_datasets import show_known_datasets
from fer_ui.datasets.imports.preview_view import show_preview
from fer_ui.datasets.imports.sample_dataset import (
    SAMPLE_IMAGES,
    SAMPLE_NOTE,
    free_sample_id,
    generate_sample,
    show_sample_button,
)
from fer_ui.datasets.imports.source_form import show_source_form
from fer_ui.datasets.imports.unfinished_view import show_unfinished
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.frame.header import notice
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, get_param

_SAMPLE_MIN, _SAMPLE_MAX = 100, 100_000


def show_import() -> None:
    """Show the ways to a dataset, or the preview of the import in the query string."""
    unfinished = {work.id: work for work in list_imports(settings())}
    chosen = get_param(QueryParam.IMPORT)
    if chosen in unfinished:
        show_preview(unfinished[chosen])
        return
    if chosen:
        _show_gone(chosen)
    _show_sample()
    st.subheader("Import your own data", anchor=False)
    show_source_form()
    show_known_datasets()
    show_unfinished(list(unfinished.values()))


def _show_gone(import_id: str) -> None:
    """Say that the import of a link is finished or discarded."""
    if any(dataset.id == import_id for dataset in list_datasets(settings())):
        notice("info", f"The import {import_id!r} is finished.")
        link_to(Page.DATASETS, "Show the dataset", dataset=import_id)
    else:
        notice("warning", f"There is no unfinished import {import_id!r} in this store. It may have been discarded.")


def _show_sample() -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**No data at hand?** {SAMPLE_NOTE}", width="stretch")
        show_sample_button("import-sample", primary=True)
        with st.popover("Other size", icon=":material/tune:"):
            _show_sample_form()


@st.fragment
def _show_sample_form() -> None:
    """Show size and name of a sample; the range is visible, and a wrong entry disables the button and says why."""
    total = st.number_input(
        f"Images ({_SAMPLE_MIN:,} to {_SAMPLE_MAX:,})", value=SAMPLE_IMAGES, step=100, key="sample-images"
    )
    name = st.text_input("Dataset name", free_sample_id(), key="sample-name", live=True)
    problem = find_range_problem("images", total, _SAMPLE_MIN, _SAMPLE_MAX) or find_name_problem(name)
    if st.button("Generate", key="sample-generate", type="primary", disabled=bool(problem)):
        with show_errors():
            generate_sample(int(total), name.strip())
    st.caption(escape_markdown(problem or "About a minute for 4,000 images."))
