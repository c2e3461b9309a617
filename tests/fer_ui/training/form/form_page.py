"""The form on a page of its own, and what it asks for."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.cli.main import build_parser
from fer_core.settings import settings
from fer_core.training.config.train_config import TrainConfig, load_config, parse_config, preset_paths
from fer_ui.navigation import Page
from fer_ui.training.form import augmentation, form, groups
from fer_ui.training.form.form import TrainingRequest
from fer_ui.training.form.form_state import widget_key

DATASET = "drawn"
WANTED = "test-wanted"

Show = Callable[..., AppTest]


def page() -> None:
    """What the page does with the form; its source is run, so it imports for itself."""
    import streamlit as st

    from fer_core.data.catalog import list_datasets
    from fer_core.settings import settings
    from fer_ui.training.form.form import training_form

    st.session_state["test-wanted"] = training_form(list_datasets(settings()))


def open_form(monkeypatch: pytest.MonkeyPatch, **query: str) -> AppTest:
    """The form as a link with this query shows it."""

    def said_link(page: Page, label: str, **asked: str) -> None:
        st.markdown(f"{label}: {page} {asked}")  # there are no pages to link to here

    for module in (augmentation, form, groups):
        monkeypatch.setattr(module, "link_to", said_link)
    app = AppTest.from_function(page, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def config_of(app: AppTest) -> TrainConfig:
    """What the form would start: its file, after seeing that its command says the same."""
    assert not app.exception
    assert not app.error, app.error[0].value
    return configs_of(app)[0]


def configs_of(app: AppTest) -> list[TrainConfig]:
    """What each of its commands would start; the file is the first one's."""
    import yaml

    commands, written = (block.value for block in app.code[:2])
    configs = [config_of_command(line) for line in commands.splitlines()]
    assert parse_config(yaml.safe_load(written)) == configs[0]
    return configs


def config_of_command(line: str) -> TrainConfig:
    """What a command would start, read as the command line reads it."""
    words = shlex.split(line)
    assert words[:5] == ["python", "-m", "fer_core", "jobs", "submit"]
    given = build_parser().parse_args(words[3:])
    return load_config(preset_paths().get(given.config, Path(given.config)), given.set)


def wanted_of(app: AppTest) -> TrainingRequest:
    """What pressing the button asks for."""
    app.button(key="train-start").click().run()
    assert not app.exception
    wanted = app.session_state[WANTED]
    assert isinstance(wanted, TrainingRequest)
    return wanted


def set_widget(app: AppTest, path: str, shown: Any) -> AppTest:
    """Put a value, as it is shown, into the widget of a path, whichever kind it is."""
    return set_by_key(app, widget_key(path), shown)


def set_by_key(app: AppTest, key: str, shown: Any) -> AppTest:
    """Put a value into the widget with this key."""
    kinds = ("number_input", "selectbox", "segmented_control", "toggle", "text_input", "multiselect", "slider")
    for kind in (*kinds, "select_slider"):
        for widget in getattr(app, kind):
            if widget.key == key:
                changed: AppTest = widget.set_value(shown).run()
                return changed
    raise AssertionError(f"no widget has the key {key}")


def run_config(run_id: str) -> Path:
    """Where a run's config is."""
    return settings().runs_dir / run_id / "config.yaml"
