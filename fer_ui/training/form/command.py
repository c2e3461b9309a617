"""The form's config as a command and as a file."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

import streamlit as st

from fer_core.training.config.command_line import changes_from_file
from fer_core.training.config.train_config import TrainConfig, dump_config
from fer_ui.downloads import show_download
from fer_ui.training.form.starting_point import StartingPoint

_HEIGHT_PX = 360
_UNSAFE = re.compile(r"[^A-Za-z0-9]+")


def build_arguments(start: StartingPoint, config: TrainConfig, priority: int, device: str) -> list[str]:
    """Build the arguments of `python -m fer_core` that start this run."""
    changes = [argument for change in changes_from_file(start.path, config) for argument in ("--set", change)]
    options = [*(["--priority", str(priority)] if priority else []), *(["--device", device] if device else [])]
    return ["jobs", "submit", "--config", start.config_argument, *changes, *options]


def show_command(start: StartingPoint, configs: Sequence[TrainConfig], priority: int, device: str) -> None:
    """Show a command per run, the config as YAML and its download."""
    lines = [
        shlex.join(["python", "-m", "fer_core", *build_arguments(start, config, priority, device)])
        for config in configs
    ]
    with st.expander("Command and config file", icon=":material/terminal:"):
        st.code("\n".join(lines), language="bash", wrap_lines=True)
        if len(configs) > 1:
            st.caption("The config of the first fold; the others differ in fold and title.")
        content = dump_config(configs[0])
        st.code(content, language="yaml", wrap_lines=True, height=_HEIGHT_PX)
        show_download("Download as YAML", content, f"{build_file_name(configs[0])}.yaml", "application/yaml")


def build_file_name(config: TrainConfig) -> str:
    """Build a file name from the title, in characters that every file system allows."""
    return _UNSAFE.sub("-", config.title or config.model.name).strip("-").lower() or "config"
