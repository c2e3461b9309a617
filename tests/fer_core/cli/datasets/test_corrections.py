from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from fer_core.data.catalog import open_dataset
from fer_core.settings import Settings
from tests.commands import Command, commands, is_one_clear_line
from tests.faulty import BLANK, COPY_IN_TRAINING, ID, TESTED, TWICE, UNREADABLE, import_faulty

CORRECT = ("datasets", "correct", ID)


@pytest.fixture
def command(store: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    import_faulty(tmp_path / "faces", store)
    return commands(capsys)


def marked(store: Settings, mark: str) -> set[str]:
    index = open_dataset(ID, store).index(["id"])
    return set(index["id"][index[mark]])


def test_images_are_excluded_relabeled_ambiguous_and_restored(command: Command, store: Settings) -> None:
    done = command(*CORRECT, "--exclude", "--ids", BLANK, UNREADABLE, "--note", "seen", "--json").json
    assert (done["version"], done["action"], done["n"], done["note"]) == (1, "exclude", 2, "seen")
    assert done["reason"] == "by hand"
    assert done["counts"] == {"excluded": 2, "relabeled": 0, "ambiguous": 0}
    assert command(*CORRECT, "--relabel", "happiness", "--ids", TESTED, "--json").json["label"] == "happiness"
    assert (
        command(*CORRECT, "--ambiguous", "--ids", TWICE[0], "--reason", "unclear", "--json").json["reason"] == "unclear"
    )
    index = open_dataset(ID, store).index(["id", "label"]).set_index("id")
    assert index.loc[TESTED, "label"] == "happiness"
    assert marked(store, "ambiguous") == {TWICE[0]}
    assert command(*CORRECT, "--restore", "--ids", BLANK, TESTED, "--json").json["version"] == 4
    assert marked(store, "excluded") == {UNREADABLE}
    assert marked(store, "relabeled") == set()


def test_a_whole_finding_is_corrected_as_its_remedy_says(command: Command, store: Settings) -> None:
    done = command(*CORRECT, "--exclude", "--finding", "exact_duplicate", "--json").json
    assert (done["n"], done["reason"]) == (2, "exact_duplicate")
    assert marked(store, "excluded") == {COPY_IN_TRAINING, TWICE[1]}  # one of each group stays
    command(*CORRECT, "--undo", 1)
    command(*CORRECT, "--ambiguous", "--finding", "conflict")
    assert marked(store, "ambiguous") == {TESTED, COPY_IN_TRAINING}
    command(*CORRECT, "--restore", "--finding", "conflict")
    assert marked(store, "ambiguous") == set()


def test_changes_are_undone_redone_and_told(command: Command, store: Settings) -> None:
    assert command(*CORRECT, "--history").out == "Nothing was corrected yet.\n"
    command(*CORRECT, "--exclude", "--finding", "blank")
    assert command(*CORRECT, "--undo", 1, "--json").json["undoes"] == 1
    assert marked(store, "excluded") == set()
    assert "Version 2 is undone" in command(*CORRECT, "--undo", 2).out
    assert marked(store, "excluded") == {BLANK}
    history = command(*CORRECT, "--history", "--json").json
    assert [change["version"] for change in history] == [3, 2, 1]
    assert [change["undone"] for change in history] == [False, True, False]
    assert "blank" in command(*CORRECT, "--history").out


def test_what_is_marked_is_exported(command: Command, tmp_path: Path) -> None:
    command(*CORRECT, "--relabel", "anger", "--ids", TWICE[0])
    out = tmp_path / "marked.csv"
    assert command(*CORRECT, "--export", out, "--json").json == {"id": ID, "n": 1, "out": str(out)}
    row = pd.read_csv(out).iloc[0]
    assert (row["id"], row["action"], row["from_label"], row["to_label"]) == (TWICE[0], "relabel", "happiness", "anger")


def test_bad_input_is_one_clear_line_and_changes_nothing(command: Command, store: Settings, tmp_path: Path) -> None:
    is_one_clear_line(command("datasets", "correct", "none", "--history"), "'none'")
    is_one_clear_line(command(*CORRECT, "--exclude"), "--ids", "--finding")
    is_one_clear_line(command(*CORRECT, "--exclude", "--ids", "nobody.png"), "'nobody.png'")
    is_one_clear_line(command(*CORRECT, "--relabel", "joyful", "--ids", BLANK), "'joyful'", "happiness")
    is_one_clear_line(command(*CORRECT, "--exclude", "--finding", "tiny"), "tiny", "Nothing was changed")
    is_one_clear_line(command(*CORRECT, "--exclude", "--finding", "no_face"), "not searched")
    is_one_clear_line(command(*CORRECT, "--restore", "--finding", "blank"), "reason blank", "--export")
    is_one_clear_line(command(*CORRECT, "--undo", 1), "no version 1")
    is_one_clear_line(command(*CORRECT, "--undo", 1, "--ids", BLANK), "--exclude")
    (tmp_path / "file").write_text("")
    is_one_clear_line(command(*CORRECT, "--export", tmp_path / "file" / "x.csv"), "can't be written")
    assert open_dataset(ID, store).corrections().version == 0


@pytest.mark.parametrize("arguments", [(), ("--exclude", "--ambiguous"), ("--exclude", "--ids", "a", "--finding", "b")])
def test_unclear_usage_ends_with_two(arguments: tuple[str, ...], command: Command) -> None:
    with pytest.raises(SystemExit) as ended:
        command(*CORRECT, *arguments)
    assert ended.value.code == 2
