"""The mapping from the labels of a dataset to the classes of a model that was trained on other data."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.evaluation.analysis.label_mapping import tabulate_mapping
from fer_core.labels import Expression
from fer_core.text import join_words
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.evaluation import Evaluation
from fer_ui.formatting import format_images
from fer_ui.resources import load_index
from fer_ui.theme import expression_title

_NO_CLASS = "left out"


def show_label_mapping(evaluation: Evaluation) -> None:
    """Show by which class of the model each label of the dataset is evaluated, folded, and what is left out."""
    images, dataset = evaluation.images, evaluation.dataset
    assert images is not None and dataset is not None
    table = tabulate_mapping(load_index(dataset).iloc[images.positions], images.labels)
    with st.expander("Label mapping", icon=":material/sync_alt:"):
        st.markdown(escape_markdown(describe_mapping(table, [str(label) for label in images.labels])))
        shown = pd.DataFrame(
            {
                f"Label in {dataset.title}": table["raw_label"],
                "Evaluated as": table["label"].where(table["known"], _NO_CLASS).map(_title),
                "Images": table["images"],
            }
        )
        st.dataframe(shown, hide_index=True, key=f"mapping-{evaluation.key}")


def describe_mapping(table: pd.DataFrame, labels: list[str]) -> str:
    """Say how many images of `tabulate_mapping` are left out, and which classes of the model no image has."""
    left_out = int(table.loc[~table["known"], "images"].sum())
    absent = [label for label in labels if label not in set(table["label"])]
    sentences = []
    if left_out:
        sentences.append(f"{format_images(left_out)} without a class of this model are left out.")
    if absent:
        sentences.append(f"No image is labeled {join_words(absent, 'or')}.")
    return " ".join(sentences) or "Every label of the dataset is a class of this model, and each class occurs."


def _title(label: str) -> str:
    return label if label == _NO_CLASS else expression_title(Expression(label))
