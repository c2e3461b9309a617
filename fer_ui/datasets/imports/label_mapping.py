"""The mapping of an import's labels to expressions."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from fer_core.data.ingest.import_folder import Import
from fer_core.data.ingest.preview import ImportPreview
from fer_core.data.label_mapping.numberings import apply_numbering
from fer_core.data.manifest import Manifest
from fer_core.labels import Expression
from fer_ui.datasets.imports.preview_choices import choose_numbering
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count, format_images
from fer_ui.frame.header import notice
from fer_ui.theme import expression_title

IGNORED, UNDECIDED = "Ignore", "Choose…"
EXPRESSIONS = [expression_title(expression) for expression in Expression]
LABELS_MAX = 48
"""More labels than this are probably not labels of expressions."""

_CHOICES = [*EXPRESSIONS, IGNORED, UNDECIDED]
_LABELS_PER_ROW = 4


class _Label(NamedTuple):
    raw: str
    number: int
    mapped_to: str


def choose_labels(work: Import, preview: ImportPreview) -> dict[str, str]:
    """Ask which expression each label maps to; labels that are not known come first.

    Returns:
        the title of an expression, `IGNORED` or `UNDECIDED` by label.
    """
    st.markdown("**Label mapping**")
    key = f"{work.id}-{preview.manifest.id}-{preview.manifest.layout}-{preview.manifest.columns}"
    numbering = choose_numbering(preview, key)
    numbered = apply_numbering(numbering, preview.unknown_labels) if numbering else {}
    key += numbering.name if numbering else ""
    shown = [
        label._replace(mapped_to=expression_title(numbered[label.raw])) if label.raw in numbered else label
        for label in sorted(_list_labels(preview), key=lambda label: label.mapped_to != UNDECIDED)[:LABELS_MAX]
    ]
    chosen: dict[str, str] = {}
    for first in range(0, len(shown), _LABELS_PER_ROW):
        for cell, label in zip(st.columns(_LABELS_PER_ROW), shown[first : first + _LABELS_PER_ROW], strict=False):
            title = escape_markdown(f"{label.raw or '(no label)'}, {format_images(label.number)}")
            index = _CHOICES.index(label.mapped_to)
            chosen[label.raw] = cell.selectbox(
                title, _CHOICES, index=index, key=f"mapped_to-{key}-{label.raw}", persist_state="session"
            )
    if len(preview.labels) > LABELS_MAX:
        number = format_count(len(preview.labels))
        notice("warning", f"There are {number} different labels. The label column is probably another one.")
    return chosen


def _list_labels(preview: ImportPreview) -> list[_Label]:
    labels = []
    columns = ["raw", "count", "expression", "known"]
    for raw, number, expression, known in preview.labels[columns].itertuples(index=False):
        # Streamlit's cache may return strings and NaN for expressions and None.
        mapped_to = expression_title(Expression(expression)) if isinstance(expression, str) else IGNORED
        labels.append(_Label(str(raw), int(number), mapped_to if known else UNDECIDED))
    return labels


def with_labels(manifest: Manifest, preview: ImportPreview, labels: dict[str, str]) -> Manifest:
    """Add the choices that differ from the proposal to the manifest."""
    titles = {expression_title(expression): expression for expression in Expression}
    proposed = {label.raw: label.mapped_to for label in _list_labels(preview)}
    changed = {raw: titles.get(mapped_to) for raw, mapped_to in labels.items() if mapped_to != proposed[raw]}
    return manifest.model_copy(update={"labels": manifest.labels | changed})
