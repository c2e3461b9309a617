"""Ids of datasets, runs, models and jobs, safe as folder names and in links."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

from fer_core.errors import InputError

_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_SLUG_MAX = 50  # with timestamp and random suffix, `new_id` stays within 80


def check_id(name: str, what: str) -> str:
    """Return `name` if it is a valid id; `what` names the object in the message, such as "dataset".

    Raises:
        InputError: it has other characters than a-z, 0-9, dot, dash and underscore, or is too long.
    """
    if not _PATTERN.fullmatch(name) or ".." in name:
        raise InputError(
            f"{name!r} can't be a {what} id. Use 1 to 80 of a-z, 0-9, dot, dash and underscore, "
            "beginning with a letter or digit."
        )
    return name


def slug(text: str) -> str:
    """Make an id of `text`: lower case, with other characters replaced by dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_SLUG_MAX].rstrip("-") or "unnamed"


def new_id(name: str) -> str:
    """Create an id that sorts by time, such as `20260131-142501-small-3fa9c07e`."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return f"{stamp}-{slug(name)}-{secrets.token_hex(4)}"
