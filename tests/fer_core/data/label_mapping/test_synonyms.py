"""Spellings of label names, and label codes, which are never guessed."""

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
def test_extra_words_in_a_label_are_ignored(text: str, expected: str) -> None:
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
def test_ambiguous_or_other_labels_are_not_guessed(text: str) -> None:
    assert parse_expression_name(text) is None


def test_manifest_labels_take_precedence() -> None:
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
def test_label_codes_are_parsed_in_any_spelling(raw: str, code: str) -> None:
    assert parse_code(raw) == code


def test_a_code_is_unknown_until_a_numbering_is_chosen() -> None:
    labels = build_label_map(EMPTY_MANIFEST, {}, {})
    assert not any(labels.is_known(str(code)) for code in range(10))
    with pytest.raises(DatasetError, match=r"'3'.*--map 3=fear.*--numbering fer2013\|affectnet\|rafdb"):
        labels.expression("3")
    affectnet = build_label_map(
        EMPTY_MANIFEST.model_copy(update={"labels": dict(NUMBERINGS["affectnet"].codes)}), {}, {}
    )
    assert affectnet.expression("3") is affectnet.expression("03") is affectnet.expression("3.0") is Expression.SURPRISE


def test_only_matching_numberings_are_offered() -> None:
    meanings = {str(numbering.codes.get("1")) for numbering in NUMBERINGS.values()}
    assert len(meanings) >= 4
    assert [numbering.name for numbering in matching_numberings(["1", "7"])] == [
        "fer2013",
        "affectnet",
        "rafdb",
        "ferplus",
        "ckplus",
        "alphabetical-8",
    ]
    assert "rafdb" not in [numbering.name for numbering in matching_numberings(["0", "1"])]
    assert matching_numberings(["happy"]) == matching_numberings([]) == matching_numberings(["0", "9"]) == []
    for numbering in NUMBERINGS.values():
        assert len(set(numbering.codes.values())) == len(numbering.codes)
    names = sorted(str(expression) for expression in NUMBERINGS["alphabetical-8"].codes.values())
    assert [str(expression) for expression in NUMBERINGS["alphabetical-8"].codes.values()] == names


def test_an_unknown_numbering_lists_what_the_known_ones_mean() -> None:
    with pytest.raises(DatasetError, match=r"'unknown'.*rafdb: 1 surprise, 2 fear"):
        get_numbering("unknown")
    assert format_numbering(get_numbering("rafdb")).endswith("7 neutral")


def test_synonyms_are_lowercase() -> None:
    assert all(name == name.lower() for name in SYNONYMS)
