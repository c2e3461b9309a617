"""Quality checks of single images, of pairs and between splits, from the index alone.

All checks skip rows that corrections exclude, so that a finding disappears once its images are excluded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.duplicates.duplicates import (
    AUGMENTED,
    EXACT,
    NEAR,
    hash_distances,
    is_blank,
    row_pairs,
    value_codes,
    without_excluded,
)
from fer_core.data.duplicates.near_search import connected_components
from fer_core.data.imbalance.counts import category_codes, excluded_rows
from fer_core.data.quality import image_checks
from fer_core.data.quality.image_checks import Rows
from fer_core.data.quality.messages import MESSAGES, FindingKind, Message
from fer_core.data.record import Split
from fer_core.labels import Expression

_SPLITS = (Split.TEST, Split.VALID, Split.TRAIN)
"""Splits by priority: of duplicates, the image in the first of these is kept."""

_PAIR_KINDS = {
    EXACT: FindingKind.EXACT_DUPLICATE,
    NEAR: FindingKind.NEAR_DUPLICATE,
    AUGMENTED: FindingKind.AUGMENTED_COPY,
}
_NEED_PAIRS = (FindingKind.DUPLICATE_ACROSS_SPLITS, FindingKind.CONFLICT, *_PAIR_KINDS.values())
_NEED_SPLITS = (
    FindingKind.DUPLICATE_ACROSS_SPLITS,
    FindingKind.IDENTITY_ACROSS_SPLITS,
    FindingKind.NAME_ACROSS_SPLITS,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """The images with a certain problem.

    Attributes:
        rows: row numbers of the index, the most striking first.
        pairs: for problems of pairs, `a`, `b` (row numbers, a < b), `bits` (Hamming distance of their hashes) and
            `similarity` (as in `duplicates.duplicate_pairs`; missing if not compared), the most similar first; else
            None. Each group of images has a pair, but not each two of its images.
        redundant: the fewest rows whose exclusion resolves the finding, such as all copies but one; empty if another
            action is suggested.
    """

    kind: FindingKind
    rows: Rows
    pairs: pd.DataFrame | None
    redundant: Rows

    @property
    def message(self) -> Message:
        """Title, explanation and suggestion."""
        return MESSAGES[self.kind]


def check_quality(index: pd.DataFrame, pairs: pd.DataFrame | None, faces: pd.DataFrame | None = None) -> list[Finding]:
    """Run all checks on a dataset; `skipped_checks` returns those that lack data.

    Args:
        index: with or without corrections applied.
        pairs: `duplicates.duplicate_pairs` of this index; None if duplicates were not searched.
        faces: `id` and `faces`, how many faces each image has; None if they were not searched.
    Returns:
        the findings that have images, the most severe first.
    """
    findings = _check_images(index, faces) + _check_splits(index)
    if pairs is not None:
        findings += _check_pairs(index, _without_blank(without_excluded(pairs, index), index))
    severity = list(FindingKind)
    return sorted(
        (finding for finding in findings if len(finding.rows)), key=lambda finding: severity.index(finding.kind)
    )


def skipped_checks(
    index: pd.DataFrame, pairs: pd.DataFrame | None, faces: pd.DataFrame | None = None
) -> dict[FindingKind, str]:
    """Explain which checks could not run, or only in part."""
    included = ~excluded_rows(index)
    reasons = dict.fromkeys(_NEED_PAIRS, "duplicates were not searched for yet") if pairs is None else {}
    if not index["label"][included].notna().any():
        reasons[FindingKind.CONFLICT] = "no image has a label"
    split = _split_codes(index, included)
    if len(np.unique(split[split >= 0])) < 2:
        reasons |= dict.fromkeys(_NEED_SPLITS, "the dataset has no published split")
    if (value_codes(index["identity"][included]) < 0).all():
        reasons[FindingKind.IDENTITY_ACROSS_SPLITS] = "the dataset does not say who is shown"
    if np.isnan(image_checks.sharpness_z(index, included)).all():
        reasons[FindingKind.BLURRED] = f"there are no {image_checks.CLASS_MIN} images of a size to compare"
    if reason := _missing_face_search(index, included, faces):
        reasons[FindingKind.NO_FACE] = reason
    return reasons


def redundant_rows(pairs: pd.DataFrame, index: pd.DataFrame) -> Rows:
    """Find the rows to exclude so that one of each group of duplicates is left: in test, else validation, else train.

    Args:
        pairs: some or all of `duplicates.duplicate_pairs`; excluded rows are skipped.
    Returns:
        in rising order.
    """
    rows, position = np.unique(row_pairs(without_excluded(pairs, index)), return_inverse=True)
    group = connected_components(len(rows), position.reshape(-1, 2))
    split = category_codes(index["split"].iloc[rows], _SPLITS)
    order = np.lexsort((rows, np.where(split < 0, len(_SPLITS), split), group))
    kept = order[np.unique(group[order], return_index=True)[1]]
    return np.delete(rows, kept)


def _missing_face_search(index: pd.DataFrame, included: NDArray[np.bool_], faces: pd.DataFrame | None) -> str:
    """Explain why the search for faces is incomplete; "" if it is complete."""
    readable = included & (index["sha256"] != "").to_numpy(bool)
    searched = np.zeros(len(index), bool) if faces is None else ~np.isnan(image_checks.face_counts(index, faces))
    done, total = int((searched & readable).sum()), int(readable.sum())
    if done == total:
        return ""
    return (
        f"faces were searched for in {done:,} of {total:,} images only" if done else "faces were not searched for yet"
    )


def _check_images(index: pd.DataFrame, faces: pd.DataFrame | None) -> list[Finding]:
    included = ~excluded_rows(index)
    rows_by_kind = {
        FindingKind.UNREADABLE: image_checks.unreadable(index, included),
        FindingKind.BLANK: image_checks.blank(index, included),
        FindingKind.TINY: image_checks.tiny(index, included),
        FindingKind.DARK: image_checks.dark(index, included),
        FindingKind.BRIGHT: image_checks.bright(index, included),
        FindingKind.BLURRED: image_checks.blurred(index, included),
    }
    if faces is not None:
        rows_by_kind[FindingKind.NO_FACE] = image_checks.no_face(index, included, faces)
    nothing = np.zeros(0, np.int64)
    return [
        Finding(kind, rows, None, rows if MESSAGES[kind].suggested_action == "exclude" else nothing)
        for kind, rows in rows_by_kind.items()
    ]


def _check_pairs(index: pd.DataFrame, pairs: pd.DataFrame) -> list[Finding]:
    """Run the checks of pairs, of which the most similar come first."""
    included = ~excluded_rows(index)
    group = connected_components(len(index), row_pairs(pairs))
    ambiguous = index["ambiguous"].to_numpy(bool) if "ambiguous" in index else np.zeros(len(index), bool)
    label = np.where(included & ~ambiguous, category_codes(index["label"], list(Expression)), -1)
    findings = [
        _find_mixed_groups(FindingKind.DUPLICATE_ACROSS_SPLITS, index, group, _split_codes(index, included), pairs),
        _find_mixed_groups(FindingKind.CONFLICT, index, group, label, pairs),
    ]
    for pair_kind, kind in _PAIR_KINDS.items():
        some = pairs[pairs["kind"] == pair_kind]
        findings.append(Finding(kind, _rows_of(some), _pair_columns(some), redundant_rows(some, index)))
    return findings


def _check_splits(index: pd.DataFrame) -> list[Finding]:
    included = ~excluded_rows(index)
    split = _split_codes(index, included)
    identity = np.where(included, value_codes(index["identity"]), -1)
    name = np.where(included, value_codes(index["path"].str.replace(r"^.*/", "", regex=True)), -1)
    return [
        _find_mixed_groups(FindingKind.IDENTITY_ACROSS_SPLITS, index, identity, split),
        _find_mixed_groups(FindingKind.NAME_ACROSS_SPLITS, index, name, split),
    ]


def _find_mixed_groups(
    kind: FindingKind,
    index: pd.DataFrame,
    group: NDArray[np.int64],
    value: NDArray[np.int64],
    pairs: pd.DataFrame | None = None,
) -> Finding:
    """Find groups whose members have more than one value.

    Args:
        group, value: a number for each row, -1 for none; shape (N,).
        pairs: those with two values are shown. A group without one is shown as a pair of two of its members.
    """
    members = np.flatnonzero((group >= 0) & (value >= 0))
    members = members[np.lexsort((members, value[members], group[members]))]
    same = (group[members][1:] == group[members][:-1]) & (value[members][1:] == value[members][:-1])
    first = members[np.append(True, ~same)[: len(members)]]  # the first row of each value in each group
    mixed = np.flatnonzero(group[first][1:] == group[first][:-1]) + 1
    rows = members[np.isin(group[members], group[first[mixed]])]
    second = mixed[np.unique(group[first[mixed]], return_index=True)[1]]
    examples = np.sort(np.stack([first[second - 1], first[second]], axis=1), axis=1)
    missing = np.full(len(examples), np.nan, np.float32)
    shown = pd.DataFrame({"a": examples[:, 0], "b": examples[:, 1], "similarity": missing})
    if pairs is not None:
        ends = row_pairs(pairs)
        direct = pairs[(value[ends] >= 0).all(axis=1) & (value[ends[:, 0]] != value[ends[:, 1]])]
        shown = pd.concat([direct[shown.columns], shown[~np.isin(group[examples[:, 0]], group[direct["a"]])]])
    shown["bits"] = hash_distances(index, row_pairs(shown))
    shown = _most_similar_first(shown)
    rows = pd.unique(np.concatenate([_rows_of(shown), rows]))
    redundant = np.zeros(0, np.int64)
    if MESSAGES[kind].suggested_action == "exclude":
        lowest = pd.Series(value[rows]).groupby(group[rows]).transform("min").to_numpy()
        redundant = np.sort(rows[value[rows] > lowest])
    return Finding(kind, rows, _pair_columns(shown), redundant)


def _without_blank(pairs: pd.DataFrame, index: pd.DataFrame) -> pd.DataFrame:
    """Select pairs of images that are not blank, the most similar first."""
    ends, blank = row_pairs(pairs), is_blank(index)
    return _most_similar_first(pairs[~(blank[ends[:, 0]] | blank[ends[:, 1]])])


def _most_similar_first(pairs: pd.DataFrame) -> pd.DataFrame:
    return pairs.sort_values(["similarity", "bits", "a", "b"], ascending=[False, True, True, True])


def _pair_columns(pairs: pd.DataFrame) -> pd.DataFrame:
    return pairs[["a", "b", "bits", "similarity"]].reset_index(drop=True)


def _rows_of(pairs: pd.DataFrame) -> Rows:
    """List the rows of pairs, in their order."""
    return np.asarray(pd.unique(row_pairs(pairs).ravel()), np.int64)


def _split_codes(index: pd.DataFrame, included: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the position in `_SPLITS` of each row's published split; -1 for none and for excluded rows."""
    return np.where(included, category_codes(index["split"], _SPLITS), -1)
