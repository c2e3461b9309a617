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
from fer_core.data.quality import image_checks as images
from fer_core.data.quality.image_checks import Rows
from fer_core.data.quality.messages import MESSAGES, FindingKind, SuggestedAction
from fer_core.data.record import Split
from fer_core.labels import Expression

_SPLITS = (Split.TEST, Split.VALID, Split.TRAIN)
"""The order in which copies are kept: of copies in two splits, the one in the earlier of these."""

_OF_PAIRS = (
    FindingKind.DUPLICATE_ACROSS_SPLITS,
    FindingKind.CONFLICT,
    FindingKind.EXACT_DUPLICATE,
    FindingKind.NEAR_DUPLICATE,
    FindingKind.AUGMENTED_COPY,
)
_OF_SPLITS = (FindingKind.DUPLICATE_ACROSS_SPLITS, FindingKind.IDENTITY_ACROSS_SPLITS, FindingKind.NAME_ACROSS_SPLITS)


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem, the images it concerns, and what to do about it.

    Attributes:
        rows: row numbers of the index, the most striking first.
        pairs: `a`, `b` (row numbers, a < b), `bits` (how far their hashes are apart) and `similarity` (as
            `duplicates.duplicate_pairs` has it; missing where the two were not compared), the nearest first, for what
            concerns images two by two; else None. Each group of images has a pair, but not each two of its images.
        redundant: the rows to exclude so that the finding is gone and least is lost, such as all copies but one.
            Empty where the remedy is another.
        explanation: what it is and how it was decided, with the thresholds.
        suggestion: what to do.
        suggested_action: what a page offers first.
    """

    kind: FindingKind
    rows: Rows
    pairs: pd.DataFrame | None
    redundant: Rows
    title: str
    explanation: str
    suggestion: str
    suggested_action: SuggestedAction


def check_quality(index: pd.DataFrame, pairs: pd.DataFrame | None, faces: pd.DataFrame | None = None) -> list[Finding]:
    """Run all checks on a dataset; `skipped_checks` tells which had nothing to look at.

    Args:
        index: with or without corrections applied.
        pairs: `duplicates.duplicate_pairs` of this index; None if duplicates were not searched.
        faces: `id` and `faces`, how many faces each image has; None if they were not searched.
    Returns:
        the findings that have images, the most severe first.
    """
    found = _check_images(index, faces) + _check_splits(index)
    if pairs is not None:
        found += _check_pairs(index, _without_blank(without_excluded(pairs, index), index))
    severity = list(FindingKind)
    return sorted((finding for finding in found if len(finding.rows)), key=lambda finding: severity.index(finding.kind))


def skipped_checks(
    index: pd.DataFrame, pairs: pd.DataFrame | None, faces: pd.DataFrame | None = None
) -> dict[FindingKind, str]:
    """Tell which checks had nothing to look at, or not all, and why; shown instead of "none found"."""
    used = ~excluded_rows(index)
    reasons = dict.fromkeys(_OF_PAIRS, "duplicates were not searched for yet") if pairs is None else {}
    if not index["label"][used].notna().any():
        reasons[FindingKind.CONFLICT] = "no image has a label"
    split = _published_split(index, used)
    if len(np.unique(split[split >= 0])) < 2:
        reasons |= dict.fromkeys(_OF_SPLITS, "the dataset has no published split")
    if (value_codes(index["identity"][used]) < 0).all():
        reasons[FindingKind.IDENTITY_ACROSS_SPLITS] = "the dataset gives no identities"
    if np.isnan(images.sharpness_z(index, used)).all():
        reasons[FindingKind.BLURRED] = f"no {images.CLASS_MIN} images of a size are there to compare"
    if gap := _face_search_gap(index, used, faces):
        reasons[FindingKind.NO_FACE] = gap
    return reasons


def redundant_rows(pairs: pd.DataFrame, index: pd.DataFrame) -> Rows:
    """Find the rows to exclude so that one of each group of duplicates is left: the first in test, else in validation,
    else in train, else of all.

    Args:
        pairs: some or all of `duplicates.duplicate_pairs`; excluded rows are passed over.
    Returns:
        in rising order.
    """
    ends = row_pairs(without_excluded(pairs, index))
    rows, place = np.unique(ends, return_inverse=True)
    group = connected_components(len(rows), place.reshape(-1, 2))
    split = category_codes(index["split"].iloc[rows], _SPLITS)
    order = np.lexsort((rows, np.where(split < 0, len(_SPLITS), split), group))
    kept = order[np.unique(group[order], return_index=True)[1]]
    return np.delete(rows, kept)


def _face_search_gap(index: pd.DataFrame, used: NDArray[np.bool_], faces: pd.DataFrame | None) -> str:
    """Why the search for faces is incomplete; "" if it is complete."""
    readable = used & (index["sha256"] != "").to_numpy(bool)
    searched = np.zeros(len(index), bool) if faces is None else ~np.isnan(images.face_counts(index, faces))
    done, total = int((searched & readable).sum()), int(readable.sum())
    if done == total:
        return ""
    return (
        f"faces were searched for in {done:,} of {total:,} images only" if done else "faces were not searched for yet"
    )


def _check_images(index: pd.DataFrame, faces: pd.DataFrame | None) -> list[Finding]:
    used = ~excluded_rows(index)
    found = {
        FindingKind.UNREADABLE: images.unreadable(index, used),
        FindingKind.BLANK: images.blank(index, used),
        FindingKind.TINY: images.tiny(index, used),
        FindingKind.DARK: images.dark(index, used),
        FindingKind.BRIGHT: images.bright(index, used),
        FindingKind.BLURRED: images.blurred(index, used),
    }
    if faces is not None:
        found[FindingKind.NO_FACE] = images.no_face(index, used, faces)
    return [
        _finding(kind, rows, redundant=rows if MESSAGES[kind].suggested_action == "exclude" else None)
        for kind, rows in found.items()
    ]


def _check_pairs(index: pd.DataFrame, pairs: pd.DataFrame) -> list[Finding]:
    """Run the checks of pairs.

    Args:
        pairs: the nearest first.
    """
    used = ~excluded_rows(index)
    exact, near, copied = (pairs[pairs["kind"] == kind] for kind in (EXACT, NEAR, AUGMENTED))
    group = connected_components(len(index), row_pairs(pairs))
    ambiguous = index["ambiguous"].to_numpy(bool) if "ambiguous" in index else np.zeros(len(index), bool)
    label = np.where(used & ~ambiguous, category_codes(index["label"], list(Expression)), -1)
    return [
        _finding(FindingKind.EXACT_DUPLICATE, _rows_of(exact), exact, redundant_rows(exact, index)),
        _finding(FindingKind.NEAR_DUPLICATE, _rows_of(near), near, redundant_rows(near, index)),
        _finding(FindingKind.AUGMENTED_COPY, _rows_of(copied), copied, redundant_rows(copied, index)),
        _find_mixed_groups(FindingKind.DUPLICATE_ACROSS_SPLITS, index, group, _published_split(index, used), pairs),
        _find_mixed_groups(FindingKind.CONFLICT, index, group, label, pairs),
    ]


def _check_splits(index: pd.DataFrame) -> list[Finding]:
    used = ~excluded_rows(index)
    split = _published_split(index, used)
    identity = np.where(used, value_codes(index["identity"]), -1)
    name = np.where(used, value_codes(index["path"].str.replace(r"^.*/", "", regex=True)), -1)
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
        group, value: a number a row, -1 for none; shape (N,).
        pairs: shown where the two values differ. A group in which no pair does gets one of two of its members.
    """
    members = np.flatnonzero((group >= 0) & (value >= 0))
    members = members[np.lexsort((members, value[members], group[members]))]
    same = (group[members][1:] == group[members][:-1]) & (value[members][1:] == value[members][:-1])
    first = members[np.append(True, ~same)[: len(members)]]  # the first row of each value in each group
    several = np.flatnonzero(group[first][1:] == group[first][:-1]) + 1
    rows = members[np.isin(group[members], group[first[several]])]
    lead = several[np.unique(group[first[several]], return_index=True)[1]]
    made = np.sort(np.stack([first[lead - 1], first[lead]], axis=1), axis=1)
    shown = pd.DataFrame({"a": made[:, 0], "b": made[:, 1], "similarity": np.full(len(made), np.nan, np.float32)})
    if pairs is not None:
        ends = row_pairs(pairs)
        direct = pairs[(value[ends] >= 0).all(axis=1) & (value[ends[:, 0]] != value[ends[:, 1]])]
        shown = pd.concat([direct[shown.columns], shown[~np.isin(group[made[:, 0]], group[direct["a"]])]])
    shown["bits"] = hash_distances(index, row_pairs(shown))
    shown = _nearest_first(shown).reset_index(drop=True)
    rows = pd.unique(np.concatenate([_rows_of(shown), rows]))
    redundant = None
    if MESSAGES[kind].suggested_action == "exclude":
        least = pd.Series(value[rows]).groupby(group[rows]).transform("min").to_numpy()
        redundant = np.sort(rows[value[rows] > least])
    return _finding(kind, rows, shown, redundant)


