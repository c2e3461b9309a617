"""Logs on a page: of a training, and the output of a job's process."""

from __future__ import annotations

import streamlit as st

from fer_core.jobs.job import Job
from fer_core.jobs.log import tail_log
from fer_core.runs.folder import Run
from fer_ui.resources import job_store

_LOG_LINES = 200
_OUTPUT_LINES = 80
_HEIGHT_PX = 320
_LINES_SHORT = 8
"""Longer texts scroll within their box."""


def show_training_log(run: Run) -> None:
    """Show the end of a training's log, newest line first."""
    st.caption(f"Newest line first; at most {_LOG_LINES} lines.")
    _show_lines("\n".join(reversed(run.log(_LOG_LINES).splitlines())))


def show_process_output(job: Job) -> None:
    """Show the end of what a job's process printed."""
    _show_lines(tail_log(job_store().log_path(job), _OUTPUT_LINES))


def _show_lines(text: str) -> None:
    long = text.count("\n") >= _LINES_SHORT
    st.code(text or "No output.", language=None, wrap_lines=True, height=_HEIGHT_PX if long else "content")
