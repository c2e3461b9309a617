from __future__ import annotations

import pytest

from fer_core.errors import SettingsError
from fer_core.live.ice import EXAMPLE, parse_ice_servers


@pytest.mark.parametrize("value", ["", "  ", "[]"])
def test_an_empty_value_has_no_servers(value: str) -> None:
    assert parse_ice_servers(value) == []


def test_servers_are_parsed() -> None:
    assert parse_ice_servers('[{"urls": ["stun:a:1", "stun:b:2"]}]') == [{"urls": ["stun:a:1", "stun:b:2"]}]
    assert parse_ice_servers(EXAMPLE)[0]["credential"] == "SECRET"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("stun:a:1", "not JSON"),
        ('{"urls": "stun:a:1"}', "list"),
        ('["stun:a:1"]', "server 1"),
        ('[{"url": "stun:a:1"}]', "server 1, url"),
        ('[{"urls": "http://a"}]', "'http://a' does not begin with stun:"),
    ],
)
def test_invalid_servers_are_refused(value: str, message: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse_ice_servers(value)
    assert message in str(error.value)
    assert value[:20] in str(error.value)
    assert "Give a JSON list" in str(error.value)


def test_credentials_are_not_repeated_in_errors() -> None:
    with pytest.raises(SettingsError) as error:
        parse_ice_servers('[{"urls": 3, "credential": "hunter2"}]')
    assert "hunter2" not in str(error.value)
