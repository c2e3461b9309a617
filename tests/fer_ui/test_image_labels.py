"""Labels of images on a page."""

from __future__ import annotations

import pandas as pd
import pytest

from fer_core.data.record import Split
from fer_core.data.votes import Unlabeled
from fer_ui.image_labels import (
    UNLABELED_REASONS,
    describe_reason,
    get_marks,
    get_text,
    label_title,
    split_title,
)


def test_every_split_and_reason_has_its_own_name() -> None:
    assert len({split_title(split) for split in Split}) == len(Split)
    assert set(map(str, Unlabeled)) < set(UNLABELED_REASONS)
    assert len(set(UNLABELED_REASONS.values())) == len(UNLABELED_REASONS)
    assert (split_title("valid"), split_title(""), split_title("extra")) == ("Validation", "No split", "Extra")
    assert describe_reason("not_a_face") == "not a face"
    assert describe_reason("odd_one") == "odd one"


@pytest.mark.parametrize("missing", [None, pd.NA, float("nan")])
def test_a_missing_label_gives_its_reason(missing: object) -> None:
    assert label_title({"label": "fear", "unlabeled": ""}) == "Fear"
    assert label_title({"label": missing, "unlabeled": "tie"}) == "Tied votes"
    assert label_title({"label": missing, "unlabeled": missing}) == "No label"
    assert get_text({"split": missing}, "split") == get_text({}, "split") == ""


def test_marks_are_listed() -> None:
    assert get_marks({"excluded": True, "ambiguous": False, "relabeled": True}) == ["excluded", "relabeled"]
    assert get_marks({}) == []
