"""What lies in a run's folder, and how other tools show it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import streamlit as st

from fer_core.runs.folder import Run
from fer_core.training.trackers import EVENTS_FOLDER, MLFLOW_VARIABLE
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import count
from fer_ui.training.monitor.monitored_run import load_monitored_run

_MEANINGS = {
    "config.yaml": "what was asked for",
    "contract.json": "how images become the network's input",
    "data.json": "which data was used",
    "split.parquet": "the part of each image",
    "metrics.jsonl": "a line an epoch",
    "checkpoint.pt": "the last epoch, to go on from",
    "weights.safetensors": "the network of the best epoch",
    "predictions-valid.parquet": "its outputs on the validation images",
    "predictions-test.parquet": "its outputs on the test images",
    "report.json": "the evaluation",
    "calibration.json": "temperature and operating points",
    "model.onnx": "the network that Predict and Live run",
    "bundle.json": "what is said of the model",
    "log.txt": "the log",
    "run.json": "written last: the run is whole",
    "notes.json": "notes and tags",
}


def show_files(run_id: str, job_id: str) -> None:
    """Show the folder, each file with its size and meaning."""
    monitored = load_monitored_run(run_id, job_id)
    if monitored.run is None:
        return
    table = files_table(monitored.run)
    total = int(table["bytes"].sum())
    st.markdown(
        escape_markdown(
            f"{count(len(table))} {'file' if len(table) == 1 else 'files'}, {format_bytes(total)} together."
        )
    )
    st.code(str(monitored.run.folder), language=None, wrap_lines=True)
    st.dataframe(
        pd.DataFrame(
            {
                "File": table["name"],
                "Size": table["bytes"].map(format_bytes).astype(str),
                "What it is": table["meaning"],
            }
        ),
        key=f"files-{run_id}",
        hide_index=True,
        height="content",
        column_config={"Size": st.column_config.TextColumn(width="small", alignment="right")},
    )


def show_other_tools(run: Run) -> None:
    """How TensorBoard and MLflow show the run, where they can."""
    events = run.path(EVENTS_FOLDER)
    if events.is_dir():
        st.markdown("**The same curves in TensorBoard**")
        st.code(f"tensorboard --logdir {shlex.quote(str(events))}", language="bash", wrap_lines=True)
    if server := os.environ.get(MLFLOW_VARIABLE):
        st.markdown(escape_markdown(describe_mlflow(server, run.id)))


def describe_mlflow(server: str, run_id: str) -> str:
    """Where MLflow is told of trainings; a user and password in its address are not shown."""
    splits = urlsplit(server)
    shown = splits._replace(netloc=splits.netloc.rpartition("@")[2]).geturl()
    return (
        f"{MLFLOW_VARIABLE} is set: trainings that start now are told to {shown} too, in the experiment FERscope. "
        f"Look for the run {run_id} there."
    )


def files_table(run: Run) -> pd.DataFrame:
    """Columns `name`, `bytes` and `meaning`; a folder below is one row."""
    rows = []
    for path in sorted(run.folder.iterdir()):
        if path.name.startswith("."):
            continue
        meaning = "the curves for TensorBoard" if path.name == EVENTS_FOLDER else _MEANINGS.get(path.name, "")
        name = f"{path.name}/" if path.is_dir() else path.name
        rows.append((name, sum(_sizes(path)), meaning))
    return pd.DataFrame(rows, columns=["name", "bytes", "meaning"])


def format_bytes(size_bytes: int) -> str:
    """A size as "348 kB", "1.2 MB"."""
    value, units = float(size_bytes), ["bytes", "kB", "MB", "GB"]
    while value >= 999.5 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} {units[0]}" if value >= 99.5 or units[0] == "bytes" else f"{value:.1f} {units[0]}"


def _sizes(path: Path) -> Iterator[int]:
    """The sizes of a file, or of all files below a folder; files that go meanwhile are passed over."""
    for each in path.rglob("*") if path.is_dir() else [path]:
        try:
            if each.is_file():
                yield each.stat().st_size
        except FileNotFoundError:
            continue
