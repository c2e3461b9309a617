"""What a training wrote down, newest first, and what its process printed when it went wrong."""

from __future__ import annotations

import streamlit as st

from fer_core.jobs.job import Job, JobState
from fer_core.jobs.log import tail_log
from fer_core.runs.folder import Run
from fer_ui.resources import job_store
from fer_ui.training.monitor.monitored_run import load_monitored_run

_LINES = 200
_PRINTED_LINES = 80
_HEIGHT_PX = 320
_LINES_LOW = 8
"""More lines than this scroll within their box."""

_FAILED_STATES = (JobState.FAILED, JobState.INTERRUPTED)


def has_failed(job: Job | None) -> bool:
    """Whether the process's own output is worth reading."""
    return job is not None and job.state in _FAILED_STATES


def show_log(run_id: str, job_id: str) -> None:
    """The end of the log, the newest line first."""
    monitored = load_monitored_run(run_id, job_id)
    written = monitored.run.log(_LINES).splitlines() if monitored.run else []
    _show_lines("\n".join(reversed(written)) or "Nothing yet.")


def show_log_download(run: Run) -> None:
    """A button for the whole log, as it is when it is pressed."""

    def whole() -> bytes:
        path = run.path("log.txt")
        return path.read_bytes() if path.is_file() else b""

    st.caption(f"The newest line comes first; the last {_LINES} are shown.")
    st.download_button(
        "Download the log",
        whole,
        f"ferscope-{run.id}-log.txt",
        "text/plain",
        key=f"log-{run.id}",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )


def show_process_output(job: Job) -> None:
    """The end of what the job's process printed."""
    printed = tail_log(job_store().log_path(job), _PRINTED_LINES)
    st.markdown("**What the process printed**")
    _show_lines(printed or "Nothing.")


def _show_lines(text: str) -> None:
    long = text.count("\n") >= _LINES_LOW
    st.code(text, language=None, wrap_lines=True, height=_HEIGHT_PX if long else "content")