def _finding(
    kind: FindingKind, rows: Rows, pairs: pd.DataFrame | None = None, redundant: Rows | None = None
) -> Finding:
    words = MESSAGES[kind]
    return Finding(
        kind=kind,
        rows=rows,
        pairs=None if pairs is None else pairs[["a", "b", "bits", "similarity"]].reset_index(drop=True),
        redundant=np.zeros(0, np.int64) if redundant is None else redundant,
        title=words.title,
        explanation=words.explanation,
        suggestion=words.suggestion,
        suggested_action=words.suggested_action,
    )


def _without_blank(pairs: pd.DataFrame, index: pd.DataFrame) -> pd.DataFrame:
    """Select pairs of images that are not blank, the nearest first."""
    ends = row_pairs(pairs)
    nothing = is_blank(index)
    return _nearest_first(pairs[~(nothing[ends[:, 0]] | nothing[ends[:, 1]])])


def _nearest_first(pairs: pd.DataFrame) -> pd.DataFrame:
    return pairs.sort_values(["similarity", "bits", "a", "b"], ascending=[False, True, True, True])


def _rows_of(pairs: pd.DataFrame) -> Rows:
    """The rows of pairs, in their order."""
    return np.asarray(pd.unique(row_pairs(pairs).ravel()), np.int64)


def _published_split(index: pd.DataFrame, used: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The position in `_SPLITS` of each row's published split; -1 for none or not in use."""
    return np.where(used, category_codes(index["split"], _SPLITS), -1)
