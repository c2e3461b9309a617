"""Read the galleries of a page in Streamlit's AppTest, and select faces in them as the browser would."""

from __future__ import annotations

import json
from typing import Any

from streamlit.testing.v1 import AppTest


def galleries(app: AppTest) -> list[dict[str, Any]]:
    """Get the data of every gallery on a page."""
    found = [json.loads(element.proto.json) for element in app.get("bidi_component") if element.proto.json]
    return [data for data in found if isinstance(data, dict) and "faces" in data]


def gallery(app: AppTest) -> dict[str, Any]:
    """Get the data of the only gallery on a page."""
    (data,) = galleries(app)
    return data


def shown_ids(app: AppTest) -> list[str]:
    """Get the ids of the faces in the only gallery."""
    return [face["id"] for face in gallery(app)["faces"]]


def select(app: AppTest, key: str, *ids: str, version: int = 0) -> AppTest:
    """Select faces of the list `key` at a version of the corrections."""
    app.session_state[f"{key}-selected-{version}"] = dict.fromkeys(ids)
    return app.run()
