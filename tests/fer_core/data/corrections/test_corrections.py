from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core.data.corrections.correction_log import CORRECTIONS_FILE, Action
from fer_core.data.corrections.corrections import Corrections, correction_counts
from fer_core.errors import InputError
from fer_core.labels import Expression

MARKS = ["excluded", "relabeled", "ambiguous"]


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


def test_a_new_dataset_has_version_0_and_no_marks(folder: Path) -> None:
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
    assert corrections.mark(Action.EXCLUDE, ["1.png", "2.png"], "blank") == 1
    assert corrections.mark(Action.RELABEL, ["2.png", "9.png"], label=Expression.CONTEMPT, note="a smirk") == 2
    assert corrections.mark(Action.AMBIGUOUS, ["9.png", "0.png"]) == 3
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


def test_the_last_change_wins_and_restore_removes_all_marks(folder: Path) -> None:
    corrections, index = Corrections.open(folder), _index()
    corrections.mark(Action.RELABEL, ["1.png"], label="fear")
    corrections.mark(Action.RELABEL, ["1.png"], label="anger")
    assert corrections.apply(index)["label"][1] == "anger"
    corrections.mark(Action.EXCLUDE, ["1.png", "2.png"], "blurred")
    corrections.mark(Action.RESTORE, ["1.png"])
    frame = corrections.apply(index)
    assert not frame.loc[1, MARKS].any() and frame["excluded"][2]
    assert frame["label"][1] == index["label"][1]


def test_corrections_do_not_depend_on_row_order_or_index(folder: Path) -> None:
    corrections, index = Corrections.open(folder), _index()
    corrections.mark(Action.RELABEL, ["3.png", "5.png"], label="fear")
    corrections.mark(Action.EXCLUDE, ["5.png", "7.png"], "blank")
    shuffled = index.sample(frac=1, random_state=1).set_index(pd.RangeIndex(100, 110))
    expected = corrections.apply(index).set_index("id")
    pd.testing.assert_frame_equal(corrections.apply(shuffled).set_index("id").loc[expected.index], expected)


def test_ids_missing_from_the_index_are_skipped_and_counted(folder: Path) -> None:
    corrections, index = Corrections.open(folder), _index()
    corrections.mark(Action.EXCLUDE, ["1.png", "gone.png"], "blank")
    corrections.mark(Action.AMBIGUOUS, ["gone.png", "lost.png"])
    corrections.mark(Action.RESTORE, ["lost.png"])
    assert correction_counts(corrections.apply(index)) == {"excluded": 1, "relabeled": 0, "ambiguous": 0}
    assert corrections.count_missing(index) == 1
    assert corrections.count_missing(index, version=2) == 2
    assert corrections.export(index)["id"].tolist() == ["1.png"]


def test_corrections_apply_to_an_index_with_only_ids(folder: Path) -> None:
    corrections = Corrections.open(folder)
    corrections.mark(Action.RELABEL, ["1.png"], label="fear")
    assert list(corrections.apply(_index()[["id"]])) == ["id", *MARKS]


def test_every_version_can_be_reproduced(folder: Path) -> None:
    corrections, index = Corrections.open(folder), _index()
    states = [corrections.apply(index)]
    fingerprints = [corrections.fingerprint()]
    rng = np.random.default_rng(0)
    for step in range(30):
        ids = [f"{row}.png" for row in rng.choice(10, 3, replace=False)]
        active = [change.version for change in corrections.history() if not change.undone]
        match step % 5:
            case 0:
                corrections.mark(Action.EXCLUDE, ids, "blank")
            case 1:
                corrections.mark(Action.RELABEL, ids, label=list(Expression)[step % 8])
            case 2:
                corrections.mark(Action.AMBIGUOUS, ids)
            case 3:
                corrections.mark(Action.RESTORE, ids)
            case _:
                corrections.undo(active[step % len(active)])
        states.append(corrections.apply(index))
        fingerprints.append(corrections.fingerprint())
    reopened = Corrections.open(folder)
    assert reopened.version == 30
    for version, (state, fingerprint) in enumerate(zip(states, fingerprints, strict=True)):
        pd.testing.assert_frame_equal(reopened.apply(index, version), state)
        assert reopened.fingerprint(version) == fingerprint
    assert len(set(fingerprints)) == 31


