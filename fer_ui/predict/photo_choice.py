"""The choice of photos: uploaded ones, or a sample."""

from __future__ import annotations

import base64
from typing import NamedTuple

import streamlit as st

from fer_core.settings import settings
from fer_ui.escaping import escape_markdown
from fer_ui.frame.header import notice
from fer_ui.navigation import Page, go_to, link_to
from fer_ui.predict.sample_photos import SAMPLE_PHOTOS, sample_thumbnail
from fer_ui.query_params import QueryParam, get_param
from fer_ui.uploads import file_uploader

_UPLOAD_SHARE = (3, 2)
_CARD_PX = 220
_HANDED_OVER = "predict-handed-over"


class ChosenPhoto(NamedTuple):
    """The name and content of a photo, and whose it is if it is a sample."""

    name: str
    content: bytes
    credit: str = ""


def choose_photos() -> list[ChosenPhoto]:
    """Show the uploader and the samples; the sample that the address names goes before uploaded photos.

    Returns:
        the photos; none before the first choice.
    """
    left, right = st.columns(_UPLOAD_SHARE, vertical_alignment="center", gap="medium")
    with left:
        # Any file can be chosen: whether it is an image depends on its content, not its name.
        files = file_uploader(
            "Photos",
            "photos",
            "your photos",
            accept_multiple_files=True,
            max_upload_size=max(1, settings().image_bytes_max // 2**20),
            label_visibility="collapsed",
            on_change=_leave_sample,
        )
    name = get_param(QueryParam.SAMPLE)
    if files or name:
        st.session_state.pop(_HANDED_OVER, None)
    with right, st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if files or name in SAMPLE_PHOTOS:
            st.caption("Samples", width="content")
            for sample, photo in SAMPLE_PHOTOS.items():
                _show_sample_button(sample, photo.title, "text")
        else:
            link_to(Page.LIVE, "Try the webcam")
    if name in SAMPLE_PHOTOS:
        photo = SAMPLE_PHOTOS[name]
        return [ChosenPhoto(photo.file.name, photo.file.read_bytes(), photo.credit)]
    if name:
        notice("warning", f"There is no sample photo {name!r}. Choose one of: {', '.join(SAMPLE_PHOTOS)}.")
    if _HANDED_OVER in st.session_state:
        return [st.session_state[_HANDED_OVER]]
    if not files:
        _show_samples()
    return [ChosenPhoto(file.name, file.getvalue()) for file in files]


def hand_over_photo(name: str, data_url: str) -> None:
    """Let Predict show a picture of another page when it opens next; it stays in this session's memory only."""
    content = base64.b64decode(data_url.partition(",")[2])
    st.session_state[_HANDED_OVER] = ChosenPhoto(name, content)


def _show_samples() -> None:
    """Show the samples as pictures, so that the page has something to look at before the first photo."""
    st.caption("Photos are processed on this machine and not stored. No photo at hand? Try a sample:")
    grid = st.grid(min_column_width=_CARD_PX, gap="small")
    for name, photo in SAMPLE_PHOTOS.items():
        with grid, st.container(border=True, gap="xsmall", height="stretch", key=f"sample-{name}"):
            st.image(sample_thumbnail(name), width="stretch", alt=photo.title)
            _show_sample_button(name, photo.title, "picture")
            st.caption(escape_markdown(photo.credit))


def _show_sample_button(name: str, title: str, key: str) -> None:
    if st.button(title, key=f"{key}-sample-{name}", icon=":material/photo:", type="tertiary"):
        kept = {each: value for each, value in st.query_params.to_dict().items() if each != QueryParam.SAMPLE}
        go_to(Page.PREDICT, **{**kept, str(QueryParam.SAMPLE): name})


def _leave_sample() -> None:
    """Show newly uploaded photos instead of the sample in the address."""
    st.query_params.pop(QueryParam.SAMPLE, None)
