"""The form that begins an import: an uploaded file, or a path or URL, and the dataset's name."""

from __future__ import annotations

from typing import Any

import streamlit as st

from fer_core.data.ingest.import_folder import discard_import, start_import
from fer_core.errors import InputError
from fer_core.jobs.submit import submit_fetch
from fer_core.settings import settings
from fer_ui.datasets.imports.entry_checks import find_file_problem, find_name_problem, suggest_name
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.navigation import Page, go_to
from fer_ui.query_params import QueryParam
from fer_ui.uploads import file_uploader, save_upload

_PATH, _NAME = "import-path", "import-name"
_SUGGESTED, _STARTED = "import-suggested-name", "import-started"
_READY = "The preview shows labels, splits and problems; nothing is imported before you confirm it."


@st.fragment
def show_source_form() -> None:
    """Show the form; its entries stay while other pages are visited, except for an uploaded file."""
    if st.session_state.pop(_STARTED, False):
        st.session_state[_PATH] = st.session_state[_NAME] = ""
    upload, path_column = st.columns(2, gap="medium")
    with upload:
        file = file_uploader(
            "Upload a .zip or .tar archive, or a table with images (.csv, .parquet)", "archive-upload", "the archive"
        )
    with path_column:
        path = st.text_input(
            "Or a path or URL",
            placeholder="/data/ferplus.zip",
            key=_PATH,
            live=True,
            persist_state="session",
            help="A folder or file on the machine that runs FERscope is read in place. A URL (https, s3, gs and others "
            "of fsspec) is downloaded once.",
        ).strip()
        _follow_source(file.name if file else path)
        name = st.text_input(
            "Dataset name",
            key=_NAME,
            live=True,
            persist_state="session",
            help="1 to 80 lowercase letters, digits, dots, dashes and underscores.",
        )
    problem = _find_problem(file, path, name)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        pressed = st.button("Preview", type="primary", icon=":material/preview:", disabled=bool(problem))
        st.caption(escape_markdown(problem or _READY), width="stretch")
    if pressed and not problem:
        with show_errors():
            _start(file, path, name.strip())


def _follow_source(source: str) -> None:
    """Suggest the source's name as the dataset's until the user enters another one."""
    suggested, last = suggest_name(source), st.session_state.get(_SUGGESTED, "")
    if suggested != last and st.session_state.get(_NAME, "") in ("", last):
        st.session_state[_NAME] = suggested
    st.session_state[_SUGGESTED] = suggested


def _find_problem(file: Any, path: str, name: str) -> str:
    if file is None and not path:
        return "Choose a file, or enter a path or URL."
    if file is not None and path:
        return "Remove the file or clear the path: only one of them can be imported."
    return (find_file_problem(file.name) if file is not None else "") or find_name_problem(name)


def _start(file: Any, path: str, dataset_id: str) -> None:
    if file is None:
        _start_import(path, dataset_id, move=False)
        return
    uploaded = save_upload(file.name, file)
    try:
        _start_import(str(uploaded), dataset_id, name=file.name, move=True)
    finally:
        uploaded.unlink(missing_ok=True)


def _start_import(source: str, dataset_id: str, *, name: str = "", move: bool) -> None:
    """Start an import and go to its preview; a source that must be downloaded starts a job first."""
    work = start_import(source, dataset_id, settings(), name=name, move=move)
    try:
        if work.ready:
            with work.open_files(settings()) as files:
                if not files.names():
                    raise InputError(f"{work.name} contains no files.")
    except InputError:
        discard_import(work.id, settings())
        raise
    st.session_state[_STARTED] = True
    if work.ready:
        go_to(Page.DATASETS, view="import", **{QueryParam.IMPORT: work.id})
    else:
        job = submit_fetch(work.source, work.id, settings())
        go_to(Page.DATASETS, view="import", job=job.id)
