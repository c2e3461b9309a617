"""The worker, a process in the background that starts jobs: whether it runs, and a button that starts it."""

from __future__ import annotations

import streamlit as st

from fer_core.jobs.supervisor_process import ensure_supervisor, supervisor_status
from fer_core.settings import settings
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_age
from fer_ui.frame.header import notice


def show_worker(*, active: bool, summary: str = "") -> None:
    """Show whether the worker runs, with a button to start it if a job is `active` without it.

    Args:
        summary: a sentence before it, in the same line.
    """
    status = supervisor_status(settings())
    if status.running:
        since = f" (process {status.pid}, started {format_age(status.since)})" if status.since else ""
        st.caption(escape_markdown(f"{summary} Worker running{since}."))
    elif not active:
        st.caption(escape_markdown(f"{summary} No worker running; it starts with the next job."))
    else:
        notice("warning", f"{summary} No worker running: queued jobs do not start, and finished ones are not recorded.")
        if st.button("Start the worker", icon=":material/play_arrow:", type="primary"):
            with show_errors():
                ensure_supervisor(settings())
                st.rerun()
