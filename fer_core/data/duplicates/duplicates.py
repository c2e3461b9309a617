"""Pairs of exact duplicates, near-duplicates and augmented copies.

A pair is two rows of an index. Images with the same pixels are paired with the first of them only, which is enough to
connect them to one group.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fer_core.data.duplicates.augmented_copies import (
    COPY_RULE,
    EVALUATION_SPLITS,
    NO_COPIES,
    AugmentedCopies,
    evaluation_rows,
    find_augmented_copies,
)
from fer_core.data.duplicates.dct_descriptor import (
    DESCRIPTOR,
    SIGNATURE,
    decode_descriptors,
    decode_signatures,
    similarity,
)
from fer_core.data.duplicates.near_search import Pairs, near_pairs
from fer_core.data.imbalance.counts import excluded_rows
from fer_core.files.atomic import atomic_path
from fer_core.files.migration import DATASET_COLUMNS

HASH_DISTANCE_MAX = 8
"""The largest Hamming distance of the 64-bit perceptual hashes of near-duplicates.

A hash has as many ones as zeros unless two frequencies are equal, so two of them differ in an even number of bits. FER+
has 2,282 near pairs within 8 bits; 10 would add 329, some of them different pictures, and take longer.
"""

SIMILARITY_MIN = 0.95
"""Images whose signatures correlate less are not near-duplicates. By eye, 118 of 120 pairs of FER+ of 4 to 8 bits
that correlate by this much or more are the same picture; from 0.92 up to here, at 8 bits, 22 of 30 are."""

STRICT_HASH_DISTANCE_MAX = 3
"""The same for an index of an older version, which has no signatures to confirm a pair; most are missed."""

BLANK_CONTRAST = 4.0
"""Below this standard deviation of the gray levels (0..255) an image is blank and its hash is noise. A plain wall as a
JPEG has less than 2, the faintest face of FER+ 9."""

EXACT, NEAR, AUGMENTED = "exact", "near", "augmented"
"""Kinds of pairs: the same pixels, nearly the same picture, or an augmented copy (`augmented_copies`)."""

PAIR_COLUMNS = ("sha256", "phash", "contrast", "split", SIGNATURE, DESCRIPTOR)
"""Columns of an index that the search needs."""

_VERSION_KEY = b"ferscope"


def duplicate_pairs(index: pd.DataFrame) -> pd.DataFrame:
    """Find exact duplicates, near-duplicates and augmented copies.

    Blank and unreadable images have no near-duplicates. Of images with the same pixels only the first is compared with
    others.

    Args:
        index: with `sha256`, `phash` and, as far as they exist, the other `PAIR_COLUMNS`.
    Returns:
        one row for each pair, sorted by `a`, `b` (row numbers of the index, a < b), with `bits` (Hamming distance of
        their hashes), `kind` (`EXACT`, `NEAR` or `AUGMENTED`) and `similarity` (correlation of their signatures, or
        `Alignment.sharp_similarity` of augmented copies; 1 for the same pixels, missing without signatures).
    """
    exact = pair_with_first(value_codes(index["sha256"]))
    first = np.ones(len(index), bool)
    first[exact[:, 1]] = False
    searched = np.flatnonzero(first & (index["sha256"] != "").to_numpy(bool) & ~is_blank(index))
    near, near_similarity = _find_near(index, searched)
    copies = _find_augmented(index, searched, exact, near)
    pairs = np.concatenate([exact, near, copies.pairs])
    columns = {
        "a": pairs[:, 0],
        "b": pairs[:, 1],
        "bits": hash_distances(index, pairs),
        "kind": pd.array(np.repeat([EXACT, NEAR, AUGMENTED], [len(exact), len(near), len(copies.pairs)]), dtype="str"),
        "similarity": np.concatenate([np.ones(len(exact), np.float32), near_similarity, copies.similarity]),
    }
    return pd.DataFrame(columns).sort_values(["a", "b"], ignore_index=True)


def write_pairs(pairs: pd.DataFrame, path: Path, version: str) -> None:
    """Write pairs with their `pairs_version`."""
    table = pa.Table.from_pandas(pairs, preserve_index=False)
    with atomic_path(path) as temporary:
        pq.write_table(table.replace_schema_metadata({**table.schema.metadata, _VERSION_KEY: version}), temporary)


def read_pairs(path: Path, version: str) -> pd.DataFrame | None:
    """Read pairs; None if there is no file, or it has another version."""
    if not path.is_file():
        return None
    table = pq.read_table(path)
    if (table.schema.metadata or {}).get(_VERSION_KEY) != version.encode():
        return None
    return table.to_pandas().rename(columns=DATASET_COLUMNS)


def pairs_version(columns: list[str], fingerprint: str) -> str:
    """Describe what pairs depend on: the thresholds, which depend on the columns of the index, and the pixels."""
    has_signatures = SIGNATURE in columns
    rule = (
        f"{HASH_DISTANCE_MAX} bits, likeness {SIMILARITY_MIN}" if has_signatures else f"{STRICT_HASH_DISTANCE_MAX} bits"
    )
    copies = f"; {COPY_RULE}" if DESCRIPTOR in columns else ""
    return f"{rule}; blank below {BLANK_CONTRAST}{copies}; {fingerprint}"


def without_excluded(pairs: pd.DataFrame, index: pd.DataFrame) -> pd.DataFrame:
    """Select the pairs between images that corrections do not exclude.

    If the first of identical images is excluded, the next one replaces it, so that the others stay connected. Images
    that only excluded images connect are no longer connected, nor are all if there were more near pairs than
    `near_search.PAIRS_MAX`.

    Args:
        pairs: `duplicate_pairs` of this index.
        index: with `sha256` and, if corrections were applied, `excluded`.
    """
    excluded = excluded_rows(index)
    ends = row_pairs(pairs)
    broken = excluded[ends].any(axis=1)
    if not broken.any():
        return pairs
    rows = np.unique(ends[broken])
    included = pd.Series(rows).where(~excluded[rows])
    first_included = included.groupby(index["sha256"].iloc[rows].to_numpy()).transform("min")
    replacement = included.fillna(first_included).fillna(-1).to_numpy(np.int64)
    repaired = np.sort(replacement[np.searchsorted(rows, ends[broken])], axis=1)
    sound = (repaired[:, 0] >= 0) & (repaired[:, 0] != repaired[:, 1])
    replaced = pairs[broken][sound].assign(a=repaired[sound, 0], b=repaired[sound, 1])
    return pd.concat([pairs[~broken], replaced]).sort_values(["a", "b"], ignore_index=True)


def is_blank(index: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which rows have an image that is readable but blank."""
    if "contrast" not in index:
        return np.zeros(len(index), bool)
    return index["contrast"].to_numpy(float) < BLANK_CONTRAST


