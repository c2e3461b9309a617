"""The time limit of patterns."""

from __future__ import annotations

import pytest

from fer_core.data.manifest import Manifest
from fer_core.data.readers import pattern_limit
from fer_core.data.readers.pattern_limit import check_pattern_speed
from fer_core.errors import DatasetError

SLOW = "(a+)+$"
NAMES = [f"faces/{'a' * 60}!.png", "faces/b.png"]


def _manifest(**patterns: object) -> Manifest:
    return Manifest.model_validate({"id": "mine", "title": "", "summary": "", "license": ""} | patterns)


@pytest.mark.parametrize(
    "patterns", [{"label_pattern": SLOW}, {"identity_pattern": SLOW}, {"subgroup_patterns": {"age": SLOW}}]
)
def test_a_pattern_that_would_need_years_is_refused(patterns: dict[str, object]) -> None:
    """Searching it in-process would hang this test: each further letter doubles the time."""
    with pytest.raises(DatasetError) as caught:
        check_pattern_speed(_manifest(**patterns), NAMES, limit_s=0.5)
    assert all(part in str(caught.value) for part in (repr(SLOW), "2 file names", "s. ", "Simplify"))


def test_the_slow_one_of_several_patterns_is_named() -> None:
    manifest = _manifest(label_pattern="^([a-z]+)", identity_pattern=SLOW, subgroup_patterns={"age": "_([0-9]+)"})
    with pytest.raises(DatasetError, match=r"\(a\+\)\+\$"):
        check_pattern_speed(manifest, NAMES, limit_s=0.5)


def test_plain_patterns_pass_whatever_the_names() -> None:
    names = [*NAMES, "faces/\udcff\N{SNOWMAN}.png", "noslash"]
    check_pattern_speed(_manifest(label_pattern="^([a-z]+)", identity_pattern=r"(S\d+)_"), names)


def test_without_patterns_or_names_no_process_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern_limit.subprocess, "run", lambda *_args, **_options: pytest.fail("a process"))
    check_pattern_speed(_manifest(label_pattern=SLOW), [])
    check_pattern_speed(_manifest(), NAMES)
