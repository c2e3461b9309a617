"""The app's Streamlit configuration."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from streamlit import config

CONFIG = Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml"


def _options(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _options(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def test_streamlit_knows_every_option() -> None:
    config.get_config_options()
    for name, _ in _options(tomllib.loads(CONFIG.read_text())):
        assert name in config._config_options_template, name


def test_garbage_is_not_collected_after_every_run() -> None:
    assert dict(_options(tomllib.loads(CONFIG.read_text())))["runner.postScriptGC"] is False


def test_docstrings_are_not_shown_on_pages() -> None:
    assert dict(_options(tomllib.loads(CONFIG.read_text())))["runner.magicEnabled"] is False


def test_the_server_is_local_and_sends_no_statistics() -> None:
    options = dict(_options(tomllib.loads(CONFIG.read_text())))
    assert options["server.address"] == "127.0.0.1"
    assert options["browser.gatherUsageStats"] is False
    assert "http" not in CONFIG.read_text()


def test_cross_origin_protection_stays_on() -> None:
    options = dict(_options(tomllib.loads(CONFIG.read_text())))
    for name in ("server.enableCORS", "server.enableXsrfProtection"):
        assert options.get(name, config._config_options_template[name].default_val) is True, name
    assert "server.corsAllowedOrigins" not in options
