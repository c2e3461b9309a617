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


def marked(store: Settings, mark: str) -> set[str]:
    index = open_dataset(ID, store).index(["id"])
    return set(index["id"][index[mark]])


def test_images_are_excluded_relabeled_ambiguous_and_restored(cli: Cli, store: Settings) -> None:
    done = cli(*CORRECT, "--exclude", "--ids", BLANK, UNREADABLE, "--note", "seen", "--json").json
    assert (done["version"], done["action"], done["n"], done["note"]) == (1, "exclude", 2, "seen")
    assert done["reason"] == "by hand"
    assert done["counts"] == {"excluded": 2, "relabeled": 0, "ambiguous": 0}
    assert cli(*CORRECT, "--relabel", "happiness", "--ids", TEST_COPY, "--json").json["label"] == "happiness"
    assert (
        cli(*CORRECT, "--ambiguous", "--ids", DUPLICATES[0], "--reason", "unclear", "--json").json["reason"]
        == "unclear"
    )
    index = open_dataset(ID, store).index(["id", "label"]).set_index("id")
    assert index.loc[TEST_COPY, "label"] == "happiness"
    assert marked(store, "ambiguous") == {DUPLICATES[0]}
    assert cli(*CORRECT, "--restore", "--ids", BLANK, TEST_COPY, "--json").json["version"] == 4
    assert marked(store, "excluded") == {UNREADABLE}
    assert marked(store, "relabeled") == set()


def test_a_whole_finding_is_corrected_as_its_remedy_says(cli: Cli, store: Settings) -> None:
    done = cli(*CORRECT, "--exclude", "--finding", "exact_duplicate", "--json").json
    assert (done["n"], done["reason"]) == (2, "exact_duplicate")
    assert marked(store, "excluded") == {TRAIN_COPY, DUPLICATES[1]}  # one of each group stays
    cli(*CORRECT, "--undo", 1)
    cli(*CORRECT, "--ambiguous", "--finding", "conflict")
    assert marked(store, "ambiguous") == {TEST_COPY, TRAIN_COPY}
    cli(*CORRECT, "--restore", "--finding", "conflict")
    assert marked(store, "ambiguous") == set()


def test_changes_are_undone_redone_and_told(cli: Cli, store: Settings) -> None:
    assert cli(*CORRECT, "--history").out == "Nothing was corrected yet.\n"
    cli(*CORRECT, "--exclude", "--finding", "blank")
    assert cli(*CORRECT, "--undo", 1, "--json").json["undoes"] == 1
    assert marked(store, "excluded") == set()
    assert "Version 2 is undone" in cli(*CORRECT, "--undo", 2).out
    assert marked(store, "excluded") == {BLANK}
    history = cli(*CORRECT, "--history", "--json").json
    assert [change["version"] for change in history] == [3, 2, 1]
    assert [change["undone"] for change in history] == [False, True, False]
    assert "blank" in cli(*CORRECT, "--history").out


def test_what_is_marked_is_exported(cli: Cli, tmp_path: Path) -> None:
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


def test_bad_input_is_one_clear_line_and_changes_nothing(cli: Cli, store: Settings, tmp_path: Path) -> None:
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
def test_unclear_usage_ends_with_two(arguments: tuple[str, ...], cli: Cli) -> None:
    with pytest.raises(SystemExit) as ended:
        cli(*CORRECT, *arguments)
    assert ended.value.code == 2