def test_history_lists_changes_newest_first(folder: Path) -> None:
    corrections = Corrections.open(folder)
    corrections.mark(Action.EXCLUDE, ["1.png", "1.png"], "blank", note="all black")
    corrections.mark(Action.RELABEL, ["2.png"], "conflicting_labels", label="Fear ")
    corrections.undo(1, note="a mistake")
    undo, relabel, exclude = corrections.history()
    assert (undo.version, undo.action, undo.undoes, undo.note, undo.undone) == (3, Action.UNDO, 1, "a mistake", False)
    assert (relabel.label, relabel.reason, relabel.undone) == ("fear", "conflicting_labels", False)
    assert (exclude.ids, exclude.reason, exclude.note, exclude.undone) == (("1.png",), "blank", "all black", True)
    assert exclude.time.endswith("+00:00")
    assert Corrections.open(folder).history() == corrections.history()


def test_undo_reverts_one_change_and_undoing_the_undo_redoes_it(folder: Path) -> None:
    corrections, index = Corrections.open(folder), _index()
    corrections.mark(Action.EXCLUDE, ["1.png"], "blank")
    corrections.mark(Action.RELABEL, ["1.png", "2.png"], label="fear")
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
    corrections.mark(Action.EXCLUDE, ["1.png"], "blank")
    corrections.mark(Action.RESTORE, ["1.png"])
    corrections.undo(2)
    assert corrections.apply(index)["excluded"].tolist() == [row == 1 for row in range(10)]


def test_undoing_twice_is_refused_and_names_the_undoing_version(folder: Path) -> None:
    corrections = Corrections.open(folder)
    corrections.mark(Action.EXCLUDE, ["1.png"], "blank")
    for version in (1, 2, 1, 4, 3):  # 6 undoes 3, so version 2, which undoes 1, is in effect again
        corrections.undo(version)
    with pytest.raises(InputError, match=r"Version 1 is undone already, by version 2. Undo 2 to redo it"):
        corrections.undo(1)
    assert corrections.version == 6


@pytest.mark.parametrize("version", [-1, 0, 2, 99])
def test_an_unknown_version_cannot_be_undone(folder: Path, version: int) -> None:
    corrections = Corrections.open(folder)
    with pytest.raises(InputError, match=f"no version {version}: nothing has been changed yet"):
        corrections.undo(version)
    corrections.mark(Action.EXCLUDE, ["1.png"], "blank")
    with pytest.raises(InputError, match=f"no version {version}. Choose 1 to 1"):
        corrections.undo(version)
    assert corrections.version == 1


@pytest.mark.parametrize("version", [-1, 2])
def test_an_unknown_version_cannot_be_read(folder: Path, version: int) -> None:
    corrections = Corrections.open(folder)
    corrections.mark(Action.EXCLUDE, ["1.png"], "blank")
    for read in (
        lambda: corrections.apply(_index(), version),
        lambda: corrections.export(_index(), version),
        lambda: corrections.count_missing(_index(), version),
        lambda: corrections.fingerprint(version),
    ):
        with pytest.raises(InputError, match=f"no version {version}. Choose 0 to 1"):
            read()


def test_invalid_changes_are_refused_and_change_nothing(folder: Path) -> None:
    corrections, known = Corrections.open(folder), _index()["id"]
    with pytest.raises(InputError, match="No images were named to exclude"):
        corrections.mark(Action.EXCLUDE, [], "blank")
    with pytest.raises(InputError, match=r"'joy' is not an expression. Choose one of: neutral, .*contempt"):
        corrections.mark(Action.RELABEL, ["1.png"], label="joy")
    with pytest.raises(InputError, match=r"faces has no image 'a', 'b', 'c' and 1 more. Take ids from its index"):
        corrections.mark(Action.AMBIGUOUS, ["1.png", "a", "b", "c", "d"], known_ids=known)
    with pytest.raises(InputError, match=r"has no image 'a'\."):
        corrections.mark(Action.RESTORE, ["a"], known_ids=set(known))
    assert corrections.version == 0 and not (folder / CORRECTIONS_FILE).exists()
    assert corrections.mark(Action.EXCLUDE, known, "blank", known_ids=known) == 1


def test_export_has_one_row_per_marked_image(folder: Path) -> None:
    corrections, index = Corrections.open(folder), _index()
    corrections.mark(Action.RELABEL, ["9.png", "4.png"], "conflicting_labels", label="anger")
    corrections.mark(Action.EXCLUDE, ["4.png", "3.png"], "blank", "twice")
    corrections.mark(Action.AMBIGUOUS, ["5.png"])
    corrections.mark(Action.RESTORE, ["5.png"])
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
