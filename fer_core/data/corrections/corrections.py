"""Versioned corrections to a dataset: images that are excluded, relabeled or marked as ambiguous.

An undo is a change, too, so that each version can be restored. The dataset's source stays unchanged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.corrections.correction_log import Action, Change, Changes, append_change, read_changes, utc_now
from fer_core.errors import InputError
from fer_core.labels import Expression

_COLUMNS = {"excluded": Action.EXCLUDE, "relabeled": Action.RELABEL, "ambiguous": Action.AMBIGUOUS}
_MARKS = list(_COLUMNS.values())
_LISTED_IDS_MAX = 3


class Corrections:
    """The corrections of one dataset; read when opened and at each change."""

    def __init__(self, folder: Path, changes: Changes) -> None:
        self._folder = folder
        self._changes = changes

    @classmethod
    def open(cls, folder: Path) -> Corrections:
        """Open the corrections of the dataset in `folder`.

        Raises:
            DatasetError: the file is damaged.
        """
        return cls(folder, read_changes(folder))

    @property
    def version(self) -> int:
        """The number of the newest change; 0 if there is none."""
        return len(self._changes)

    def history(self) -> list[Change]:
        """List all changes, the newest first, with `undone` set."""
        active = _active(self._changes)
        return [replace(change, undone=not active[change.version - 1]) for change in reversed(self._changes)]

    def fingerprint(self, version: int | None = None) -> str:
        """Hash the changes up to a version, so that a run can tell whether the log was rewritten.

        Raises:
            InputError: there is no such version.
        """
        lines = [change.to_json_line() for change in self._up_to(version)]
        return hashlib.sha256(b"".join(lines)).hexdigest()[:16]

    def mark(
        self,
        action: Action,
        ids: Iterable[str],
        reason: str = "",
        note: str = "",
        *,
        label: str = "",
        known_ids: Iterable[str] | None = None,
    ) -> int:
        """Exclude images, relabel them, mark them as ambiguous (they stay in use), or remove all of their marks.

        Args:
            action: any but `UNDO`.
            reason: a finding's kind, or free text.
            label: the new expression, if `action` is `RELABEL`.
            known_ids: the dataset's ids, to refuse others.
        Returns:
            the new version.
        Raises:
            InputError: no ids, one that the dataset does not have, or no expression.
            DatasetError: the change can't be written.
        """
        new_label = str(Expression.parse(label)) if action is Action.RELABEL else ""
        marked = tuple(dict.fromkeys(map(str, ids)))
        if not marked:
            raise InputError(f"No images were named to {action}. Choose at least one.")
        if known_ids is not None and len(unknown := _missing_ids(np.array(marked, object), known_ids)):
            listed = ", ".join(map(repr, unknown[:_LISTED_IDS_MAX]))
            more = f" and {len(unknown) - _LISTED_IDS_MAX:,} more" if len(unknown) > _LISTED_IDS_MAX else ""
            raise InputError(f"The dataset {self._folder.name} has no image {listed}{more}. Take ids from its index.")
        self._changes = append_change(
            self._folder,
            lambda earlier: Change(len(earlier) + 1, utc_now(), action, marked, new_label, reason, note),
        )
        return self.version

    def undo(self, version: int, note: str = "") -> int:
        """Undo a change; undoing an undo redoes it. Returns the new version.

        Raises:
            InputError: there is no such version, or it is undone already.
            DatasetError: the change can't be written.
        """

        def make_change(earlier: Changes) -> Change:
            if not 1 <= version <= len(earlier):
                raise InputError(_no_version(version, 1, earlier))
            active = _active(earlier)
            if not active[version - 1]:
                by = max(undo.version for undo in earlier if undo.undoes == version and active[undo.version - 1])
                raise InputError(f"Version {version} is undone already, by version {by}. Undo {by} to redo it.")
            return Change(len(earlier) + 1, utc_now(), Action.UNDO, note=note, undoes=version)

        self._changes = append_change(self._folder, make_change)
        return self.version

    def apply(self, index: pd.DataFrame, version: int | None = None) -> pd.DataFrame:
        """Apply the corrections to a copy of an index.

        Args:
            index: of the dataset, with `id`, and `label` and `unlabeled` if needed.
            version: the newest if None.
        Returns:
            the index with the new labels and the columns `excluded`, `relabeled` and `ambiguous` (bool).
        Raises:
            InputError: there is no such version.
        """
        changes = self._up_to(version)
        since = _marked_since(changes, index)
        frame = index.assign(**{name: since[row] > 0 for row, name in enumerate(_COLUMNS)})
        rows = np.flatnonzero(frame["relabeled"])
        if len(rows) and "label" in frame:
            frame["label"] = _replace_values(frame["label"], rows, _labels(changes, since[1, rows]))
        if len(rows) and "unlabeled" in frame:
            frame["unlabeled"] = _replace_values(frame["unlabeled"], rows, "")
        return frame

    def count_missing(self, index: pd.DataFrame, version: int | None = None) -> int:
        """Count marked images that the index lacks.

        Raises:
            InputError: there is no such version.
        """
        ids, since = _current_marks(self._up_to(version))
        return len(_missing_ids(ids[since[:, :-1].any(0)], index["id"]))

    def export(self, index: pd.DataFrame, version: int | None = None) -> pd.DataFrame:
        """Tabulate the corrected images with action, reason and time.

        Args:
            index: of the dataset, without corrections applied, with `id`, `path` and `label`.
        Returns:
            one row for each marked image, in the index's order: `id`, `path`, `action` (several marks joined by ", "),
            `from_label` and `to_label` ("" for none), and `reason`, `note`, `version` and `time` of the newest mark.
        Raises:
            InputError: there is no such version.
        """
        changes = self._up_to(version)
        since = _marked_since(changes, index)
        rows = np.flatnonzero(since.any(0))
        since = since[:, rows]
        newest = [changes[number - 1] for number in since.max(0)]
        table = pd.DataFrame(
            {
                "id": index["id"].iloc[rows].to_numpy(object),
                "path": index["path"].iloc[rows].to_numpy(object),
                "action": [", ".join(mark for mark, has in zip(_MARKS, row, strict=True) if has) for row in since.T],
                "from_label": index["label"].iloc[rows].fillna("").to_numpy(object),
                "to_label": _labels(changes, since[1]),
                **{name: [getattr(change, name) for change in newest] for name in ("reason", "note")},
                "version": since.max(0),
                "time": [change.time for change in newest],
            }
        )
        return table.astype({name: "string" for name in table if name != "version"})

    def _up_to(self, version: int | None) -> Changes:
        if version is None:
            return self._changes
        if not 0 <= version <= self.version:
            raise InputError(_no_version(version, 0, self._changes))
        return self._changes[:version]


def correction_counts(frame: pd.DataFrame) -> dict[str, int]:
    """Count how many images of an index with corrections applied are excluded, relabeled and ambiguous."""
    return {name: int(frame[name].sum()) if name in frame else 0 for name in _COLUMNS}


def _active(changes: Changes) -> NDArray[np.bool_]:
    """Return which changes are active: no later active change undoes them."""
    active = np.ones(len(changes), bool)
    for change in reversed(changes):
        if change.undoes and active[change.version - 1]:
            active[change.undoes - 1] = False
    return active


def _current_marks(changes: Changes) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """List all ids in active changes, and since which version each has each of `_MARKS`; 0 if it has not.

    Returns:
        ids, shape (I,), and versions, shape (3, I + 1), whose last column stands for other ids and is 0.
    """
    active = [change for change, is_active in zip(changes, _active(changes), strict=True) if is_active and change.ids]
    position, ids = pd.factorize(np.array([image_id for change in active for image_id in change.ids], object))
    since = np.zeros((len(_MARKS), len(ids) + 1), np.int64)
    ends = np.cumsum([len(change.ids) for change in active], dtype=np.int64)
    for change, end in zip(active, ends, strict=True):
        positions = position[end - len(change.ids) : end]
        if change.action is Action.RESTORE:
            since[:, positions] = 0
        else:
            since[_MARKS.index(change.action), positions] = change.version
    return ids, since


def _marked_since(changes: Changes, index: pd.DataFrame) -> NDArray[np.int64]:
    """Return since which version each row of an index has each of `_MARKS`; 0 if it has not; shape (3, N)."""
    ids, since = _current_marks(changes)
    return since[:, _positions(index["id"], ids)]  # -1 is the last column


def _positions(values: Iterable[str], ids: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return the position of each value in `ids`; -1 if it is missing. Arrow is five times as fast as pandas here."""
    import pyarrow as pa
    import pyarrow.compute as pc

    positions = pc.index_in(pa.array(values, pa.large_string()), pa.array(ids, pa.large_string()))
    return np.asarray(positions.fill_null(-1).to_numpy(), np.int64)


def _missing_ids(ids: NDArray[np.object_], known_ids: Iterable[str]) -> NDArray[np.object_]:
    return np.delete(ids, np.setdiff1d(_positions(known_ids, ids), [-1]))


def _labels(changes: Changes, versions: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return the label of each version; "" for version 0."""
    return np.array(["", *(change.label for change in changes)], object)[versions]


def _replace_values(values: pd.Series, rows: NDArray[np.int64], new: object) -> pd.Series:
    replaced = values.copy()
    replaced.iloc[rows] = new
    return replaced


def _no_version(version: int, first: int, changes: Changes) -> str:
    if len(changes) < first:
        return f"There is no version {version}: nothing has been changed yet."
    return f"There is no version {version}. Choose {first} to {len(changes)}."
