"""The form on a test page, and helpers that read and change it."""

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
REQUEST_KEY = "test-request"

Show = Callable[..., AppTest]


def page() -> None:
    """Show the form. AppTest runs only the source, hence the imports."""
    import streamlit as st

    from fer_core.data.catalog import list_datasets
    from fer_core.settings import settings
    from fer_ui.training.form.form import training_form

    st.session_state["test-request"] = training_form(list_datasets(settings()), st.container())


def open_form(monkeypatch: pytest.MonkeyPatch, **query: str) -> AppTest:
    """Open the form with query parameters."""

    def fake_link(page: Page, label: str, **query: str) -> None:
        st.markdown(f"{label}: {page} {query}")  # there are no pages to link to here

    for module in (augmentation, form, groups):
        monkeypatch.setattr(module, "link_to", fake_link)
    app = AppTest.from_function(page, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def get_config(app: AppTest) -> TrainConfig:
    """Config of the form, the same in its file and its command."""
    assert not app.exception
    assert not app.error, app.error[0].value
    return get_configs(app)[0]


def get_configs(app: AppTest) -> list[TrainConfig]:
    """Configs of the form's commands; the first equals the config file."""
    import yaml

    commands, config_file_text = (block.value for block in app.code[:2])
    configs = [parse_command(line) for line in commands.splitlines()]
    assert parse_config(yaml.safe_load(config_file_text)) == configs[0]
    return configs


def parse_command(line: str) -> TrainConfig:
    """Parse a command with the command line's parser."""
    arguments = shlex.split(line)
    assert arguments[:5] == ["python", "-m", "fer_core", "jobs", "submit"]
    parsed = build_parser().parse_args(arguments[3:])
    return load_config(preset_paths().get(parsed.config, Path(parsed.config)), parsed.set)


def submit_form(app: AppTest) -> TrainingRequest:
    """Press the start button and return the request."""
    app.button(key="train-start").click().run()
    assert not app.exception
    request = app.session_state[REQUEST_KEY]
    assert isinstance(request, TrainingRequest)
    return request


def set_widget(app: AppTest, path: str, value: Any) -> AppTest:
    """Set the widget of a config path to a displayed value."""
    return set_by_key(app, widget_key(path), value)


def set_by_key(app: AppTest, key: str, value: Any) -> AppTest:
    """Set the widget with this key."""
    widget_kinds = ("number_input", "selectbox", "segmented_control", "toggle", "text_input", "multiselect", "slider")
    for widget_kind in (*widget_kinds, "select_slider"):
        for widget in getattr(app, widget_kind):
            if widget.key == key:
                updated: AppTest = widget.set_value(value).run()
                return updated
    raise AssertionError(f"no widget has the key {key}")


def run_config(run_id: str) -> Path:
    """Path of a run's config."""
    return settings().runs_dir / run_id / "config.yaml"
