"""A training's log, newest line first, and its process's output after a failure."""

from __future__ import annotations

import streamlit as st

from fer_core.jobs.job import Job, JobState
from fer_core.jobs.log import tail_log
from fer_core.runs.folder import Run
from fer_ui.resources import job_store
from fer_ui.training.monitor.monitored_run import load_monitored_run

_LINES = 200
_OUTPUT_LINES = 80
_HEIGHT_PX = 320
_LINES_SHORT = 8
"""Longer texts scroll within their box."""

_FAILED_STATES = (JobState.FAILED, JobState.INTERRUPTED)


def has_failed(job: Job | None) -> bool:
    """Whether the job failed or was interrupted."""
    return job is not None and job.state in _FAILED_STATES


def show_log(run_id: str, job_id: str) -> None:
    """Show the end of the log, newest line first."""
    monitored = load_monitored_run(run_id, job_id)
    lines = monitored.run.log(_LINES).splitlines() if monitored.run else []
    _show_lines("\n".join(reversed(lines)) or "Nothing yet.")


def show_log_download(run: Run) -> None:
    """Show a download button for the whole log, read when it is pressed."""

    def read_log() -> bytes:
        path = run.path("log.txt")
        return path.read_bytes() if path.is_file() else b""

    st.caption(f"Newest line first; the last {_LINES} lines are shown.")
    st.download_button(
        "Download the log",
        read_log,
        f"ferscope-{run.id}-log.txt",
        "text/plain",
        key=f"log-{run.id}",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )


def show_process_output(job: Job) -> None:
    """Show the end of the process's output."""
    output = tail_log(job_store().log_path(job), _OUTPUT_LINES)
    st.markdown("**Process output**")
    _show_lines(output or "Nothing.")


def _show_lines(text: str) -> None:
    long = text.count("\n") >= _LINES_SHORT
    st.code(text, language=None, wrap_lines=True, height=_HEIGHT_PX if long else "content")
