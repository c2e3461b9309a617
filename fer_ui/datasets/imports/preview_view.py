"""The preview of an import: recognized dataset and layout, the mapping of labels, and the button that imports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import streamlit as st

from fer_core.data.ingest.import_folder import Import, discard_import, open_import
from fer_core.data.ingest.preview import ImportPreview, preview_import
from fer_core.data.manifest import Manifest, dump_manifest, parse_manifest_text
from fer_core.jobs.job import JobKind, JobState
from fer_core.jobs.submit import submit_fetch, submit_import
from fer_core.settings import settings
from fer_ui.datasets.imports.label_mapping import EXPRESSIONS, LABELS_MAX, UNDECIDED, choose_labels, with_labels
from fer_ui.datasets.imports.manifest_choice import choose_manifest, layout_key
from fer_ui.datasets.imports.preview_choices import choose_identities, resolve_label_conflict
from fer_ui.datasets.imports.skipped_view import confirm_partial, show_skipped
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import NO_VALUE, format_count
from fer_ui.frame.header import Headline, empty_state, headline, notice
from fer_ui.frame.view_layout import sticky_actions
from fer_ui.image_labels import describe_split
from fer_ui.navigation import Page, go_to, link_to
from fer_ui.resources import job_store

_UNKNOWN_SHOWN = 5


class _Plan(NamedTuple):
    """The choices on the page.

    Attributes:
        partial: whether to import the usable images even if they are the smaller part.
        problem: why they can't be imported; "" if they can.
    """

    preview: ImportPreview
    manifest: Manifest
    partial: bool
    problem: str


def show_preview(work: Import) -> None:
    """Show what was recognized; every choice can be changed before the import."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(f"Import {escape_markdown(work.id)}", anchor=False, width="content")
        st.caption(escape_markdown(f"From {work.name}"), width="stretch")
        link_to(Page.DATASETS, "All imports", view="import")
    if not work.ready:
        _show_not_downloaded(work)
        return
    plan: _Plan | None = None
    with show_errors():
        plan = _make_plan(work)
    with sticky_actions("import"):
        _show_actions(work, plan)


def _show_not_downloaded(work: Import) -> None:
    def show_buttons() -> None:
        if st.button("Download", type="primary"):
            job = submit_fetch(work.source, work.id, settings())
            go_to(Page.DATASETS, view="import", job=job.id)
        _show_discard_button(work)

    empty_state("Not downloaded yet", "Download it to see a preview.", links=show_buttons)


def _make_plan(work: Import) -> _Plan:
    """Show the choices and what they lead to.

    Raises:
        InputError: a choice is not valid, or the files can't be read with them.
    """
    summary = st.container()  # what was found comes before the choices that it depends on
    manifest = choose_manifest(work)
    with st.spinner("Reading the files"):
        preview = _load_preview(work.id, work.created, dump_manifest(manifest))
    with summary:
        _show_summary(preview)
    show_skipped(preview)
    resolved = resolve_label_conflict(work, preview, layout_key(work))
    manifest = choose_identities(work, manifest, preview)
    labels = choose_labels(work, preview)
    partial = confirm_partial(preview, work.id, has_failed=_has_failed(work))
    enough = bool(partial) or not preview.is_mostly_unusable
    problem = _find_problem(preview, labels, resolved=resolved, enough=enough)
    return _Plan(preview, with_labels(manifest, preview, labels), bool(partial), problem)


def _has_failed(work: Import) -> bool:
    jobs = job_store().list(kind=JobKind.IMPORT, target=work.id, limit=1)
    return bool(jobs) and jobs[0].state is JobState.FAILED


def _find_problem(preview: ImportPreview, labels: Mapping[str, str], *, resolved: bool, enough: bool) -> str:
    """Find the first reason why the choices can't be imported; "" if they can."""
    unknown = [raw for raw, mapped_to in labels.items() if mapped_to == UNDECIDED]
    if not preview.n_records:
        return "No images were found. Choose another file layout."
    if not resolved:
        return "Choose which labels should be used."
    if len(preview.labels) > LABELS_MAX:
        return f"There are {format_count(len(preview.labels))} labels; at most {LABELS_MAX} can be mapped."
    if unknown:
        names = ", ".join(repr(raw) for raw in unknown[:_UNKNOWN_SHOWN])
        more = f" and {format_count(len(unknown) - _UNKNOWN_SHOWN)} more" if len(unknown) > _UNKNOWN_SHOWN else ""
        return f"Needs review: choose an expression for {names}{more}, or ignore these images."
    if not set(labels.values()) & set(EXPRESSIONS):
        return "Every label would be ignored. Choose an expression for at least one."
    return "" if enough else "Confirm that only some of the images will be imported."


def _show_summary(preview: ImportPreview) -> None:
    n_unknown = len(preview.unknown_labels)
    people = format_count(preview.identities) if preview.identities else NO_VALUE
    headline(
        [
            Headline("Image files", format_count(preview.n_files)),
            Headline("Records", format_count(preview.n_records), "all read" if preview.complete else "read so far"),
            Headline("Labels", format_count(len(preview.labels)), _describe_review(n_unknown)),
            Headline("People", people, "" if preview.identities else "not known from the files"),
        ]
    )
    st.markdown(escape_markdown(_describe_splits(preview.splits)))
    if preview.extra_fields:
        st.markdown(escape_markdown(f"Annotations besides the label: {', '.join(preview.extra_fields)}."))
    for name, encoding in preview.assumed_encodings.items():
        notice("info", f"{name} is not UTF-8. It was read as {encoding}: if letters look wrong, save it as UTF-8.")


def _describe_splits(splits: Mapping[str, int]) -> str:
    """Describe the images of each split; "" names those in none."""
    if not any(splits):
        return "The files define no splits; training makes them."
    numbers = [f"{describe_split(split) if split else 'in none'} {format_count(n)}" for split, n in splits.items()]
    return f"Splits: {', '.join(numbers)}."


def _describe_review(n_unknown: int) -> str:
    if not n_unknown:
        return "all recognized"
    return "1 needs review" if n_unknown == 1 else f"{format_count(n_unknown)} need review"


def _show_actions(work: Import, plan: _Plan | None) -> None:
    """Show the buttons that import and discard, and why the first is disabled."""
    problem = "Correct the choice above first." if plan is None else plan.problem
    if st.button("Import", type="primary", icon=":material/download:", disabled=bool(problem)) and plan is not None:
        with show_errors():
            open_import(work.id, settings()).set_manifest(plan.manifest)
            job = submit_import(work.id, settings(), allow_partial=plan.partial)
            go_to(Page.DATASETS, job=job.id)
    _show_discard_button(work)
    if problem:
        st.caption(escape_markdown(problem), width="stretch")


def _show_discard_button(work: Import) -> None:
    if st.button("Discard this import", key=f"discard-{work.id}", icon=":material/delete:", type="tertiary"):
        with show_errors():
            discard_import(work.id, settings())
            go_to(Page.DATASETS, view="import")


@st.cache_data(show_spinner=False, max_entries=16)
def _load_preview(dataset_id: str, created: str, manifest: str) -> ImportPreview:
    del created  # part of the key
    with open_import(dataset_id, settings()).open_files(settings()) as opened:
        return preview_import(opened, parse_manifest_text(manifest, dataset_id))
