from __future__ import annotations

import pytest

from fer_core.errors import SettingsError
from fer_core.live.ice import EXAMPLE, parse_ice_servers


@pytest.mark.parametrize("value", ["", "  ", "[]"])
def test_no_servers(value: str) -> None:
    assert parse_ice_servers(value) == []


def test_servers_are_given_as_browsers_want_them() -> None:
    assert parse_ice_servers('[{"urls": ["stun:a:1", "stun:b:2"]}]') == [{"urls": ["stun:a:1", "stun:b:2"]}]
    assert parse_ice_servers(EXAMPLE)[0]["credential"] == "SECRET"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("stun:a:1", "not JSON"),
        ('{"urls": "stun:a:1"}', "list"),
        ('["stun:a:1"]', "server 1"),
        ('[{"url": "stun:a:1"}]', "server 1, url"),
        ('[{"urls": "http://a"}]', "'http://a' does not begin with stun:"),
    ],
)
def test_anything_else_is_refused_in_words(value: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_ice_servers(value)
    assert said in str(caught.value)
    assert value[:20] in str(caught.value)
    assert "Give a JSON list" in str(caught.value)


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_ice_servers('[{"urls": 3, "credential": "hunter2"}]')
    assert "hunter2" not in str(caught.value)
