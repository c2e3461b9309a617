"""What was corrected since a run was trained, in words."""

from __future__ import annotations

from dataclasses import replace

from fer_core.training.retraining import CorrectionsSince
from fer_ui.training.retrain_view import describe_corrections

SPLITS = {"train": 2, "valid": 0, "test": 1}
SINCE = CorrectionsSince(2, 1, 0, feedback=0, changed=3, by_split=SPLITS, before=0, newest=2)


def test_corrections_are_described_by_kind_and_split() -> None:
    assert describe_corrections(SINCE) == (
        "3 images corrected since this run was trained (2 relabeled and 1 excluded); "
        "of its split: 2 training and 1 test."
    )


def test_corrected_predictions_are_named_alone_or_beside() -> None:
    only = replace(SINCE, relabeled=0, excluded=0, changed=0, feedback=1)
    assert only.total == 1
    assert describe_corrections(only) == "1 corrected prediction in Feedback since this run was trained."
    both = replace(SINCE, feedback=4)
    assert both.total == 7 and describe_corrections(both).endswith("And 4 corrected predictions in Feedback.")
