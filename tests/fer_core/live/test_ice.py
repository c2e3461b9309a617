from __future__ import annotations

import base64
import hmac

import pytest

from fer_core.errors import SettingsError
from fer_core.live.ice import EXAMPLE, SECRET_LASTS_S, parse_ice_servers


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


def test_a_secret_becomes_a_password_that_expires() -> None:
    """The password is what coturn computes: base64 of HMAC-SHA1."""
    value = '[{"urls": "turn:a:1", "secret": "north", "username": "me"}, {"urls": "stun:b:2"}]'
    turn, stun = parse_ice_servers(value, now_s=1_000_000.9)
    assert turn["username"] == f"{1_000_000 + SECRET_LASTS_S}:me"
    expected = base64.b64encode(hmac.digest(b"north", turn["username"].encode(), "sha1")).decode()
    assert turn == {"urls": "turn:a:1", "username": turn["username"], "credential": expected}
    assert stun == {"urls": "stun:b:2"}


def test_credentials_are_not_repeated_in_errors() -> None:
    for name in ("credential", "secret"):
        with pytest.raises(SettingsError) as error:
            parse_ice_servers(f'[{{"urls": 3, "{name}": "hunter2"}}]')
        assert "hunter2" not in str(error.value)
