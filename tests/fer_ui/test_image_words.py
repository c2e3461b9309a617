"""What images are called on a page."""

from __future__ import annotations

import pandas as pd
import pytest

from fer_core.data.record import Split
from fer_core.data.votes import Unlabelled
from fer_ui.image_words import PARTS, REASONS, label_title, marks_of, part_title, reason_words, said


def test_every_part_and_reason_has_a_word_of_its_own() -> None:
    assert set(PARTS) == set(map(str, Split))
    assert set(map(str, Unlabelled)) < set(REASONS)
    assert len(set(REASONS.values())) == len(REASONS)
    assert (part_title("valid"), part_title(""), part_title("extra")) == ("Validation", "No part", "Extra")
    assert reason_words("not_a_face") == "not a face"
    assert reason_words("odd_one") == "odd one"


@pytest.mark.parametrize("missing", [None, pd.NA, float("nan")])
def test_a_missing_label_gives_its_reason(missing: object) -> None:
    assert label_title({"label": "fear", "unlabelled": ""}) == "Fear"
    assert label_title({"label": missing, "unlabelled": "tie"}) == "Tied votes"
    assert label_title({"label": missing, "unlabelled": missing}) == "No label"
    assert said({"split": missing}, "split") == said({}, "split") == ""


def test_marks_are_those_that_are_set() -> None:
    assert marks_of({"excluded": True, "disputed": False, "relabelled": True}) == ["excluded", "relabelled"]
    assert marks_of({}) == []
