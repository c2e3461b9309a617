"""Images that are the same, or nearly: which they are, which belong together, and what a corrected dataset keeps of it.

A pair names two rows of an index. Where many images have the same pixels, each is paired with the first of them only:
m images give m - 1 pairs instead of m²/2, and joined by their pairs they are one group all the same.
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
    JUDGING,
    NO_COPIES,
    Copies,
    copies_between,
    published_places,
)
from fer_core.data.duplicates.detail import DETAIL, decode_details
from fer_core.data.duplicates.near_search import Pairs, near_pairs
from fer_core.data.duplicates.signature import SIGNATURE, decode_signatures, similarity
from fer_core.data.imbalance.counts import excluded_rows
from fer_core.files.atomic import atomic_path

HASH_DISTANCE_MAX = 8
"""Perceptual hashes that differ in more of their 64 bits are not compared any further.

Our hash has as many ones as zeros unless two frequencies are equal, so that two of them differ in an even number of
bits. FER+ has 2,282 near pairs within 8 bits; 10 would add 329, some of them not the same picture, and take longer.
"""

SIMILARITY_MIN = 0.95
"""Images whose signatures correlate less are not near-duplicates. Judged by eye, 118 of 120 pairs of FER+ of 4 to 8
bits that correlate by this much or more are the same picture; from 0.92 up to here, at 8 bits, 22 of 30 are."""

STRICT_HASH_DISTANCE_MAX = 3
"""An index that an older version made has no signatures: there only hashes so near count, which misses most."""

BLANK_CONTRAST = 4.0
"""Below this standard deviation of the gray levels (0..255) an image is blank and its hash is noise. A plain wall
as a JPEG file stays under 2; the faintest face of FER+ has 9."""

EXACT, NEAR, AUGMENTED = "exact", "near", "augmented"
"""The kinds of pairs: the same pixels, other pixels that are nearly the same, or one that is another mirrored, turned,
cropped or shifted (`copy_search`)."""

PAIR_COLUMNS = ("sha256", "phash", "contrast", "split", SIGNATURE, DETAIL)
"""The columns of an index that the search looks at."""

_STAMP = b"ferscope"


def duplicate_pairs(index: pd.DataFrame) -> pd.DataFrame:
    """Every pair of images with the same pixels or nearly, and the augmented copies that are looked for.

    Blank images are near to nothing, and images that could not be read are like nothing. Of several images with
    the same pixels only the first takes part in the search for near ones.

    Args:
        index: with `sha256`, `phash` and, where they were measured, `contrast`, `signature` and `detail`; `split` where
            there is one.
    Returns:
        a row a pair, in the order of `a`, `b` (row numbers of the index, a < b), `bits` (how many bits their hashes
        differ in), `kind` (`EXACT`, `NEAR` or `AUGMENTED`) and `similarity` (the correlation of their signatures, or of
        augmented copies the sharp one of `moved.Fit`, float32; 1 for the same pixels, missing without signatures).
    """
    exact = _same_value_pairs(index["sha256"])
    first = np.ones(len(index), bool)
    first[exact[:, 1]] = False
    shown = np.flatnonzero(first & (index["sha256"] != "").to_numpy(bool) & ~is_blank(index))
    near, alike = _near(index, shown)
    copies = _augmented(index, shown, exact, near)
    pairs = np.concatenate([exact, near, copies.pairs])
    columns = {
        "a": pairs[:, 0],
        "b": pairs[:, 1],
        "bits": hash_distances(index, pairs),
        "kind": pd.array(np.repeat([EXACT, NEAR, AUGMENTED], [len(exact), len(near), len(copies.pairs)]), dtype="str"),
        "similarity": np.concatenate([np.ones(len(exact), np.float32), alike, copies.similarity]),
    }
    return pd.DataFrame(columns).sort_values(["a", "b"], ignore_index=True)


def write_pairs(pairs: pd.DataFrame, path: Path, stamp: str) -> None:
    """Keep what `duplicate_pairs` found, and what `pairs_stamp` said of it."""
    table = pa.Table.from_pandas(pairs, preserve_index=False)
    with atomic_path(path) as temporary:
        pq.write_table(table.replace_schema_metadata({**table.schema.metadata, _STAMP: stamp}), temporary)


def read_pairs(path: Path, stamp: str) -> pd.DataFrame | None:
    """The pairs that were kept; None if there are none, or they were kept under another stamp."""
    if not path.is_file():
        return None
    table = pq.read_table(path)
    return table.to_pandas() if (table.schema.metadata or {}).get(_STAMP) == stamp.encode() else None


def pairs_stamp(columns: list[str], fingerprint: str) -> str:
    """What pairs depend on: the rule that they are found by, which goes by the columns of the index, and the pixels."""
    rule = (
        f"{HASH_DISTANCE_MAX} bits, likeness {SIMILARITY_MIN}"
        if SIGNATURE in columns
        else f"{STRICT_HASH_DISTANCE_MAX} bits"
    )
    copies = f"; {COPY_RULE}" if DETAIL in columns else ""
    return f"{rule}; blank below {BLANK_CONTRAST}{copies}; {fingerprint}"


def without_excluded(pairs: pd.DataFrame, index: pd.DataFrame) -> pd.DataFrame:
    """The pairs between images that the overlay does not exclude.

    An image that its copies were paired with may be excluded: the first of them then takes its place, so that those
    that are left are not parted. What only excluded images joined is parted; and where there were more near pairs than
    `near_search.PAIRS_MAX`, so that not all are kept, more may be.

    Args:
        pairs: as `duplicate_pairs` found them in this index.
        index: with `sha256` and, where an overlay was applied, `excluded`.
    """
    excluded = excluded_rows(index)
    ends = row_pairs(pairs)
    torn = excluded[ends].any(axis=1)
    if not torn.any():
        return pairs
    rows = np.unique(ends[torn])
    used = pd.Series(rows).where(~excluded[rows])
    first_used = used.groupby(index["sha256"].iloc[rows].to_numpy()).transform("min")
    stand_in = used.fillna(first_used).fillna(-1).to_numpy(np.int64)
    mended = np.sort(stand_in[np.searchsorted(rows, ends[torn])], axis=1)
    sound = (mended[:, 0] >= 0) & (mended[:, 0] != mended[:, 1])
    found = pairs[torn][sound].assign(a=mended[sound, 0], b=mended[sound, 1])
    return pd.concat([pairs[~torn], found]).sort_values(["a", "b"], ignore_index=True)


def is_blank(index: pd.DataFrame) -> NDArray[np.bool_]:
    """Rows whose image was read but shows nothing."""
    if "contrast" not in index:
        return np.zeros(len(index), bool)
    return index["contrast"].to_numpy(float) < BLANK_CONTRAST


def row_pairs(pairs: pd.DataFrame) -> Pairs:
    """The row numbers of a table of pairs."""
    return pairs[["a", "b"]].to_numpy(np.int64)


def hash_distances(index: pd.DataFrame, pairs: Pairs) -> NDArray[np.int64]:
    """How many bits of their perceptual hashes differ in each pair; shape (P,)."""
    hashes = index["phash"].to_numpy(np.int64)
    return np.bitwise_count((hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]]).view(np.uint64)).astype(np.int64)


def _near(index: pd.DataFrame, searched: NDArray[np.int64]) -> tuple[Pairs, NDArray[np.float32]]:
    """The near pairs among some rows of an index, and how alike each is."""
    hashes = index["phash"].to_numpy(np.int64)
    if SIGNATURE not in index:
        found = searched[near_pairs(hashes[searched], STRICT_HASH_DISTANCE_MAX)]
        return found, np.full(len(found), np.nan, np.float32)
    searched = searched[index[SIGNATURE].iloc[searched].notna().to_numpy(bool)]
    signatures = decode_signatures(index[SIGNATURE].iloc[searched])
    found = near_pairs(
        hashes[searched], HASH_DISTANCE_MAX, lambda pairs: np.asarray(similarity(signatures, pairs) >= SIMILARITY_MIN)
    )
    return searched[found], similarity(signatures, found)


def _augmented(index: pd.DataFrame, shown: NDArray[np.int64], exact: Pairs, near: Pairs) -> Copies:
    """The augmented copies among some rows of an index that are no near pairs already.

    Args:
        exact: the pairs whose second is not shown: where it judges, its first is searched for in its place.
    """
    if DETAIL not in index:
        return NO_COPIES
    rows = shown[index[DETAIL].iloc[shown].notna().to_numpy(bool)]
    published = published_places(_judging(index["split"], exact).iloc[rows]) if "split" in index else None
    found = copies_between(decode_details(index[DETAIL].iloc[rows]), published)
    pairs = rows[found.pairs]
    known = np.isin(pairs @ np.array([len(index), 1]), near @ np.array([len(index), 1]))
    return Copies(pairs[~known], found.similarity[~known])


def _judging(split: pd.Series, exact: Pairs) -> pd.Series:
    """The published part of each image; the first of identical ones has that of one that judges."""
    standing_in = exact[split.iloc[exact[:, 1]].isin(JUDGING).to_numpy(bool)]
    judging = split.copy()
    judging.iloc[standing_in[:, 0]] = split.iloc[standing_in[:, 1]].to_numpy()
    return judging


def _same_value_pairs(values: pd.Series) -> Pairs:
    """Each row with the first row that has the same value; missing and empty values pair with nothing."""
    known = values.notna() & (values != "").fillna(False)
    rows = np.flatnonzero(known.to_numpy(bool))
    codes = pd.factorize(values.iloc[rows])[0]
    first = rows[np.unique(codes, return_index=True)[1]][codes]
    return np.stack([first, rows], axis=1)[first != rows]
