"""Feedback on a prediction: the face is saved with its right expression, in a dataset that Training can use."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from fer_core.data.feedback import FEEDBACK, CorrectedFace, forget_feedback, save_feedback
from fer_core.data.training_images import pixel_hash
from fer_core.inference.predictor import FacePrediction
from fer_core.labels import Expression
from fer_core.settings import settings
from fer_core.text import capitalize_first
from fer_ui.errors import show_errors
from fer_ui.navigation import Page, link_to
from fer_ui.training.retrain_view import show_feedback_retraining_link

_CONSENT = (
    "Saving keeps the face, cut out of the photo, in the dataset Feedback on this machine. You can delete it there at "
    "any time."
)
_WIDTH_PX = 420


def show_feedback(key: str, faces: Sequence[FacePrediction]) -> None:
    """Offer to say what a face really shows, and to save it with that expression.

    Args:
        key: of the photo, unique on the page.
    """
    if not faces:
        return
    key = f"{key}-{pixel_hash(faces[0].crop)[:12]}"  # another photo in its place starts anew
    popover = st.popover("Correct a prediction", icon=":material/edit:", width="content")
    with popover, st.container(width=_WIDTH_PX, gap="small"):
        number = _choose_face(key, faces)
        chosen = st.pills(
            "It shows", list(Expression), key=f"feedback-label-{key}-{number}", format_func=capitalize_first
        )
        disputed = st.checkbox("People would disagree about it", key=f"feedback-ambiguous-{key}-{number}")
        agreed = st.checkbox("The person in the photo agrees to it", key=f"feedback-consent-{key}")
        st.caption(_CONSENT)
        if st.button("Save the face", key=f"feedback-save-{key}", type="primary", disabled=not (chosen and agreed)):
            assert chosen is not None
            _save(key, CorrectedFace(faces[number].crop, chosen, is_ambiguous=disputed))
        _show_saved(key)


def _choose_face(key: str, faces: Sequence[FacePrediction]) -> int:
    """Choose one of several faces; its number, from 0."""
    if len(faces) == 1:
        return 0
    return st.selectbox(
        "Face",
        range(len(faces)),
        key=f"feedback-face-{key}",
        format_func=lambda number: f"Face {number + 1}: {faces[number].label}",
    )


def _save(key: str, face: CorrectedFace) -> None:
    with show_errors():
        save_feedback([face], settings())
        saved = st.session_state.setdefault(f"feedback-saved-{key}", {})
        saved[face.id] = face.label


def _show_saved(key: str) -> None:
    """Say what was saved from this photo, with its undo and the ways on."""
    saved: dict[str, Expression] = st.session_state.get(f"feedback-saved-{key}", {})
    if not saved:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        last = list(saved.values())[-1]
        st.markdown(f":green[:material/check:] Saved as {last}." if len(saved) == 1 else f"{len(saved)} faces saved.")
        st.button("Undo", key=f"feedback-undo-{key}", type="tertiary", on_click=_forget, args=(key,))
        link_to(Page.DATASETS, "Show in Feedback", dataset=FEEDBACK, section="faces")
    show_feedback_retraining_link()


def _forget(key: str) -> None:
    """Delete the face that was saved last, in a callback."""
    saved: dict[str, Expression] = st.session_state[f"feedback-saved-{key}"]
    with show_errors():
        forget_feedback([saved.popitem()[0]], settings())
