"""The app's configuration: Streamlit knows every option in it, and nothing in it goes to the network."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from streamlit import config

CONFIG = Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml"


def _options(tree: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _options(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def test_streamlit_knows_every_option() -> None:
    config.get_config_options()
    for name, _ in _options(tomllib.loads(CONFIG.read_text())):
        assert name in config._config_options_template, name


def test_garbage_is_not_collected_after_every_run() -> None:
    assert dict(_options(tomllib.loads(CONFIG.read_text())))["runner.postScriptGC"] is False


def test_docstrings_are_not_shown_on_pages() -> None:
    assert dict(_options(tomllib.loads(CONFIG.read_text())))["runner.magicEnabled"] is False


def test_the_server_keeps_to_this_machine_and_sends_nothing() -> None:
    options = dict(_options(tomllib.loads(CONFIG.read_text())))
    assert options["server.address"] == "127.0.0.1"
    assert options["browser.gatherUsageStats"] is False
    assert "http" not in CONFIG.read_text()


def test_what_keeps_other_websites_out_stays_on() -> None:
    set_here = dict(_options(tomllib.loads(CONFIG.read_text())))
    for name in ("server.enableCORS", "server.enableXsrfProtection"):
        assert set_here.get(name, config._config_options_template[name].default_val) is True, name
    assert "server.corsAllowedOrigins" not in set_here
