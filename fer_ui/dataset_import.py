"""The ways a dataset comes into the store: drawn here, uploaded by the browser, or from a path on the server."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from fer_core.data.catalog import list_datasets
from fer_core.data.drawn import DRAWN_FACES
from fer_core.data.source import open_source
from fer_core.errors import InputError
from fer_core.ids import check_id, slug
from fer_core.jobs.submit import submit_drawing, submit_import
from fer_core.settings import settings
from fer_ui.errors import shown_errors
from fer_ui.pages import Page, go_to
from fer_ui.uploads import keep_upload

_RECOGNISE = "recognise"
_LAYOUTS = {_RECOGNISE: "Recognise it", "ferplus": "FER+ (label.csv with votes)", "folders": "A folder a class"}


def show_import() -> None:
    """The three ways, a tab each."""
    drawn, upload, path = st.tabs(["Draw faces", "Upload an archive", "A path on this server"])
    with drawn:
        _draw()
    with upload:
        _upload()
    with path:
        _path()


def _draw() -> None:
    st.markdown("Parametric faces with eight expressions, drawn in seconds. They are drawings and stand for nobody.")
    with st.form("draw-faces", border=False):
        total = st.number_input("Images", 100, 100_000, 4_000, step=100)
        name = st.text_input("Name in the store", DRAWN_FACES)
        if st.form_submit_button("Draw them", type="primary"):
            with shown_errors():
                job = submit_drawing(_free_id(name), int(total), settings())
                go_to(Page.DATASETS, job=job.id)


def _upload() -> None:
    st.markdown("A zip archive, for example of FER+. It stays in the store on this machine and is not unpacked.")
    with st.form("upload-archive", border=False):
        file = st.file_uploader("Archive", type=["zip"], key="archive-upload")
        name = st.text_input("Name in the store", "ferplus", key="upload-name")
        layout = _layout("upload-layout")
        if st.form_submit_button("Import", type="primary"):
            with shown_errors():
                if file is None:
                    raise InputError("No archive was chosen. Choose a .zip file first.")
                dataset_id = _free_id(name)
                kept = keep_upload(file.name, file)
                try:
                    _check(kept)
                except InputError:
                    kept.unlink(missing_ok=True)
                    raise
                job = submit_import(kept, dataset_id, layout, settings(), take=True)
                go_to(Page.DATASETS, job=job.id)


def _path() -> None:
    st.markdown("A zip archive or a folder where FERscope runs. It stays where it is and is read from there.")
    with st.form("server-path", border=False):
        text = st.text_input("Path", placeholder="/data/ferplus.zip", key="server-path-text")
        name = st.text_input("Name in the store", "ferplus", key="path-name")
        layout = _layout("path-layout")
        if st.form_submit_button("Import", type="primary"):
            with shown_errors():
                if not text.strip():
                    raise InputError("No path was given. Write the path of a .zip file or a folder.")
                path = Path(text.strip()).expanduser()
                dataset_id = _free_id(name)
                _check(path)
                job = submit_import(path, dataset_id, layout, settings(), take=False)
                go_to(Page.DATASETS, job=job.id)


def _layout(key: str) -> str:
    chosen = st.selectbox("Layout", list(_LAYOUTS), format_func=_LAYOUTS.__getitem__, key=key)
    return "" if chosen in (None, _RECOGNISE) else chosen


def _free_id(name: str) -> str:
    dataset_id = check_id(name.strip() or slug(name), "dataset")
    if dataset_id in {dataset.id for dataset in list_datasets(settings())}:
        raise InputError(f"There is a dataset {dataset_id!r} already. Choose another name, or delete that one.")
    return dataset_id


def _check(path: Path) -> None:
    """Refuse at once what can't be an archive or folder; the job would find out later."""
    with open_source(path, settings()) as source:
        if not source.names():
            raise InputError(f"{path.name} holds no files.")
