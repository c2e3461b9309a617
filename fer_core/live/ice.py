"""Parse the STUN and TURN servers for WebRTC, which connect through routers and firewalls."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from fer_core.errors import SettingsError

SECRET_LASTS_S = 6 * 3600
"""How long a user name made from a shared secret is valid: longer than anybody is live."""

EXAMPLE = '[{"urls": "turn:turn.example.org:3478", "username": "NAME", "credential": "SECRET"}]'
_QUOTED_MAX = 60
_SCHEMES = ("stun:", "stuns:", "turn:", "turns:")


class _Server(BaseModel):
    """A browser's `RTCIceServer`, or one with the shared `secret` of a TURN server in place of a password."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    urls: str | list[str]
    username: str | None = None
    credential: str | None = None
    secret: str | None = None


_SERVERS = TypeAdapter(list[_Server])


def parse_ice_servers(value: str, now_s: float | None = None) -> list[dict[str, Any]]:
    """Parse FERSCOPE_ICE_SERVERS; empty for connections on one machine.

    A server with a `secret` gets a user name and a password that expire, so that a visitor's browser never learns a
    lasting one: "A REST API For Access To TURN Services" (draft-uberti-behave-turn-rest), `use-auth-secret` of coturn.

    Args:
        now_s: seconds since 1970; by default now.
    Raises:
        SettingsError: it is not a JSON list of servers.
    """
    if not value.strip():
        return []
    try:
        servers = _SERVERS.validate_python(json.loads(value))
    except json.JSONDecodeError as exc:
        raise _error(value, f"it is not JSON ({exc.msg} at character {exc.pos + 1})") from exc
    except ValidationError as exc:
        first = exc.errors(include_input=False)[0]
        raise _error(value, f"{_location(first['loc'])}: {first['msg']}") from exc
    wrong = next((url for server in servers for url in _urls(server) if not url.startswith(_SCHEMES)), None)
    if wrong is not None:
        raise _error(value, f"{wrong!r} does not begin with {', '.join(_SCHEMES)}")
    expires_s = int(time.time() if now_s is None else now_s) + SECRET_LASTS_S
    return [_with_password(server, expires_s).model_dump(exclude_none=True) for server in servers]


def _with_password(server: _Server, expires_s: int) -> _Server:
    if server.secret is None:
        return server
    username = f"{expires_s}:{server.username or 'ferscope'}"
    digest = hmac.new(server.secret.encode(), username.encode(), "sha1").digest()
    return server.model_copy(
        update={"username": username, "credential": base64.b64encode(digest).decode(), "secret": None}
    )


def _urls(server: _Server) -> list[str]:
    return [server.urls] if isinstance(server.urls, str) else server.urls


def _location(path: Sequence[str | int]) -> str:
    """Format the location of an error: "server 1, urls"."""
    if not path:
        return "the value"
    return ", ".join(f"server {part + 1}" if isinstance(part, int) else part for part in path[:2])


def _error(value: str, reason: str) -> SettingsError:
    """Build the error; a value that may contain a password is not quoted, as the page shows it to every visitor."""
    quoted = "" if "credential" in value or "secret" in value else f"={value[:_QUOTED_MAX]}"
    return SettingsError(f"FERSCOPE_ICE_SERVERS{quoted} can't be used: {reason}. Give a JSON list such as {EXAMPLE}.")
