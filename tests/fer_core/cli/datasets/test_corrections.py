from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from fer_core.data.catalog import open_dataset
from fer_core.settings import Settings
from tests.support.commands import Cli, assert_input_error, cli_runner
from tests.support.faulty_dataset import BLANK, DUPLICATES, ID, TEST_COPY, TRAIN_COPY, UNREADABLE, import_faulty

CORRECT = ("datasets", "correct", ID)


@pytest.fixture
def cli(store: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    import_faulty(tmp_path / "faces", store)
    return cli_runner(capsys)


def ids_with_mark(store: Settings, mark: str) -> set[str]:
    index = open_dataset(ID, store).index(["id"])
    return set(index["id"][index[mark]])


def test_images_are_excluded_relabeled_ambiguous_and_restored(cli: Cli, store: Settings) -> None:
    result = cli(*CORRECT, "--exclude", "--ids", BLANK, UNREADABLE, "--note", "seen", "--json").json
    assert (result["version"], result["action"], result["n"], result["note"]) == (1, "exclude", 2, "seen")
    assert result["reason"] == "by hand"
    assert result["counts"] == {"excluded": 2, "relabeled": 0, "ambiguous": 0}
    assert cli(*CORRECT, "--relabel", "happiness", "--ids", TEST_COPY, "--json").json["label"] == "happiness"
    assert (
        cli(*CORRECT, "--ambiguous", "--ids", DUPLICATES[0], "--reason", "unclear", "--json").json["reason"]
        == "unclear"
    )
    index = open_dataset(ID, store).index(["id", "label"]).set_index("id")
    assert index.loc[TEST_COPY, "label"] == "happiness"
    assert ids_with_mark(store, "ambiguous") == {DUPLICATES[0]}
    assert cli(*CORRECT, "--restore", "--ids", BLANK, TEST_COPY, "--json").json["version"] == 4
    assert ids_with_mark(store, "excluded") == {UNREADABLE}
    assert ids_with_mark(store, "relabeled") == set()


def test_a_whole_finding_is_corrected(cli: Cli, store: Settings) -> None:
    result = cli(*CORRECT, "--exclude", "--finding", "exact_duplicate", "--json").json
    assert (result["n"], result["reason"]) == (2, "exact_duplicate")
    assert ids_with_mark(store, "excluded") == {TRAIN_COPY, DUPLICATES[1]}  # one of each group is kept
    cli(*CORRECT, "--undo", 1)
    cli(*CORRECT, "--ambiguous", "--finding", "conflict")
    assert ids_with_mark(store, "ambiguous") == {TEST_COPY, TRAIN_COPY}
    cli(*CORRECT, "--restore", "--finding", "conflict")
    assert ids_with_mark(store, "ambiguous") == set()


def test_changes_are_undone_redone_and_listed(cli: Cli, store: Settings) -> None:
    assert cli(*CORRECT, "--history").out == "Nothing was corrected yet.\n"
    cli(*CORRECT, "--exclude", "--finding", "blank")
    assert cli(*CORRECT, "--undo", 1, "--json").json["undoes"] == 1
    assert ids_with_mark(store, "excluded") == set()
    assert "Version 2 is undone" in cli(*CORRECT, "--undo", 2).out
    assert ids_with_mark(store, "excluded") == {BLANK}
    history = cli(*CORRECT, "--history", "--json").json
    assert [change["version"] for change in history] == [3, 2, 1]
    assert [change["undone"] for change in history] == [False, True, False]
    assert "blank" in cli(*CORRECT, "--history").out


def test_corrected_images_are_exported(cli: Cli, tmp_path: Path) -> None:
    cli(*CORRECT, "--relabel", "anger", "--ids", DUPLICATES[0])
    out = tmp_path / "marked.csv"
    assert cli(*CORRECT, "--export", out, "--json").json == {"id": ID, "n": 1, "out": str(out)}
    row = pd.read_csv(out).iloc[0]
    assert (row["id"], row["action"], row["from_label"], row["to_label"]) == (
        DUPLICATES[0],
        "relabel",
        "happiness",
        "anger",
    )


def test_bad_input_is_a_one_line_error_and_changes_nothing(cli: Cli, store: Settings, tmp_path: Path) -> None:
    assert_input_error(cli("datasets", "correct", "none", "--history"), "'none'")
    assert_input_error(cli(*CORRECT, "--exclude"), "--ids", "--finding")
    assert_input_error(cli(*CORRECT, "--exclude", "--ids", "nobody.png"), "'nobody.png'")
    assert_input_error(cli(*CORRECT, "--relabel", "joyful", "--ids", BLANK), "'joyful'", "happiness")
    assert_input_error(cli(*CORRECT, "--exclude", "--finding", "tiny"), "tiny", "Nothing was changed")
    assert_input_error(cli(*CORRECT, "--exclude", "--finding", "no_face"), "not searched")
    assert_input_error(cli(*CORRECT, "--restore", "--finding", "blank"), "reason blank", "--export")
    assert_input_error(cli(*CORRECT, "--undo", 1), "no version 1")
    assert_input_error(cli(*CORRECT, "--undo", 1, "--ids", BLANK), "--exclude")
    (tmp_path / "file").write_text("")
    assert_input_error(cli(*CORRECT, "--export", tmp_path / "file" / "x.csv"), "can't be written")
    assert open_dataset(ID, store).corrections().version == 0


@pytest.mark.parametrize("arguments", [(), ("--exclude", "--ambiguous"), ("--exclude", "--ids", "a", "--finding", "b")])
def test_ambiguous_usage_has_exit_code_2(arguments: tuple[str, ...], cli: Cli) -> None:
    with pytest.raises(SystemExit) as error_info:
        cli(*CORRECT, *arguments)
    assert error_info.value.code == 2
