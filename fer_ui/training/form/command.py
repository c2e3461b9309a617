"""The same as a command and as a file: what the form asks for, for a terminal, a script or a colleague."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

import streamlit as st

from fer_core.training.config.command_line import changes_to
from fer_core.training.config.train_config import TrainConfig, dump_config
from fer_ui.training.form.starting_point import StartingPoint

_HEIGHT_PX = 360
_NAMELESS = re.compile(r"[^A-Za-z0-9]+")


def build_arguments(start: StartingPoint, config: TrainConfig, priority: int, device: str) -> list[str]:
    """What follows `python -m fer_core` to start this run."""
    changes = [word for change in changes_to(start.path, config) for word in ("--set", change)]
    more = [*(["--priority", str(priority)] if priority else []), *(["--device", device] if device else [])]
    return ["jobs", "submit", "--config", start.config_argument, *changes, *more]


def show_command(start: StartingPoint, configs: Sequence[TrainConfig], priority: int, device: str) -> None:
    """A command a run, the config as YAML, and the file."""
    lines = [
        shlex.join(["python", "-m", "fer_core", *build_arguments(start, config, priority, device)])
        for config in configs
    ]
    with st.expander("The same as a command, and as a config file", icon=":material/terminal:"):
        st.code("\n".join(lines), language="bash", wrap_lines=True)
        if len(configs) > 1:
            st.caption("The file of the first fold; the others differ in their fold and title.")
        content = dump_config(configs[0])
        st.code(content, language="yaml", wrap_lines=True, height=_HEIGHT_PX)
        st.download_button(
            "Download the file",
            content,
            file_name=f"{build_file_name(configs[0])}.yaml",
            mime="application/yaml",
            icon=":material/download:",
            key="train-yaml",
        )


def build_file_name(config: TrainConfig) -> str:
    """The title in letters that every file system takes."""
    return _NAMELESS.sub("-", config.title or config.model.name).strip("-").lower() or "config"
