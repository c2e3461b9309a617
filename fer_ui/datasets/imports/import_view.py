"""The view Import: ways to import a dataset, and unfinished imports."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from fer_core.data.catalog import list_datasets
from fer_core.data.ingest.import_folder import Import, discard_import, list_imports, start_import
from fer_core.data.sources.source import open_source
from fer_core.data.synthetic.dataset import SYNTHETIC_FACES
from fer_core.errors import InputError
from fer_core.ids import check_id, slug
from fer_core.jobs.submit import submit_fetch, submit_synthetic
from fer_core.settings import settings
from fer_ui.datasets.imports.preview_view import show_preview
from fer_ui.datasets.imports.sample_dataset import show_sample_button
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.navigation import Page, go_to, link_to
from fer_ui.query_params import QueryParam, get_param
from fer_ui.resources import job_store
from fer_ui.uploads import file_uploader, save_upload

_ARCHIVES = ["zip", "tar", "gz", "tgz", "bz2", "tbz2", "xz", "txz", "csv", "parquet"]
_JOBS_MAX = 200
_NAME_HELP = "Lowercase letters, digits, dot, dash and underscore. Defaults to the file name."


def show_import() -> None:
    """Show the sources as tabs, or the preview of the import in the query string."""
    unfinished = {work.id: work for work in list_imports(settings())}
    chosen = get_param(QueryParam.IMPORT)
    if chosen in unfinished:
        show_preview(unfinished[chosen])
        link_to(Page.DATASETS, "Import something else", view="import")
        return
    show_sample_button("import-sample")
    _show_unfinished(list(unfinished.values()))
    upload, path, synthetic = st.tabs(["Upload", "Path or URL", "Synthetic faces"])
    with upload:
        _show_upload()
    with path:
        _show_path()
    with synthetic:
        _show_synthetic()


def _show_upload() -> None:
    st.markdown(
        "A zip or tar archive, or FER2013's table. It is stored on this machine without being unpacked. You see a "
        "preview before the import."
    )
    with st.form("upload-archive", border=False):
        file = file_uploader("Archive", "archive-upload", "the archive", type=_ARCHIVES)
        name = st.text_input("Dataset name", placeholder="ferplus", key="upload-name", help=_NAME_HELP)
        if st.form_submit_button("Preview", type="primary"):
            with show_errors():
                if file is None:
                    raise InputError("No archive is selected. Choose a file first.")
                dataset_id = _new_id(name or _stem(file.name))
                uploaded = save_upload(file.name, file)
                try:
                    _start_import(str(uploaded), dataset_id, name=file.name, move=True)
                finally:
                    uploaded.unlink(missing_ok=True)


def _show_path() -> None:
    st.markdown(
        "A folder, zip or tar archive on the machine that runs FERscope; it is read in place. Or a URL that fsspec "
        "supports (https, s3, gs, …); it is downloaded once."
    )
    with st.form("server-path", border=False):
        text = st.text_input("Path or URL", placeholder="/data/ferplus.zip", key="server-path-text")
        name = st.text_input("Dataset name", placeholder="ferplus", key="path-name", help=_NAME_HELP)
        if st.form_submit_button("Preview", type="primary"):
            with show_errors():
                if not text.strip():
                    raise InputError("No path was given. Enter the path of an archive or a folder.")
                _start_import(text.strip(), _new_id(name or _stem(text.strip())), move=False)


def _show_synthetic() -> None:
    st.markdown("Synthetic faces with eight expressions, generated in seconds. They show no real person.")
    with st.form("draw-faces", border=False):
        total = st.number_input("Images", 100, 100_000, 4_000, step=100)
        name = st.text_input("Dataset name", SYNTHETIC_FACES)
        if st.form_submit_button("Generate", type="primary"):
            with show_errors():
                job = submit_synthetic(_new_id(name), int(total), settings())
                go_to(Page.DATASETS, job=job.id)


def _start_import(source: str, dataset_id: str, *, name: str = "", move: bool) -> None:
    """Start an import and go to its preview; a source that must be downloaded starts a job first."""
    work = start_import(source, dataset_id, settings(), name=name, move=move)
    try:
        if work.ready:
            with open_source(work.path(), settings()) as source_files:
                if not source_files.names():
                    raise InputError(f"{work.name} contains no files.")
    except InputError:
        discard_import(work.id, settings())
        raise
    if work.ready:
        go_to(Page.DATASETS, view="import", **{QueryParam.IMPORT: work.id})
    else:
        job = submit_fetch(work.source, work.id, settings())
        go_to(Page.DATASETS, view="import", job=job.id)


def _show_unfinished(imports: list[Import]) -> None:
    if not imports:
        return
    running = {job.target: job.id for job in job_store().list(limit=_JOBS_MAX) if job.state.active}
    st.subheader("Unfinished imports", anchor=False)
    for work in imports:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            stage = escape_markdown(_describe_stage(work, running))
            st.markdown(f"**{escape_markdown(work.id)}**: {stage}", width="stretch")
            if work.id in running:
                link_to(Page.DATASETS, "Show job", view="import", job=running[work.id])
                continue
            link_to(Page.DATASETS, "Continue", view="import", **{QueryParam.IMPORT: work.id})
            if st.button("Discard", key=f"discard-{work.id}", icon=":material/delete:", type="tertiary"):
                with show_errors():
                    discard_import(work.id, settings())
                    st.rerun()


def _describe_stage(work: Import, running: Collection[str]) -> str:
    if work.id in running:
        return f"from {work.name}, running"
    if not work.ready:
        return f"from {work.name}, not downloaded yet"
    if work.manifest is None:
        return f"from {work.name}, waiting for your choices"
    return f"from {work.name}, indexing started" if work.n_chunks else f"from {work.name}, ready to import"


def _new_id(name: str) -> str:
    dataset_id = check_id(name.strip() or slug(name), "dataset")
    if dataset_id in {dataset.id for dataset in list_datasets(settings())}:
        raise InputError(f"Dataset {dataset_id!r} already exists. Choose another name, or delete that one.")
    return dataset_id


def _stem(name: str) -> str:
    return slug(name.rstrip("/").rpartition("/")[2].split(".")[0])
