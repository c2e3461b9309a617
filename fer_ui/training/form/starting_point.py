"""What the form begins with: a preset, or the config of a run that is copied. The address says which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
import yaml

from fer_core.errors import ConfigError, InputError
from fer_core.runs.folder import open_run
from fer_core.settings import settings
from fer_core.training.config.presets import PRESETS
from fer_core.training.config.train_config import TrainConfig, parse_config
from fer_ui.header import notice
from fer_ui.query_params import QueryParam, get_param

_KEY = "train-begin"
_COPY = "run:"
_OF_ONE_SOURCE = (QueryParam.REBALANCING, QueryParam.POLICY, QueryParam.SPLIT_CONFIG, QueryParam.AMBIGUOUS)
"""What a link may change about a preset; choosing another one begins with that as it is."""


@dataclass(frozen=True)
class StartingPoint:
    """A config to begin from.

    Attributes:
        name: the preset's, or `run:` and the run's id.
        config_argument: what `--config` takes: the preset's name, or the path of the run's config.
        path: of the file.
        summary: what is said of it.
    """

    name: str
    title: str
    summary: str
    config_argument: str
    path: Path
    config: TrainConfig

    @property
    def copied_run(self) -> str:
        """The run that is copied, "" where a preset is begun from."""
        return self.name.removeprefix(_COPY) if self.name.startswith(_COPY) else ""


def get_starting_point() -> StartingPoint:
    """The run or the preset that the address names; says so where that can't be used, and takes a preset."""
    run_id = get_param(QueryParam.FROM)
    if run_id:
        try:
            return copy_run(run_id)
        except InputError as error:
            notice("warning", f"The run {run_id} can't be copied. {error} The form begins with a preset instead.")
    name = get_param(QueryParam.PRESET)
    return _of_preset(name if name in PRESETS else next(iter(PRESETS)))


def copy_run(run_id: str) -> StartingPoint:
    """A run's config, to begin from.

    Raises:
        InputError: there is no such run, its folder is not whole, or its config means nothing to this version.
    """
    run = open_run(run_id, settings())
    try:
        content = yaml.safe_load(run.config_text())
    except yaml.YAMLError as exc:
        raise ConfigError(f"Its config.yaml is not YAML ({exc}).") from exc
    config = parse_config(content, "Its config.yaml")
    title = config.title or config.model.name
    path = run.path("config.yaml")
    return StartingPoint(_COPY + run_id, f"A copy of {title}", f"A copy of {run_id}", str(path), path, config)


def choose_starting_point(now: StartingPoint) -> None:
    """Draw the choice; another one is in the address before the form is drawn again."""
    names = [*([now.name] if now.copied_run else []), *PRESETS]
    st.session_state[_KEY] = now.name
    st.selectbox(
        "Begin with",
        names,
        key=_KEY,
        format_func=lambda name: PRESETS[name].title if name in PRESETS else now.title,
        on_change=_on_change,
        help="\n".join(_help_lines()),
    )


def clear_link_overrides() -> None:
    """Take out of the address what it changes about the source."""
    for param in _OF_ONE_SOURCE:
        st.query_params.pop(param, None)


def _help_lines() -> Iterator[str]:
    yield "A preset fills the whole form:"
    yield ""
    yield from (f"- {preset.title}: {preset.sentence}" for preset in PRESETS.values())


def _on_change() -> None:
    name = st.session_state[_KEY]
    if name not in PRESETS:
        return
    clear_link_overrides()
    for param in (QueryParam.FROM, QueryParam.PRESET):
        st.query_params.pop(param, None)
    if name != next(iter(PRESETS)):
        st.query_params[QueryParam.PRESET] = name


def _of_preset(name: str) -> StartingPoint:
    preset = PRESETS[name]
    return StartingPoint(name, preset.title, preset.sentence, name, preset.path, preset.config)
