"""A model on a page: its figures with their intervals, its facts and card, and the button that puts it to use."""

from __future__ import annotations

from typing import Any

import streamlit as st

from fer_core.inference.card import model_card
from fer_core.inference.catalog import ModelEntry, use_model
from fer_core.settings import settings
from fer_ui.errors import shown_errors
from fer_ui.header import Headline, headline
from fer_ui.numbers import count, interval, percent
from fer_ui.pages import Page, link_to
from fer_ui.words import plain

_KINDS = {"shipped": "ships with FERscope", "run": "a run of this store", "imported": "imported"}
_PARTS = {"test": "test part", "valid": "validation part"}


def show_model(model: ModelEntry, *, in_use: bool) -> None:
    """One model in a frame of its own."""
    about = model.about
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{plain(about.title)}**", width="stretch")
            if in_use:
                st.badge("In use", icon=":material/check:", color="green")
            elif st.button("Use it", key=f"use-{model.id}"):
                with shown_errors():
                    use_model(model.id, settings())
                    st.rerun()
        facts = [_KINDS[model.kind], model.id, f"{count(about.parameters)} parameters", f"trained on {about.dataset}"]
        st.caption(plain(", ".join(fact for fact in facts if fact)))
        if about.drawn:
            st.caption(":material/draw: Trained on drawings: its figures say nothing about people.")
        if about.figures.get("n"):
            _figures(about.figures)
        if model.kind == "run":
            link_to(Page.EVALUATION, "Confusion matrix", run=model.id)
        with st.expander("Model card"):
            st.markdown(_card(model))


def _figures(figures: dict[str, Any]) -> None:
    bounds = figures.get("intervals") or {}
    names = {"macro_f1": "Macro-F1", "balanced_accuracy": "Balanced accuracy", "accuracy": "Accuracy"}
    headline(
        [
            Headline(title, percent(figures[name]), f"95 %: {interval(*bounds[name])}" if name in bounds else "")
            for name, title in names.items()
        ]
    )
    part = _PARTS.get(figures["part"], figures["part"])
    st.caption(f"On the {count(figures['n'])} labelled images of the {part}, accurate point.")


def _card(model: ModelEntry) -> str:
    card = model.folder / "card.md"
    text = card.read_text() if card.is_file() else model_card(model.about, model.folder / "report.json")
    # The frame has the title already; what is left starts one level lower.
    return "\n".join(f"##{line}" if line.startswith("## ") else line for line in text.splitlines()[1:])
