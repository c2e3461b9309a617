"""The caption of label errors says when the model may have learned the labels that it judges."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fer_core.evaluation.analysis.label_errors import find_label_errors
from fer_ui.evaluation.label_error_view import describe_method
from tests.support.evaluated import make_evaluated, make_judged


@pytest.mark.parametrize(
    ("split", "complete", "selected", "incomplete"),
    [("test", True, False, False), ("valid", True, True, False), ("test", False, False, True)],
)
def test_caveats_are_given_where_they_hold(split: str, complete: bool, selected: bool, incomplete: bool) -> None:
    errors = find_label_errors(make_evaluated(make_judged(200)))
    evaluation: Any = SimpleNamespace(split=split, predictions=SimpleNamespace(of_run=True, complete=complete))
    text = describe_method(errors, evaluation)
    assert ("chosen on them" in text) == selected
    assert ("is incomplete" in text) == incomplete
