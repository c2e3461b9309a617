from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core.data.corrections.correction_log import CORRECTIONS_FILE
from fer_core.data.corrections.corrections import Action, Corrections, correction_counts
from fer_core.errors import DatasetError, InputError
from fer_core.labels import Expression

PROJECT = Path(__file__).resolve().parents[4]
MARKS = ["excluded", "relabeled", "ambiguous"]
ADD_FOR_EVER = """
import sys
from pathlib import Path
from fer_core.data.corrections.corrections import Corrections
overlay = Corrections.open(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[2])):
    print(overlay.exclude([f"{number}.png"] * 3 + ["x" * 5000], sys.argv[3]), flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    dataset = tmp_path / "faces"
    dataset.mkdir()
    return dataset


def _index(n: int = 10) -> pd.DataFrame:
    labels: list[str | None] = [str(list(Expression)[row % 8]) for row in range(n)]
    labels[-1] = None
    return pd.DataFrame(
        {
            "id": [f"{row}.png" for row in range(n)],
            "path": [f"train/{row}.png" for row in range(n)],
            "label": pd.array(labels, "string"),
            "unlabeled": [""] * (n - 1) + ["tie"],
        }
    )


def _writer(folder: Path, count: int, name: str) -> subprocess.Popen[str]:
    cli = [sys.executable, "-c", ADD_FOR_EVER, str(folder), str(count), name]
    process = subprocess.Popen(cli, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def test_an_untouched_dataset_has_version_0_and_nothing_marked(folder: Path) -> None:
    corrections, index = Corrections.open(folder), _index()
    frame = corrections.apply(index)
    assert corrections.version == 0 and corrections.history() == [] and list(folder.iterdir()) == []
    assert list(frame) == [*index, *MARKS]
    assert set(frame.dtypes[MARKS]) == {np.dtype(bool)} and not frame[MARKS].any(axis=None)
    pd.testing.assert_frame_equal(frame[list(index)], index)
    assert correction_counts(frame) == correction_counts(index) == dict.fromkeys(MARKS, 0)
    assert corrections.export(index).empty and corrections.count_missing(index) == 0


def test_marks_and_labels_are_applied_to_a_copy(folder: Path) -> None:
    corrections, index = Corrections.open(folder), _index()
    before = index.copy()
    assert corrections.exclude(["1.png", "2.png"], "blank") == 1
    assert corrections.relabel(["2.png", "9.png"], Expression.CONTEMPT, note="a smirk") == 2
    assert corrections.mark_ambiguous(["9.png", "0.png"]) == 3
    frame = corrections.apply(index)
    assert frame["id"][frame["excluded"]].tolist() == ["1.png", "2.png"]
    assert frame["id"][frame["relabeled"]].tolist() == ["2.png", "9.png"]
    assert frame["id"][frame["ambiguous"]].tolist() == ["0.png", "9.png"]
    assert frame["label"][[2, 9]].tolist() == ["contempt", "contempt"]
    assert frame["unlabeled"][9] == ""
    assert correction_counts(frame) == {"excluded": 2, "relabeled": 2, "ambiguous": 2}
    others = [row for row in range(10) if row not in (2, 9)]
    pd.testing.assert_frame_equal(frame.loc[others, list(index)], index.loc[others])
    assert frame.dtypes[list(index)].equals(index.dtypes)
    pd.testing.assert_frame_equal(index, before)


def test_the_last_change_wins_and_restore_takes_all_marks_off(folder: Path) -> None:
    corrections, index = Corrections.open(folder), _index()
    corrections.relabel(["1.png"], "fear")
    corrections.relabel(["1.png"], "anger")
    assert corrections.apply(index)["label"][1] == "anger"
    corrections.exclude(["1.png", "2.png"], "blurred")
    corrections.restore(["1.png"])
    frame = corrections.apply(index)
    assert not frame.loc[1, MARKS].any() and frame["excluded"][2]
    assert frame["label"][1] == index["label"][1]


def test_rows_may_come_in_any_order_and_under_any_index(folder: Path) -> None:
    corrections, index = Corrections.open(folder), _index()
    corrections.relabel(["3.png", "5.png"], "fear")
    corrections.exclude(["5.png", "7.png"], "blank")
    shuffled = index.sample(frac=1, random_state=1).set_index(pd.RangeIndex(100, 110))
    expected = corrections.apply(index).set_index("id")
    pd.testing.assert_frame_equal(corrections.apply(shuffled).set_index("id").loc[expected.index], expected)


def test_ids_that_the_index_lacks_are_passed_over_and_counted(folder: Path) -> None:
    corrections, index = Corrections.open(folder), _index()
    corrections.exclude(["1.png", "gone.png"], "blank")
    corrections.mark_ambiguous(["gone.png", "lost.png"])
    corrections.restore(["lost.png"])
    assert correction_counts(corrections.apply(index)) == {"excluded": 1, "relabeled": 0, "ambiguous": 0}
    assert corrections.count_missing(index) == 1
    assert corrections.count_missing(index, version=2) == 2
    assert corrections.export(index)["id"].tolist() == ["1.png"]


def test_an_index_of_few_columns_will_do(folder: Path) -> None:
    corrections = Corrections.open(folder)
    corrections.relabel(["1.png"], "fear")
    assert list(corrections.apply(_index()[["id"]])) == ["id", *MARKS]


def test_every_version_can_be_had_again(folder: Path) -> None:
    corrections, index = Corrections.open(folder), _index()
    states = [corrections.apply(index)]
    prints = [corrections.fingerprint()]
    rng = np.random.default_rng(0)
    for step in range(30):
        ids = [f"{row}.png" for row in rng.choice(10, 3, replace=False)]
        standing = [change.version for change in corrections.history() if not change.undone]
        match step % 5:
            case 0:
                corrections.exclude(ids, "blank")
            case 1:
                corrections.relabel(ids, list(Expression)[step % 8])
            case 2:
                corrections.mark_ambiguous(ids)
            case 3:
                corrections.restore(ids)
            case _:
                corrections.undo(standing[step % len(standing)])
        states.append(corrections.apply(index))
        prints.append(corrections.fingerprint())
    again = Corrections.open(folder)
    assert again.version == 30
    for version, (state, fingerprint) in enumerate(zip(states, prints, strict=True)):
        pd.testing.assert_frame_equal(again.apply(index, version), state)
        assert again.fingerprint(version) == fingerprint
    assert len(set(prints)) == 31


def test_history_says_what_was_done_newest_first(folder: Path) -> None:
    corrections = Corrections.open(folder)
    corrections.exclude(["1.png", "1.png"], "blank", note="all black")
    corrections.relabel(["2.png"], "Fear ", "conflicting_labels")
    corrections.undo(1, note="a mistake")
    undo, relabel, exclude = corrections.history()
    assert (undo.version, undo.action, undo.undoes, undo.note, undo.undone) == (3, Action.UNDO, 1, "a mistake", False)
    assert (relabel.label, relabel.reason, relabel.undone) == ("fear", "conflicting_labels", False)
    assert (exclude.ids, exclude.reason, exclude.note, exclude.undone) == (("1.png",), "blank", "all black", True)
    assert exclude.time.endswith("+00:00")
    assert Corrections.open(folder).history() == corrections.history()


def test_undo_takes_back_one_change_and_undoing_the_undo_redoes_it(folder: Path) -> None:
    corrections, index = Corrections.open(folder), _index()
    corrections.exclude(["1.png"], "blank")
    corrections.relabel(["1.png", "2.png"], "fear")
    with_both = corrections.apply(index)
    corrections.undo(1)
    assert corrections.apply(index)[["excluded", "relabeled"]].sum().tolist() == [0, 2]
    corrections.undo(3)
    pd.testing.assert_frame_equal(corrections.apply(index), with_both)
    corrections.undo(4)
    assert not corrections.apply(index)["excluded"].any()
    corrections.undo(2)
    pd.testing.assert_frame_equal(corrections.apply(index), Corrections(folder, ()).apply(index))
    pd.testing.assert_frame_equal(corrections.apply(index, 2), with_both)


def test_undoing_a_restore_brings_the_marks_back(folder: Path) -> None:
    corrections, index = Corrections.open(folder), _index()
    corrections.exclude(["1.png"], "blank")
    corrections.restore(["1.png"])
    corrections.undo(2)
    assert corrections.apply(index)["excluded"].tolist() == [row == 1 for row in range(10)]


def test_undoing_twice_is_refused_and_says_who_undid_it(folder: Path) -> None:
    corrections = Corrections.open(folder)
    corrections.exclude(["1.png"], "blank")
    for version in (1, 2, 1, 4, 3):  # 2 undoes 1, 3 undoes 2, 4 undoes 1, 5 undoes 4, 6 undoes 3: 2 counts again
        corrections.undo(version)
    with pytest.raises(InputError, match=r"Version 1 is undone already, by version 2. Undo 2 to redo it"):
        corrections.undo(1)
    assert corrections.version == 6


@pytest.mark.parametrize("version", [-1, 0, 2, 99])
def test_a_version_that_is_not_there_cannot_be_undone(folder: Path, version: int) -> None:
    corrections = Corrections.open(folder)
    with pytest.raises(InputError, match=f"no version {version}: nothing has been changed yet"):
        corrections.undo(version)
    corrections.exclude(["1.png"], "blank")
    with pytest.raises(InputError, match=f"no version {version}. Choose 1 to 1"):
        corrections.undo(version)
    assert corrections.version == 1


@pytest.mark.parametrize("version", [-1, 2])
def test_a_version_that_is_not_there_cannot_be_read(folder: Path, version: int) -> None:
    corrections = Corrections.open(folder)
    corrections.exclude(["1.png"], "blank")
    for read in (
        lambda: corrections.apply(_index(), version),
        lambda: corrections.export(_index(), version),
        lambda: corrections.count_missing(_index(), version),
        lambda: corrections.fingerprint(version),
    ):
        with pytest.raises(InputError, match=f"no version {version}. Choose 0 to 1"):
            read()


def test_what_cannot_be_meant_is_refused_in_words_and_changes_nothing(folder: Path) -> None:
    corrections, known = Corrections.open(folder), _index()["id"]
    with pytest.raises(InputError, match="No images were named to exclude"):
        corrections.exclude([], "blank")
    with pytest.raises(InputError, match=r"'joy' is not an expression. Choose one of: neutral, .*contempt"):
        corrections.relabel(["1.png"], "joy")
    with pytest.raises(InputError, match=r"faces has no image 'a', 'b', 'c' and 1 more. Take ids from its index"):
        corrections.mark_ambiguous(["1.png", "a", "b", "c", "d"], known=known)
    with pytest.raises(InputError, match=r"has no image 'a'\."):
        corrections.restore(["a"], known=set(known))
    assert corrections.version == 0 and not (folder / CORRECTIONS_FILE).exists()
    assert corrections.exclude(known, "blank", known=known) == 1


def test_export_has_a_row_a_marked_image(folder: Path) -> None:
    corrections, index = Corrections.open(folder), _index()
    corrections.relabel(["9.png", "4.png"], "anger", "conflicting_labels")
    corrections.exclude(["4.png", "3.png"], "blank", "twice")
    corrections.mark_ambiguous(["5.png"])
    corrections.restore(["5.png"])
    table = corrections.export(index).set_index("id")
    assert table.index.tolist() == ["3.png", "4.png", "9.png"]
    assert table["action"].tolist() == ["exclude", "exclude, relabel", "relabel"]
    assert table["path"].tolist() == ["train/3.png", "train/4.png", "train/9.png"]
    assert table["from_label"].tolist() == ["surprise", "fear", ""]
    assert table["to_label"].tolist() == ["", "anger", "anger"]
    assert table["reason"].tolist() == ["blank", "blank", "conflicting_labels"]
    assert table["note"].tolist() == ["twice", "twice", ""]
    assert table["version"].tolist() == [2, 2, 1]
    assert table["time"].str.endswith("+00:00").all()
    assert corrections.export(index, 3)["id"].tolist() == ["3.png", "4.png", "5.png", "9.png"]


def test_odd_names_and_notes_survive(folder: Path) -> None:
    ids = ["ä/ 1.png", 'q"\\.png', "line\nbreak\r.png", "\u2028.png", "顔.png"]
    Corrections.open(folder).exclude(ids, "blank", note="two\nlines")
    (change,) = Corrections.open(folder).history()
    assert change.ids == tuple(ids) and change.note == "two\nlines"
    assert (folder / CORRECTIONS_FILE).read_bytes().count(b"\n") == 1


def test_a_file_cut_short_anywhere_opens_and_goes_on(folder: Path) -> None:
    corrections = Corrections.open(folder)
    corrections.exclude(["1.png"], "blank")
    corrections.mark_ambiguous(["2.png"])
    path = folder / CORRECTIONS_FILE
    content = path.read_bytes()
    first = content.index(b"\n") + 1
    for size in range(len(content) + 1):
        path.write_bytes(content[:size])
        cut = Corrections.open(folder)
        assert cut.version == (0 if size < first else 1 if size < len(content) else 2)
        kept = cut.history()[::-1]
        assert cut.restore(["3.png"]) == len(kept) + 1
        assert [change.action for change in Corrections.open(folder).history()[::-1]] == [
            *(change.action for change in kept),
            Action.RESTORE,
        ]


@pytest.mark.parametrize(
    "line",
    [
        b"\x00\x00\x00",
        b"[]",
        b'{"version":2,"time":"","action":"explode"}',
        b'{"version":3,"time":"","action":"exclude"}',
        b'{"version":2,"time":"","action":"undo","undoes":2}',
        b'{"version":2,"time":"","action":"exclude","by":"me"}',
        b'{"version":2,"action":"exclude"}',
    ],
)
def test_a_damaged_line_is_named_and_nothing_is_added_after_it(folder: Path, line: bytes) -> None:
    corrections = Corrections.open(folder)
    corrections.exclude(["1.png"], "blank")
    path = folder / CORRECTIONS_FILE
    path.write_bytes(path.read_bytes() + line + b"\n")
    content = path.read_bytes()
    with pytest.raises(DatasetError, match=r"Line 2 of .*corrections\.jsonl is damaged"):
        Corrections.open(folder)
    with pytest.raises(DatasetError, match="Line 2"):
        corrections.exclude(["2.png"], "blank")
    assert path.read_bytes() == content


def test_history_that_was_rewritten_has_another_fingerprint(folder: Path) -> None:
    corrections = Corrections.open(folder)
    corrections.exclude(["1.png"], "blank")
    corrections.mark_ambiguous(["2.png"])
    path = folder / CORRECTIONS_FILE
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[0]["ids"] = ["7.png"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    rewritten = Corrections.open(folder)
    assert rewritten.fingerprint(0) == corrections.fingerprint(0)
    assert rewritten.fingerprint(1) != corrections.fingerprint(1)
    assert rewritten.fingerprint() != corrections.fingerprint()


def test_a_dataset_that_is_gone_is_not_made_anew(folder: Path) -> None:
    corrections = Corrections.open(folder)
    folder.rmdir()
    with pytest.raises(DatasetError, match="is gone"):
        corrections.exclude(["1.png"], "blank")
    assert not folder.exists()


def test_a_change_that_cannot_be_written_is_reported(folder: Path) -> None:
    corrections = Corrections.open(folder)
    (folder / CORRECTIONS_FILE).mkdir()
    with pytest.raises(DatasetError, match="was not made"):
        corrections.exclude(["1.png"], "blank")
    with pytest.raises(DatasetError, match="can't be read"):
        Corrections.open(folder)
    assert corrections.version == 0


def test_processes_and_threads_never_make_the_same_version(folder: Path) -> None:
    writers = [_writer(folder, 25, name) for name in ("one", "two")]
    made: list[int] = []

    def add() -> None:
        corrections = Corrections.open(folder)
        made.extend(corrections.mark_ambiguous([f"{number}.png"], "here") for number in range(15))

    threads = [threading.Thread(target=add) for _ in range(2)]
    for writer in writers:
        _go(writer)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for writer in writers:
        made += map(int, writer.communicate(timeout=60)[0].split())
        assert writer.returncode == 0
    assert sorted(made) == list(range(1, 81))
    history = Corrections.open(folder).history()
    assert len(history) == 80
    assert [sum(change.reason == name for change in history) for name in ("one", "two", "here")] == [25, 25, 30]


def test_a_writer_that_is_killed_leaves_a_file_that_opens(folder: Path) -> None:
    told = 0
    for attempt in range(4):
        writer = _writer(folder, 100_000, "killed")
        _go(writer)
        assert writer.stdout is not None
        told = int(writer.stdout.readline())
        time.sleep(0.01 * attempt)
        writer.kill()
        told = max([told, *map(int, writer.communicate(timeout=60)[0].split("\n")[:-1])])
        corrections = Corrections.open(folder)
        assert corrections.version in (told, told + 1), "what was told was kept"
        assert corrections.mark_ambiguous(["1.png"]) == corrections.version
    assert told > 4
