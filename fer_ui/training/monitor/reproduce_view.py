"""How to reproduce a run."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from fer_core.data.catalog import open_dataset
from fer_core.data.record import Split
from fer_core.data.splits.split import EXCLUDED
from fer_core.errors import FerscopeError, RunError
from fer_core.runs.folder import Run, RunState
from fer_core.settings import settings
from fer_core.text import join_words
from fer_core.training.config.command_line import closest_preset
from fer_core.training.config.train_config import TrainConfig
from fer_ui.downloads import show_download
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count, format_images
from fer_ui.frame.header import notice
from fer_ui.image_labels import describe_split
from fer_ui.navigation import Page, link_to
from fer_ui.training.monitor.monitored_run import config_of


def show_reproduction(run: Run) -> None:
    """Show the command, the data and the config file of a run."""
    data = read_data_info(run)
    config = config_of(run)
    if config is not None:
        st.markdown("**Command**")
        st.code(build_train_command(config, data), language="bash", wrap_lines=True)
    if run.state is RunState.UNFINISHED:
        st.markdown("**Resume on the command line**")
        st.code(f"python -m fer_core train --run {run.id} --resume", language="bash", wrap_lines=True)
    _show_data(run, config, data)
    _show_config(run, readable=config is not None)


def build_train_command(config: TrainConfig, data: Mapping[str, object]) -> str:
    """Build the command that trains the same config on the same version of the data."""
    version = data.get("corrections")
    if config.corrections is None and isinstance(version, int):
        config = config.model_copy(update={"corrections": version})
    preset, changes = closest_preset(config)
    return f"python -m fer_core train --config {preset}" + "".join(
        f" --set {shlex.quote(change)}" for change in changes
    )


def read_data_info(run: Run) -> dict[str, object]:
    """Read `data.json`: dataset, fingerprint and version of the corrections; empty if there is none yet."""
    try:
        content = json.loads(run.path("data.json").read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


@st.cache_data(show_spinner=False, max_entries=32)
def _count_splits(folder: str, changed_ns: int) -> dict[str, int]:
    """Count the images of each split of the run in this folder."""
    del changed_ns  # cache key
    sizes = Run(Path(folder)).read_table("split.parquet")["split"].value_counts()
    return {split: int(sizes[split]) for split in (*map(str, Split), str(EXCLUDED)) if split in sizes}


def describe_data_version(data: Mapping[str, object], current_fingerprint: str, current_version: int) -> str:
    """Describe which version of the data was used, and what has changed since."""
    version = data.get("corrections")
    used = f"Fingerprint {data.get('fingerprint')}, corrections version {version}."
    if current_fingerprint != data.get("fingerprint"):
        return f"{used} Images or labels have changed since, so this run can't be resumed."
    if isinstance(version, int) and current_version > version:
        return f"{used} Corrections have since reached version {current_version}."
    return f"{used} Unchanged since."


def _show_data(run: Run, config: TrainConfig | None, data: Mapping[str, object]) -> None:
    st.markdown("**Data**")
    name = str(data.get("dataset") or (config.dataset if config else ""))
    try:
        dataset = open_dataset(name, settings())
        link_to(Page.DATASETS, dataset.manifest.title, dataset=name)
        if data:
            st.markdown(
                escape_markdown(describe_data_version(data, dataset.fingerprint, dataset.corrections().version))
            )
    except FerscopeError:
        notice("warning", f"The dataset {name or 'of this run'} is no longer in the store.")
        if data:
            st.markdown(
                escape_markdown(f"Fingerprint {data.get('fingerprint')}, corrections {data.get('corrections')}.")
            )
    path = run.path("split.parquet")
    try:
        sizes = _count_splits(run.folder.as_posix(), path.stat().st_mtime_ns)
    except (OSError, RunError):
        st.caption("The run has not split its images yet.")
        return
    excluded = sizes.pop(str(EXCLUDED), 0)
    text = join_words([f"{format_count(size)} {describe_split(split)}" for split, size in sizes.items()]) + " images."
    if excluded:
        text += f" Not used: {format_images(excluded)}, excluded or near-duplicates of validation or test images."
    st.markdown(escape_markdown(text))


def _show_config(run: Run, *, readable: bool) -> None:
    st.markdown("**Config file**")
    try:
        text = run.config_text()
    except RunError as error:
        notice("warning", str(error))
        return
    if not readable:
        notice("warning", "This version can't read the config, so the run can't be resumed or copied.")
    st.code(text, language="yaml", wrap_lines=True, height=380)
    show_download("Download as YAML", text, f"ferscope-{run.id}.yaml", "application/yaml", "tertiary")
