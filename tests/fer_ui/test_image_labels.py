"""What images are called on a page."""

from __future__ import annotations

import pandas as pd
import pytest

from fer_core.data.record import Split
from fer_core.data.votes import Unlabeled
from fer_ui.image_labels import REASONS, SPLITS, label_title, marks_of, part_title, reason_words, said


def test_every_part_and_reason_has_a_word_of_its_own() -> None:
    assert set(SPLITS) == set(map(str, Split))
    assert set(map(str, Unlabeled)) < set(REASONS)
    assert len(set(REASONS.values())) == len(REASONS)
    assert (part_title("valid"), part_title(""), part_title("extra")) == ("Validation", "No part", "Extra")
    assert reason_words("not_a_face") == "not a face"
    assert reason_words("odd_one") == "odd one"


@pytest.mark.parametrize("missing", [None, pd.NA, float("nan")])
def test_a_missing_label_gives_its_reason(missing: object) -> None:
    assert label_title({"label": "fear", "unlabeled": ""}) == "Fear"
    assert label_title({"label": missing, "unlabeled": "tie"}) == "Tied votes"
    assert label_title({"label": missing, "unlabeled": missing}) == "No label"
    assert said({"split": missing}, "split") == said({}, "split") == ""


def test_marks_are_those_that_are_set() -> None:
    assert marks_of({"excluded": True, "ambiguous": False, "relabeled": True}) == ["excluded", "relabeled"]
    assert marks_of({}) == []
