"""Sample photos, so that Predict shows an answer with one click. Their sources are in `samples/README.md`."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st
from PIL import Image, ImageOps

from fer_core.faces import RgbImage

_FOLDER = Path(__file__).with_name("samples")
_THUMBNAIL_PX = (480, 240)


class SamplePhoto(NamedTuple):
    """A photo that comes with FERscope; `credit` says whose it is."""

    title: str
    file: Path
    credit: str


SAMPLE_PHOTOS = {
    "astronaut": SamplePhoto("Astronaut", _FOLDER / "astronaut.jpg", "Eileen Collins. Photo: NASA, public domain."),
    "four-faces": SamplePhoto("Synthetic faces", _FOLDER / "four-faces.jpg", "Drawn by FERscope. Nobody is shown."),
}
"""By the name that a link uses."""


@st.cache_data(show_spinner=False)
def sample_thumbnail(name: str) -> RgbImage:
    """Cut the middle of a sample photo to the size of a card; uint8, shape (H, W, 3), RGB."""
    with Image.open(SAMPLE_PHOTOS[name].file) as photo:
        return np.asarray(ImageOps.fit(photo.convert("RGB"), _THUMBNAIL_PX, centering=(0.5, 0.25)), np.uint8)
