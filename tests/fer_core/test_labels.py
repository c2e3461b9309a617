from __future__ import annotations

import pytest

from fer_core.errors import InputError
from fer_core.labels import LABEL_SETS, Expression, label_set


def test_the_expressions_are_in_affectnets_order() -> None:
    assert [str(expression) for expression in Expression] == [
        "neutral",
        "happiness",
        "sadness",
        "surprise",
        "fear",
        "disgust",
        "anger",
        "contempt",
    ]


@pytest.mark.parametrize("name", ["fear", " Fear ", "FEAR"])
def test_an_expression_is_parsed_by_name(name: str) -> None:
    assert Expression.parse(name) is Expression.FEAR


@pytest.mark.parametrize("name", ["", "happy", "3"])
def test_an_unknown_name_lists_the_choices(name: str) -> None:
    with pytest.raises(InputError) as error:
        Expression.parse(name)
    assert repr(name) in str(error.value)
    assert all(str(expression) in str(error.value) for expression in Expression)


def test_label_sets_have_the_sizes_of_their_names_and_no_duplicates() -> None:
    sizes = {name: len(labels) for name, labels in LABEL_SETS.items()}
    assert sizes == {"eight": 8, "seven": 7, "four": 4, "three": 3}
    for name, labels in LABEL_SETS.items():
        assert labels.name == name
        assert len(set(labels)) == len(labels)


def test_the_set_of_seven_lacks_only_contempt() -> None:
    assert set(Expression) - set(label_set("seven")) == {Expression.CONTEMPT}


@pytest.mark.parametrize("name", LABEL_SETS)
def test_an_index_is_the_position_among_the_outputs(name: str) -> None:
    labels = label_set(name)
    assert [labels.index(expression) for expression in labels] == list(range(len(labels)))


def test_an_unknown_label_set_lists_the_choices() -> None:
    with pytest.raises(InputError, match=r"'six'.*eight, seven, four, three"):
        label_set("six")
