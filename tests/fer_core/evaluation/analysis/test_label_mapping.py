"""The label mapping counts every image once, under its own label and the class that judges it."""

from __future__ import annotations

import pandas as pd

from fer_core.evaluation.analysis.label_mapping import tabulate_mapping
from fer_core.labels import Expression
from fer_ui.evaluation.label_mapping_view import describe_mapping


def test_labels_without_a_class_are_left_out() -> None:
    rows = pd.DataFrame(
        {"raw_label": ["joy", "joy", "scorn", "?"], "label": ["happiness", "happiness", "contempt", None]},
        dtype="category",
    )
    labels = (Expression.HAPPINESS, Expression.FEAR)
    table = tabulate_mapping(rows, labels)
    assert table["images"].sum() == 4
    assert table.iloc[0].to_dict() == {"raw_label": "joy", "label": "happiness", "known": True, "images": 2}
    assert table.set_index("raw_label")["known"].to_dict() == {"joy": True, "scorn": False, "?": False}
    text = describe_mapping(table, [str(label) for label in labels])
    assert text == "2 images without a class of this model are left out. No image is labeled fear."


def test_a_complete_mapping_says_so() -> None:
    table = tabulate_mapping(pd.DataFrame({"raw_label": ["1"], "label": ["fear"]}), (Expression.FEAR,))
    assert describe_mapping(table, ["fear"]).startswith("Every label")
