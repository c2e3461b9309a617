"""Parse the STUN and TURN servers for WebRTC, which connect through routers and firewalls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from fer_core.errors import SettingsError

EXAMPLE = '[{"urls": "turn:turn.example.org:3478", "username": "NAME", "credential": "SECRET"}]'
_QUOTED_MAX = 60
_SCHEMES = ("stun:", "stuns:", "turn:", "turns:")


class _Server(BaseModel):
    """A browser's `RTCIceServer`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    urls: str | list[str]
    username: str | None = None
    credential: str | None = None


_SERVERS = TypeAdapter(list[_Server])


def parse_ice_servers(value: str) -> list[dict[str, Any]]:
    """Parse FERSCOPE_ICE_SERVERS; empty for connections on one machine.

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
    return [server.model_dump(exclude_none=True) for server in servers]


def _urls(server: _Server) -> list[str]:
    return [server.urls] if isinstance(server.urls, str) else server.urls


def _location(path: Sequence[str | int]) -> str:
    """Format the location of an error: "server 1, urls"."""
    if not path:
        return "the value"
    return ", ".join(f"server {part + 1}" if isinstance(part, int) else part for part in path[:2])


def _error(value: str, reason: str) -> SettingsError:
    """Build the error; a value that may contain a password is not quoted, as the page shows it to every visitor."""
    quoted = "" if "credential" in value else f"={value[:_QUOTED_MAX]}"
    return SettingsError(f"FERSCOPE_ICE_SERVERS{quoted} can't be used: {reason}. Give a JSON list such as {EXAMPLE}.")
