"""Sample faces of a dataset as thumbnails: a few a class, read from the source when they are shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.data.catalog import open_dataset
from fer_core.data.index import images_in_order
from fer_core.faces import RgbImage
from fer_core.labels import Expression
from fer_core.settings import settings
from fer_ui.numbers import count
from fer_ui.theme import expression_title

_SHOWN_PX = 68


def show_samples(dataset_id: str, fingerprint: str, index: pd.DataFrame, per_class: int, draw: int) -> None:
    """A row of faces for each expression that has any; `draw` picks other ones."""
    readable = index[(index["problem"] == "") & index["label"].notna()]
    for expression in Expression:
        rows = readable[readable["label"] == str(expression)]
        if rows.empty:
            continue
        chosen = rows.sample(min(per_class, len(rows)), random_state=np.random.default_rng(draw))
        st.markdown(f"**{expression_title(expression)}**, {count(len(rows))} images")
        faces = _thumbnails(dataset_id, fingerprint, tuple(chosen["path"]))
        captions = [str(path).rsplit("/", 1)[-1] for path in chosen["path"]]
        with st.container(horizontal=True, gap="small"):
            for face, caption in zip(faces, captions, strict=True):
                st.image(face, width=_SHOWN_PX, alt=f"{expression_title(expression)}: {caption}")


@st.cache_data(show_spinner=False, max_entries=256)
def _thumbnails(dataset_id: str, fingerprint: str, paths: tuple[str, ...]) -> list[RgbImage]:
    """uint8 pictures as stored; one that can't be read any more is a gray square."""
    del fingerprint  # part of the key
    with open_dataset(dataset_id, settings()).source(settings()) as source:
        missing = np.full((48, 48), 128, np.uint8)
        return [missing if face is None else face for face in images_in_order(source, paths)]
