"""A blank page that can import the scripts of Live, and images for it."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

from fer_core.live.browser_model import BrowserModel
from fer_ui.live.web_files import NETWORKS, runtime_url, scripts_url

_PRELUDE = """
    const toImage = ({pixels, width, height, channels}) => {
        const data = Uint8Array.from(atob(pixels), (letter) => letter.charCodeAt(0));
        return {data, width, height, channels};
    };
    const load = (name) => import(base + name);
"""


def run_script(page: Page, body: str, **values: Any) -> Any:
    """Run JavaScript that may `load("NAME.js")` and `toImage(…)`, with `values` as its variables; returns JSON."""
    names = ", ".join(values)
    return page.evaluate(f"async ([base, {names}]) => {{ {_PRELUDE} {body} }}", [scripts_url(), *values.values()])


def image_value(image: NDArray[np.uint8]) -> dict[str, Any]:
    """An image for `toImage`."""
    height, width = image.shape[:2]
    channels = 1 if image.ndim == 2 else image.shape[2]
    pixels = base64.b64encode(np.ascontiguousarray(image).tobytes()).decode()
    return {"pixels": pixels, "width": width, "height": height, "channels": channels}


def model_value(page: Page, model: BrowserModel) -> dict[str, Any]:
    """A model for `openNetworks`."""
    origin = page.url.rstrip("/")
    files = {name: origin + NETWORKS.add(content) for name, content in model.files.items()}
    return {**model.values, "files": {**files, "runtime": origin + runtime_url()}}
