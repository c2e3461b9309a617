"""The queue of jobs: positions, and buttons that change the order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from fer_core.jobs.job import PRIORITY_MAX, Job
from fer_ui.errors import show_errors
from fer_ui.resources import job_store


def show_order(job: Job, queue: Sequence[tuple[int, Job]]) -> None:
    """Show buttons that move a queued job to the front or back of its device's queue."""
    others = [other.priority for _, other in queue if other.device == job.device and other.id != job.id]
    if not others:
        return
    first, last = min(max(others) + 1, PRIORITY_MAX), max(min(others) - 1, -PRIORITY_MAX)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        for label, icon, priority in (("Run first", "arrow_upward", first), ("Run last", "arrow_downward", last)):
            if st.button(label, key=f"{icon}-{job.id}", icon=f":material/{icon}:"):
                with show_errors():
                    job_store().set_priority(job.id, priority)
                    st.rerun()


def list_queue() -> list[tuple[int, Job]]:
    """List every queued job with its position on its device."""
    lengths: Counter[str] = Counter()
    queue = []
    for job in job_store().queued():
        lengths[job.device] += 1
        queue.append((lengths[job.device], job))
    return queue
