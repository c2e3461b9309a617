"""Imports that are not finished, folded below the form: continue or discard each, or discard all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from fer_core.data.ingest.import_folder import Import, discard_import
from fer_core.jobs.job import Job, JobKind, JobState
from fer_core.settings import settings
from fer_core.text import shorten
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam
from fer_ui.resources import job_store

_ERROR_CHARACTERS = 160
_CONSEQUENCES = "Uploaded and downloaded copies are deleted; folders and files that are read in place stay."


def show_unfinished(imports: Sequence[Import]) -> None:
    """Show the imports with their state, the failed ones included; nothing if there is none."""
    if not imports:
        return
    jobs = _latest_jobs()
    stopped = [work for work in imports if not _is_running(work, jobs)]
    with st.expander(f"Not finished ({format_count(len(imports))})", icon=":material/pending:"):
        for work in imports:
            _show_import(work, jobs.get(work.id))
        if len(stopped) > 1:
            with st.popover(f"Discard all {format_count(len(stopped))}", icon=":material/delete:"):
                st.markdown(_CONSEQUENCES)
                if st.button(f"Discard {format_count(len(stopped))} imports", key="discard-all", type="primary"):
                    _discard([work.id for work in stopped])


def describe_stage(work: Import, job: Job | None) -> str:
    """Describe how far an import is.

    Args:
        job: the import's newest job, if it has one.
    """
    if job is not None and job.state.active:
        return str(job.state)
    if job is not None and job.state is JobState.FAILED:
        return f"failed: {shorten(job.error, _ERROR_CHARACTERS, cut='end')}"
    if not work.ready:
        return "not downloaded yet"
    if work.manifest is None:
        return "needs review"
    return "stopped while indexing; it resumes there" if work.n_chunks else "ready to import"


def _show_import(work: Import, job: Job | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        stage = f"from {work.name}, {describe_stage(work, job)}"
        st.markdown(f"**{escape_markdown(work.id)}** {escape_markdown(stage)}", width="stretch")
        if job is not None and job.state.active:
            link_to(Page.DATASETS, "Show progress", view="import", job=job.id)
            return
        link_to(Page.DATASETS, "Continue", view="import", **{QueryParam.IMPORT: work.id})
        with st.popover("Discard", icon=":material/delete:", type="tertiary", key=f"discard-menu-{work.id}"):
            st.markdown(_CONSEQUENCES)
            if st.button(f"Discard {work.id}", key=f"discard-{work.id}", type="primary"):
                _discard([work.id])


def _discard(dataset_ids: Sequence[str]) -> None:
    with show_errors():
        for dataset_id in dataset_ids:
            discard_import(dataset_id, settings())
        st.rerun()


def _is_running(work: Import, jobs: Mapping[str, Job]) -> bool:
    return work.id in jobs and jobs[work.id].state.active


def _latest_jobs() -> dict[str, Job]:
    """The newest job of each import."""
    kinds = (JobKind.IMPORT, JobKind.FETCH)
    newest_last = reversed(job_store().list(limit=None))
    return {job.target: job for job in newest_last if job.kind in kinds}