def row_pairs(pairs: pd.DataFrame) -> Pairs:
    """Return the row numbers of a table of pairs, shape (P, 2)."""
    return pairs[["a", "b"]].to_numpy(np.int64)


def paired_with(pairs: pd.DataFrame, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mask the rows of an index that are in a pair with any of the given rows; shape (N,), like `rows`.

    Only the first of the images with the same pixels is in pairs with others, so what holds for it holds for them all.
    """
    exact = row_pairs(pairs[pairs["kind"] == EXACT])
    rows = _spread(rows, exact)
    found = np.zeros(len(rows), bool)
    for one, other in (row_pairs(pairs).T, row_pairs(pairs).T[::-1]):
        found[one[rows[other]]] = True
    return _spread(found, exact)


def _spread(rows: NDArray[np.bool_], exact: Pairs) -> NDArray[np.bool_]:
    """Add the rows with the same pixels as a row of the mask; the first of them is in each of their pairs."""
    spread = rows.copy()
    spread[exact[rows[exact[:, 1]], 0]] = True
    spread[exact[spread[exact[:, 0]], 1]] = True
    return spread


def hash_distances(index: pd.DataFrame, pairs: Pairs) -> NDArray[np.int64]:
    """Compute the Hamming distance of the perceptual hashes of each pair; shape (P,)."""
    hashes = index["phash"].to_numpy(np.int64)
    return np.bitwise_count((hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]]).view(np.uint64)).astype(np.int64)


def value_codes(values: pd.Series) -> NDArray[np.int64]:
    """Number the distinct values; -1 for missing and empty ones."""
    codes, uniques = pd.factorize(values)
    return np.where(np.append(uniques == "", False)[codes], -1, codes)


def pair_with_first(codes: NDArray[np.int64]) -> Pairs:
    """Pair each row with the first row of the same code; codes below 0 are in no pair."""
    rows = np.flatnonzero(codes >= 0)
    _, first, group = np.unique(codes[rows], return_index=True, return_inverse=True)
    pairs = np.stack([rows[first][group], rows], axis=1)
    return pairs[pairs[:, 0] != pairs[:, 1]]


def _find_near(index: pd.DataFrame, searched: NDArray[np.int64]) -> tuple[Pairs, NDArray[np.float32]]:
    """Find the near-duplicates among some rows of an index, and their similarity."""
    hashes = index["phash"].to_numpy(np.int64)
    if SIGNATURE not in index:
        pairs = searched[near_pairs(hashes[searched], STRICT_HASH_DISTANCE_MAX)]
        return pairs, np.full(len(pairs), np.nan, np.float32)
    searched = searched[index[SIGNATURE].iloc[searched].notna().to_numpy(bool)]
    signatures = decode_signatures(index[SIGNATURE].iloc[searched])

    def is_similar(pairs: NDArray[np.integer]) -> NDArray[np.bool_]:
        return np.asarray(similarity(signatures, pairs) >= SIMILARITY_MIN)

    pairs = near_pairs(hashes[searched], HASH_DISTANCE_MAX, is_similar)
    return searched[pairs], similarity(signatures, pairs)


def _find_augmented(index: pd.DataFrame, searched: NDArray[np.int64], exact: Pairs, near: Pairs) -> AugmentedCopies:
    """Find the augmented copies among some rows of an index that are no near-duplicates.

    Args:
        exact: pairs of identical images, of which only the first is searched.
    """
    if DESCRIPTOR not in index:
        return NO_COPIES
    rows = searched[index[DESCRIPTOR].iloc[searched].notna().to_numpy(bool)]
    evaluated = evaluation_rows(_inherited_split(index["split"], exact).iloc[rows]) if "split" in index else None
    copies = find_augmented_copies(decode_descriptors(index[DESCRIPTOR].iloc[rows]), evaluated)
    pairs = rows[copies.pairs]
    is_near = np.isin(pairs @ np.array([len(index), 1]), near @ np.array([len(index), 1]))
    return AugmentedCopies(pairs[~is_near], copies.similarity[~is_near])


def _inherited_split(split: pd.Series, exact: Pairs) -> pd.Series:
    """Return the published splits; the first of identical images gets that of a validation or test image."""
    inherits = exact[split.iloc[exact[:, 1]].isin(EVALUATION_SPLITS).to_numpy(bool)]
    inherited = split.copy()
    inherited.iloc[inherits[:, 0]] = split.iloc[inherits[:, 1]].to_numpy()
    return inherited
