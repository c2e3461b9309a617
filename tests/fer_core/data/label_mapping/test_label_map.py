from __future__ import annotations

import pytest

from fer_core.data.label_mapping.label_map import IGNORED_LABEL, NO_LABEL, LabelMap, build_label_map, parse_assignments
from fer_core.data.label_mapping.synonyms import SYNONYMS
from fer_core.errors import DatasetError, InputError
from fer_core.labels import Expression
from tests.support.sources import EMPTY_MANIFEST


def _label_map(labels: dict[str, Expression | None] | None = None, **others: dict[str, object]) -> LabelMap:
    codes, unlabeled = others.get("codes", {}), others.get("unlabeled", {})
    return build_label_map(EMPTY_MANIFEST.model_copy(update={"labels": labels or {}}), codes, unlabeled)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "expression"),
    [("Happy", "happiness"), ("SAD", "sadness"), ("fear", "fear"), ("Surprised", "surprise"), ("normal", "neutral")],
)
def test_common_label_names_are_mapped_in_any_case(raw: str, expression: str) -> None:
    labels = _label_map()
    assert labels.is_known(raw)
    assert labels.expression(raw) is Expression(expression)
    assert labels.unlabeled_reason(raw) == ""


def test_every_expression_name_is_a_synonym() -> None:
    assert {SYNONYMS[str(expression)] for expression in Expression} == set(Expression)
    assert all(name == name.lower() for name in SYNONYMS)


def test_an_unknown_label_is_an_error_with_a_remedy() -> None:
    labels = _label_map()
    assert not labels.is_known("bored")
    for lookup in (labels.expression, labels.unlabeled_reason):
        with pytest.raises(DatasetError, match=r"'bored'.*--map bored=fear.*--map bored=-.*manifest"):
            lookup("bored")


def test_manifest_labels_take_precedence_over_codes_and_synonyms() -> None:
    codes = {"0": Expression.ANGER, "1": Expression.FEAR, "happy": Expression.SADNESS}
    labels = _label_map({"1": Expression.DISGUST, "Happy": Expression.SURPRISE, "Bored": None}, codes=codes)
    assert labels.expression("0") is Expression.ANGER
    assert labels.expression("1") is Expression.DISGUST
    assert labels.expression("happy") is Expression.SURPRISE
    assert labels.expression("sad") is Expression.SADNESS
    assert (labels.is_known("bored"), labels.expression("BORED"), labels.unlabeled_reason("bored")) == (
        True,
        None,
        IGNORED_LABEL,
    )


def test_missing_labels_and_unlabeled_reasons_have_no_expression() -> None:
    labels = _label_map(unlabeled={"9": "unknown", "8": IGNORED_LABEL})
    assert (labels.is_known(""), labels.expression(""), labels.unlabeled_reason("")) == (True, None, NO_LABEL)
    assert (labels.is_known("9"), labels.expression("9"), labels.unlabeled_reason("9")) == (True, None, "unknown")
    assert labels.unlabeled_reason("8") == IGNORED_LABEL
    for name in ("tie", "unknown", "not_a_face"):
        assert (labels.expression(name), labels.unlabeled_reason(name)) == (None, name)


def test_the_manifest_can_map_an_unlabeled_code_to_an_expression() -> None:
    labels = _label_map({"8": Expression.CONTEMPT, "Unknown": None}, unlabeled={"8": IGNORED_LABEL})
    assert (labels.expression("8"), labels.unlabeled_reason("8")) == (Expression.CONTEMPT, "")
    assert labels.unlabeled_reason("unknown") == IGNORED_LABEL


def test_assignments_are_parsed() -> None:
    pairs = ["joy=happiness", "other=-", "a=b=fear", "Bored= - "]
    assert parse_assignments(pairs) == {
        "joy": Expression.HAPPINESS,
        "other": None,
        "a=b": Expression.FEAR,
        "Bored": None,
    }
    assert parse_assignments([]) == {}


@pytest.mark.parametrize("pair", ["joy", "=fear", ""])
def test_an_invalid_assignment_is_an_error_that_shows_the_syntax(pair: str) -> None:
    with pytest.raises(DatasetError, match="RAW=EXPRESSION"):
        parse_assignments([pair])


def test_an_assignment_to_an_unknown_expression_names_it() -> None:
    with pytest.raises(InputError, match="glee"):
        parse_assignments(["joy=glee"])
