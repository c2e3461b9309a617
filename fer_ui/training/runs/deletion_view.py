"""Deletion of the selected runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

import streamlit as st

from fer_core.bundles.catalog import active_model_id
from fer_core.comparison.run_summary import RunSummary
from fer_core.errors import FerscopeError
from fer_core.jobs.deletion import delete_run_with_jobs
from fer_core.settings import settings
from fer_core.text import join_words, shorten
from fer_ui.confirm_deletion import show_deletion_form
from fer_ui.formatting import format_count
from fer_ui.frame.header import notice
from fer_ui.resources import job_store
from fer_ui.training.runs.selection import clear_selection

_NAMED_MAX = 8
_NAME_CHARACTERS = 60
_DONE = "runs-done"


def show_deletion(chosen: Sequence[RunSummary], names: Mapping[str, str], active: Mapping[str, str]) -> None:
    """Show the deletion form for the selected runs that are not in training."""
    busy = [names[row.id] for row in chosen if row.id in active]
    free = [row.id for row in chosen if row.id not in active]
    if busy:
        notice(
            "info",
            f"{_format_names(busy)} {'is' if len(busy) == 1 else 'are'} queued or training and can't be deleted. "
            "Cancel the job first.",
        )
    if not free:
        return
    run = "this run" if len(free) == 1 else f"these {format_count(len(free))} runs"
    consequences = (
        f"Removes {_format_names([names[run_id] for run_id in free])} with weights, metrics, predictions, notes and "
        "tags, and the jobs with their logs. The datasets stay."
    )
    if active_model_id(settings()) in free:
        consequences += (
            " One of them is the model in use: Predict and Live go back to the model that ships with FERscope."
        )
    key = f"runs-{sha256(' '.join(free).encode()).hexdigest()[:12]}"
    show_deletion_form(key, f"Delete {run}", consequences, lambda: _delete(free, names))


def _delete(run_ids: Sequence[str], names: Mapping[str, str]) -> None:
    """Delete runs one by one; failures are shown and do not stop the rest."""
    deleted, errors = [], []
    for run_id in run_ids:
        try:
            delete_run_with_jobs(run_id, job_store(), settings())
            deleted.append(names[run_id])
        except FerscopeError as error:
            errors.append(str(error))
    st.session_state[_DONE] = (f"Deleted: {_format_names(deleted)}." if deleted else "", errors)
    clear_selection()
    st.rerun()


def show_deletion_result() -> None:
    """Show once what was deleted and what was not."""
    done, errors = st.session_state.pop(_DONE, ("", []))
    if done:
        notice("success", done)
    for error in errors:
        notice("error", error)


def _format_names(names: Sequence[str]) -> str:
    """List a few names and how many more there are."""
    some = [shorten(name, _NAME_CHARACTERS) for name in names[:_NAMED_MAX]]
    more = len(names) - len(some)
    return join_words([*some, f"{format_count(more)} more"] if more else some)
