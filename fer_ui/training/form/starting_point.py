"""The form's starting point: a preset or a copy of a run, from the query string."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from fer_core.errors import InputError
from fer_core.runs.folder import list_runs, open_run
from fer_core.runs.title import PRESET_TITLES, run_title, titles_by_run
from fer_core.settings import settings
from fer_core.training.config.presets import PRESETS
from fer_core.training.config.train_config import TrainConfig, load_config
from fer_ui.frame.header import notice
from fer_ui.navigation import Page, go_to
from fer_ui.query_params import QueryParam, get_param
from fer_ui.record_choice import choose_instead, describe_missing_record

_KEY = "train-starting-point"
_COPY = "run:"
_DEFAULT = next(iter(PRESETS))
_OVERRIDES = (QueryParam.REBALANCING, QueryParam.POLICY, QueryParam.SPLIT_CONFIG, QueryParam.AMBIGUOUS)
"""Parameters that change the starting point; choosing another one removes them."""


@dataclass(frozen=True)
class StartingPoint:
    """A config to start from.

    Attributes:
        name: of the preset, or `run:` and the run's id.
        config_argument: for `--config`: the preset's name or the path of the run's config.
        path: of the config file.
        summary: a sentence about it.
    """

    name: str
    title: str
    summary: str
    config_argument: str
    path: Path
    config: TrainConfig

    @property
    def copied_run(self) -> str:
        """The id of the copied run; "" for a preset."""
        return self.name.removeprefix(_COPY) if self.name.startswith(_COPY) else ""


def get_starting_point() -> StartingPoint:
    """Get the run or preset of the query string; the default preset with a notice if there is no such one."""
    run_id = get_param(QueryParam.FROM)
    if run_id:
        try:
            return copy_run(run_id)
        except InputError as error:
            _show_missing_run(run_id, error)
    name = get_param(QueryParam.PRESET) or _DEFAULT
    if name not in PRESETS:
        notice("warning", f"There is no preset {name!r}. Choose another under “Start from”.")
        name = _DEFAULT
    preset = PRESETS[name]
    return StartingPoint(name, preset.title, preset.summary, name, preset.path, preset.config)


def copy_run(run_id: str) -> StartingPoint:
    """Load a run's config as a starting point.

    Raises:
        InputError: there is no such run, its folder is incomplete, or this version can't read its config.
    """
    run = open_run(run_id, settings())
    path = run.path("config.yaml")
    config = load_config(path)
    title = run_title(run, settings())
    config = config.model_copy(update={"split_from": ""})  # the split is what the form shows
    if config.title not in PRESET_TITLES:
        config = config.model_copy(update={"title": ""})  # the name is the original's
    return StartingPoint(_COPY + run_id, f"Copy of {title}", f"With all settings of {title}.", str(path), path, config)


def _show_missing_run(run_id: str, error: InputError) -> None:
    """Say why a run can't be copied, and offer the others."""
    titles = titles_by_run(list_runs(settings()), settings())
    if run_id in titles:
        notice("warning", f"The run {titles[run_id]} can't be copied. {error} The form starts from a preset instead.")
        return
    notice("warning", f"{describe_missing_record('run', run_id)} The form starts from a preset instead.")
    if titles and (chosen := choose_instead("Copy another run", titles, "train-copy-instead", "Choose a run")):
        go_to(Page.TRAINING, **{"from": chosen})


def choose_starting_point(current: StartingPoint) -> None:
    """Show the selection; a change is written to the query string before the rerun."""
    names = [*([current.name] if current.copied_run else []), *PRESETS]
    st.session_state[_KEY] = current.name
    st.selectbox(
        "Start from",
        names,
        key=_KEY,
        format_func=lambda name: PRESETS[name].title if name in PRESETS else current.title,
        on_change=_on_change,
        help="\n".join(["A preset sets all options:", "", *(f"- {p.title}: {p.summary}" for p in PRESETS.values())]),
    )


def clear_link_overrides() -> None:
    """Remove the overrides from the query string."""
    for param in _OVERRIDES:
        st.query_params.pop(param, None)


def _on_change() -> None:
    name = st.session_state[_KEY]
    if name not in PRESETS:
        return
    clear_link_overrides()
    for param in (QueryParam.FROM, QueryParam.PRESET):
        st.query_params.pop(param, None)
    if name != _DEFAULT:
        st.query_params[QueryParam.PRESET] = name
