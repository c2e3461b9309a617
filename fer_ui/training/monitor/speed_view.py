"""The speed of a training: time per epoch and hardware."""

from __future__ import annotations

import re
from dataclasses import asdict

import pandas as pd
import streamlit as st

from fer_core.runs.folder import Run
from fer_core.text import capitalize_first
from fer_core.training.diagnostics import last_epoch_time
from fer_ui.chart_view import show_chart
from fer_ui.charts.training.rate_and_speed import epoch_time_bar
from fer_ui.escaping import escape_markdown
from fer_ui.training.monitor.monitored_run import MonitoredRun

_LOG_FACTS = re.compile(
    r"^(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d )?(.*(?:(?:started|resumed) on |memory kept|images come from ).*)$",
    re.MULTILINE,
)
"""Log lines about the hardware, in runs of earlier versions, which have no `facts.json`."""


def show_speed(monitored: MonitoredRun) -> None:
    """Show hardware and time per epoch."""
    if monitored.run is None:
        return
    with st.container():  # keeps the place of the text
        if facts := machine_facts(monitored.run):
            st.markdown(escape_markdown(" ".join(facts)))
    time = last_epoch_time(monitored.metrics)
    if time is None:
        st.caption("Shown after the first epoch.")
        return
    table = pd.DataFrame([asdict(time)])
    show_chart(epoch_time_bar(time), f"time-{monitored.run_id}", table=table)


def machine_facts(run: Run) -> list[str]:
    """Describe hardware and image loading, as of the latest start, in sentences."""
    facts = run.facts()
    lines = facts.machine_lines if facts else _LOG_FACTS.findall(run.log(10_000))[-3:]
    return [f"{capitalize_first(line)}." for line in lines]
