from __future__ import annotations

import pytest

from fer_core.errors import InputError
from fer_core.ids import check_id, new_id, slug


@pytest.mark.parametrize(
    "name", ["a", "0", "ferplus", "synthetic-faces", "20260131-142501-small-k3x9", "a.b_c", "x" * 80]
)
def test_a_valid_id_is_returned(name: str) -> None:
    assert check_id(name, "run") == name


@pytest.mark.parametrize(
    "name",
    ["", "A", "-a", ".a", "_a", "a/b", "a\\b", "..", "a..b", "../a", "a b", "ä", "a\n", "x" * 81, "/etc", "a\0b", "~"],
)
def test_an_invalid_id_is_refused_with_its_value_and_kind(name: str) -> None:
    with pytest.raises(InputError) as error:
        check_id(name, "dataset")
    assert repr(name) in str(error.value)
    assert "dataset id" in str(error.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("My Faces (2)", "my-faces-2"), ("Größe", "gr-e"), ("../../etc", "etc"), ("!!!", "unnamed"), ("", "unnamed")],
)
def test_any_text_has_a_slug(text: str, expected: str) -> None:
    assert slug(text) == expected


@pytest.mark.parametrize("text", ["A" * 500, "日本語", "a--b", " .hidden", "x/y" * 40])
def test_a_slug_is_a_valid_id(text: str) -> None:
    assert check_id(slug(text), "dataset")


def test_new_ids_are_unique_readable_and_valid() -> None:
    ids = {new_id("Small Net " * 20) for _ in range(1000)}
    assert len(ids) == 1000
    for run_id in ids:
        assert check_id(run_id, "run")
        assert "small-net" in run_id
