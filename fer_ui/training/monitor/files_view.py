"""Files of a run, and how to open it in TensorBoard and MLflow."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import streamlit as st

from fer_core.runs.folder import Run
from fer_core.text import format_size
from fer_core.training.trackers import EVENTS_FOLDER, MLFLOW_VARIABLE
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count
from fer_ui.training.monitor.monitored_run import MonitoredRun

_DESCRIPTIONS = {
    "config.yaml": "run configuration",
    "contract.json": "input contract: size, color, normalization",
    "data.json": "dataset version",
    "facts.json": "machine, precision and network at the latest start",
    "split.parquet": "split of each image",
    "seen-images.bin": "images of training and model selection",
    "metrics.jsonl": "a line per epoch",
    "checkpoint.pt": "last epoch, to resume from",
    "weights.safetensors": "weights of the best epoch",
    "predictions-valid.parquet": "outputs on the validation images",
    "predictions-test.parquet": "outputs on the test images",
    "report.json": "evaluation report",
    "calibration.json": "temperature and operating points",
    "model.onnx": "network in ONNX format, used by Predict and Live",
    "bundle.json": "model description",
    "log.txt": "log",
    "run.json": "written last: marks the run as complete",
    "notes.json": "notes and tags",
}


def show_files(monitored: MonitoredRun) -> None:
    """Show the folder's files with size and description."""
    if monitored.run is None:
        return
    table = files_table(monitored.run)
    total = int(table["bytes"].sum())
    st.markdown(
        escape_markdown(
            f"{format_count(len(table))} {'file' if len(table) == 1 else 'files'}, {format_size(total)} in total."
        )
    )
    st.code(str(monitored.run.folder), language=None, wrap_lines=True)
    st.dataframe(
        pd.DataFrame(
            {
                "File": table["name"],
                "Size": table["bytes"].map(format_size).astype(str),
                "Description": table["description"],
            }
        ),
        key=f"files-{monitored.run_id}",
        hide_index=True,
        height="content",
        column_config={"Size": st.column_config.TextColumn(width="small", alignment="right")},
    )


def show_other_tools(run: Run) -> None:
    """Show how to open the run in TensorBoard and MLflow, where possible."""
    events = run.path(EVENTS_FOLDER)
    if events.is_dir():
        st.markdown("**Open in TensorBoard**")
        st.code(f"tensorboard --logdir {shlex.quote(str(events))}", language="bash", wrap_lines=True)
    if server := os.environ.get(MLFLOW_VARIABLE):
        st.markdown(escape_markdown(describe_mlflow(server, run.id)))


def describe_mlflow(server: str, run_id: str) -> str:
    """Describe where MLflow has the run; user and password in its URL are hidden."""
    url = urlsplit(server)
    shown = url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()
    return (
        f"{MLFLOW_VARIABLE} is set: new runs are also logged to {shown}, in the experiment FERscope. "
        f"Look for the run {run_id} there."
    )


def files_table(run: Run) -> pd.DataFrame:
    """List the files, with columns `name`, `bytes` and `description`; a subfolder is one row."""
    rows = []
    for path in sorted(run.folder.iterdir()):
        if path.name.startswith("."):
            continue
        description = "curves for TensorBoard" if path.name == EVENTS_FOLDER else _DESCRIPTIONS.get(path.name, "")
        name = f"{path.name}/" if path.is_dir() else path.name
        rows.append((name, sum(_sizes(path)), description))
    return pd.DataFrame(rows, columns=["name", "bytes", "description"])


def _sizes(path: Path) -> Iterator[int]:
    """Yield the size of a file, or of all files below a folder; files deleted meanwhile are skipped."""
    for file in path.rglob("*") if path.is_dir() else [path]:
        try:
            if file.is_file():
                yield file.stat().st_size
        except FileNotFoundError:
            continue
