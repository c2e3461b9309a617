"""What the protocols that turn votes into labels are called on a page."""

from __future__ import annotations

from fer_core.evaluation.predictions import PROTOCOLS
from fer_core.text import capitalize_first

PROTOCOL_TITLES: dict[str, str] = {name: capitalize_first(words) for name, words in PROTOCOLS.items()}
"""The headline's protocol first, which is where a switch begins."""
