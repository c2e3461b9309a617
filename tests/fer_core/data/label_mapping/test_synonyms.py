"""Labels as people write them, and numbers, which are never guessed."""

from __future__ import annotations

import pytest

from fer_core.data.label_mapping.label_map import build_label_map
from fer_core.data.label_mapping.numberings import (
    NUMBERINGS,
    format_numbering,
    get_numbering,
    matching_numberings,
    parse_code,
)
from fer_core.data.label_mapping.synonyms import SYNONYMS, parse_expression_name
from fer_core.errors import DatasetError
from fer_core.labels import Expression
from tests.support.sources import EMPTY_MANIFEST


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0_happy", "happiness"),
        ("01-Angry", "anger"),
        ("SAD faces", "sadness"),
        ("neutral_face", "neutral"),
        ("Anger (angry)", "anger"),
        ("HappyFaces", "happiness"),
        ("Happy ", "happiness"),
        ("class_surprised", "surprise"),
        ("train_fear", "fear"),
        ("No Emotion", "neutral"),
        ("no_emotion", "neutral"),
        ("CONTEMPT", "contempt"),
    ],
)
def test_words_that_add_nothing_do_not_matter(text: str, expected: str) -> None:
    assert parse_expression_name(text) is Expression(expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "7",
        "not_happy",
        "non neutral",
        "happily surprised",
        "sad_angry",
        "happy_dog",
        "unhappy",
        "faces",
        "s01",
        "other",
    ],
)
def test_words_that_say_something_else_or_two_things_are_not_guessed(text: str) -> None:
    assert parse_expression_name(text) is None


def test_a_manifest_has_the_last_word() -> None:
    labels = build_label_map(
        EMPTY_MANIFEST.model_copy(update={"labels": {"happy face": Expression.CONTEMPT, "sad faces": None}}), {}, {}
    )
    assert labels.expression("Happy Face") is Expression.CONTEMPT
    assert (labels.expression("sad faces"), labels.unlabeled_reason("sad faces")) == (None, "left_out")
    assert labels.expression("happy_faces") is Expression.HAPPINESS


@pytest.mark.parametrize(
    ("raw", "code"),
    [("0", "0"), ("07", "7"), ("3.0", "3"), (" 2 ", "2"), ("x", ""), ("1.5", ""), ("-1", ""), ("", ""), ("²", "")],
)
def test_numbers_are_told_however_they_are_written(raw: str, code: str) -> None:
    assert parse_code(raw) == code


def test_a_number_is_no_label_until_someone_says_whose_it_is() -> None:
    plain = build_label_map(EMPTY_MANIFEST, {}, {})
    assert not any(plain.is_known(str(code)) for code in range(10))
    with pytest.raises(DatasetError, match=r"'3'.*--map 3=fear.*--numbering fer2013\|affectnet\|rafdb"):
        plain.expression("3")
    affectnet = build_label_map(
        EMPTY_MANIFEST.model_copy(update={"labels": dict(NUMBERINGS["affectnet"].codes)}), {}, {}
    )
    assert affectnet.expression("3") is affectnet.expression("03") is affectnet.expression("3.0") is Expression.SURPRISE


def test_known_numberings_disagree_and_only_those_that_fit_are_offered() -> None:
    meanings = {str(each.codes.get("1")) for each in NUMBERINGS.values()}
    assert len(meanings) >= 4
    assert [each.name for each in matching_numberings(["1", "7"])] == [
        "fer2013",
        "affectnet",
        "rafdb",
        "ferplus",
        "ckplus",
        "alphabetical-8",
    ]
    assert "rafdb" not in [each.name for each in matching_numberings(["0", "1"])]
    assert matching_numberings(["happy"]) == matching_numberings([]) == matching_numberings(["0", "9"]) == []
    for each in NUMBERINGS.values():
        assert len(set(each.codes.values())) == len(each.codes)
    names = sorted(str(expression) for expression in NUMBERINGS["alphabetical-8"].codes.values())
    assert [str(expression) for expression in NUMBERINGS["alphabetical-8"].codes.values()] == names


def test_an_unknown_numbering_lists_what_the_known_ones_mean() -> None:
    with pytest.raises(DatasetError, match=r"'mine'.*rafdb: 1 surprise, 2 fear"):
        get_numbering("mine")
    assert format_numbering(get_numbering("rafdb")).endswith("7 neutral")


def test_synonyms_are_in_small_letters() -> None:
    assert all(word == word.lower() for word in SYNONYMS)
