from __future__ import annotations

import pytest

from fer_core.data.label_mapping.label_map import IGNORED_LABEL, NO_LABEL, LabelMap, build_label_map, parse_assignments
from fer_core.data.label_mapping.synonyms import SYNONYMS
from fer_core.data.manifest import Manifest
from fer_core.errors import DatasetError, InputError
from fer_core.labels import Expression

EMPTY_MANIFEST = Manifest(id="mine", title="Mine", summary="", license="MIT", layout="folders")


def _map(labels: dict[str, Expression | None] | None = None, **others: dict[str, object]) -> LabelMap:
    codes, unlabeled = others.get("codes", {}), others.get("unlabeled", {})
    return build_label_map(EMPTY_MANIFEST.model_copy(update={"labels": labels or {}}), codes, unlabeled)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "expression"),
    [("Happy", "happiness"), ("SAD", "sadness"), ("fear", "fear"), ("Surprised", "surprise"), ("normal", "neutral")],
)
def test_common_words_are_understood_in_any_case(raw: str, expression: str) -> None:
    labels = _map()
    assert labels.is_known(raw)
    assert labels.expression(raw) is Expression(expression)
    assert labels.unlabeled_reason(raw) == ""


def test_every_expression_is_its_own_word() -> None:
    assert {SYNONYMS[str(expression)] for expression in Expression} == set(Expression)
    assert all(word == word.lower() for word in SYNONYMS)


def test_what_is_not_known_is_an_error_that_says_what_to_write() -> None:
    labels = _map()
    assert not labels.is_known("bored")
    for ask in (labels.expression, labels.unlabeled_reason):
        with pytest.raises(DatasetError, match=r"'bored'.*--map bored=fear.*--map bored=-.*manifest"):
            ask("bored")


def test_the_manifest_goes_before_codes_and_words() -> None:
    codes = {"0": Expression.ANGER, "1": Expression.FEAR, "happy": Expression.SADNESS}
    labels = _map({"1": Expression.DISGUST, "Happy": Expression.SURPRISE, "Bored": None}, codes=codes)
    assert labels.expression("0") is Expression.ANGER
    assert labels.expression("1") is Expression.DISGUST
    assert labels.expression("happy") is Expression.SURPRISE
    assert labels.expression("sad") is Expression.SADNESS
    assert (labels.is_known("bored"), labels.expression("BORED"), labels.unlabeled_reason("bored")) == (
        True,
        None,
        IGNORED_LABEL,
    )


def test_no_label_and_reasons_are_no_expressions() -> None:
    labels = _map(unlabeled={"9": "unknown", "8": IGNORED_LABEL})
    assert (labels.is_known(""), labels.expression(""), labels.unlabeled_reason("")) == (True, None, NO_LABEL)
    assert (labels.is_known("9"), labels.expression("9"), labels.unlabeled_reason("9")) == (True, None, "unknown")
    assert labels.unlabeled_reason("8") == IGNORED_LABEL
    for word in ("tie", "unknown", "not_a_face"):
        assert (labels.expression(word), labels.unlabeled_reason(word)) == (None, word)


def test_the_manifest_can_give_a_reason_an_expression() -> None:
    labels = _map({"8": Expression.CONTEMPT, "Unknown": None}, unlabeled={"8": IGNORED_LABEL})
    assert (labels.expression("8"), labels.unlabeled_reason("8")) == (Expression.CONTEMPT, "")
    assert labels.unlabeled_reason("unknown") == IGNORED_LABEL


def test_assignments_are_read() -> None:
    pairs = ["joy=happiness", "other=-", "a=b=fear", "Bored= - "]
    assert parse_assignments(pairs) == {
        "joy": Expression.HAPPINESS,
        "other": None,
        "a=b": Expression.FEAR,
        "Bored": None,
    }
    assert parse_assignments([]) == {}


@pytest.mark.parametrize("pair", ["joy", "=fear", ""])
def test_what_is_no_assignment_is_an_error_that_shows_one(pair: str) -> None:
    with pytest.raises(DatasetError, match="RAW=EXPRESSION"):
        parse_assignments([pair])


def test_an_assignment_to_no_expression_names_it() -> None:
    with pytest.raises(InputError, match="glee"):
        parse_assignments(["joy=glee"])
