"""Near-duplicate search among a million images, uniform and skewed, against comparing all pairs of a few.

The search for augmented copies is measured for some images and scaled to all.

Each row is measured in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.support.report import argument_parser, print_table
from fer_core.data.duplicates.augmented_copies import search_copies
from fer_core.data.duplicates.dct_descriptor import (
    DESCRIPTOR_SIDE,
    DctDescriptors,
    decode_descriptors,
    encode_descriptors,
)
from fer_core.data.duplicates.duplicates import HASH_DISTANCE_MAX, SIMILARITY_MIN
from fer_core.data.duplicates.near_search import Pairs, connected_components, near_pairs
from fer_core.data.duplicates.signature import Signatures, decode_signatures, encode_signatures, similarity
from fer_core.data.index.image_stats import hash_frequencies

_MANY = 1_000_000
_FEW = 20_000
_SIDE = 8
_COPIES_01, _SAME_01 = 0.05, 0.1
_CENTERS = 1_000
_NOISE, _LITTLE = 0.2, 0.02
"""By how much of what a picture is a copy differs: most that differ by the first are near-duplicates."""

_N_QUERIES = (200, 1_000)
"""For so many pictures augmented copies are looked for among a million: of the two, the time of a search is scaled."""
_SCALED_TO = 20_000

_CHUNK = 50_000
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024

Frequencies = NDArray[np.float32]


class Pictures(NamedTuple):
    """What is searched; `copy_of` is the row that each was made from, or -1."""

    hashes: NDArray[np.int64]
    signatures: Signatures
    copy_of: NDArray[np.int64]


def main() -> None:
    """Search each set in a process of its own, print the table."""
    arguments = argument_parser(__doc__).parse_args()
    sets = ("uniform", "skewed")
    jobs = [(kind, _MANY, "near_pairs") for kind in sets]
    jobs += [(kind, _FEW, way) for kind in sets for way in ("all pairs", "near_pairs")]
    spawn = multiprocessing.get_context("spawn")
    rows = []
    for job in jobs:
        with spawn.Pool(1) as pool:
            rows.append(pool.apply(_search_row, job))
    slowest = {row["set"]: row["seconds"] for row in rows if row["way"] == "all pairs"}
    for row in rows:
        row["ratio"] = round(slowest[row["set"]] / row["seconds"], 1) if row["pictures"] == _FEW else "-"
        row["seconds"] = round(row["seconds"], 3)
    title = f"Near-duplicates: hashes within {HASH_DISTANCE_MAX} of 64 bits, signatures correlating {SIMILARITY_MIN}+"
    print_table(title, rows, as_json=arguments.json)
    with spawn.Pool(1) as pool:
        copies = [pool.apply(_copies_row, ())]
    print_table(
        f"Augmented copies of {_N_QUERIES[1]:,} among {_MANY:,} pictures, and the time scaled to more",
        copies,
        as_json=arguments.json,
    )


def _search_row(kind: str, size: int, way: str) -> dict[str, Any]:
    """One row of the table. `joined` are near-duplicates of what they were made from that end in one group with it."""
    search = {"near_pairs": _near_pairs, "all pairs": _all_pairs}[way]
    search(_pictures(kind, 4 * _CENTERS))  # once uncounted: lazy imports
    pictures = _pictures(kind, size)
    started = time.perf_counter()
    pairs = search(pictures)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT
    made = np.flatnonzero(pictures.copy_of >= 0)
    planted = np.stack([pictures.copy_of[made], made], axis=1)
    planted = planted[_bits(pictures, planted) <= HASH_DISTANCE_MAX]
    planted = planted[_similar(pictures, planted)]
    group = connected_components(size, pairs)
    return {
        "pictures": size,
        "set": kind,
        "way": way,
        "seconds": seconds,
        "peak_mib": round(peak / 2**20),
        "pairs": len(pairs),
        "planted": len(planted),
        "joined": int((group[planted[:, 0]] == group[planted[:, 1]]).sum()),
    }


def _copies_row() -> dict[str, Any]:
    """The second table: processor time grows by the same amount with each picture that is searched for.

    `cpu_min_scaled` is what `scaled_to` of them would take by that. Every searched picture has a mirrored copy, `found`
    says of how many it was found.
    """
    few, many = _N_QUERIES
    descriptors = _with_mirrored_copies(many, _MANY, np.random.default_rng(0))
    search_copies(descriptors[:_FEW], np.arange(few))  # once uncounted: lazy imports
    spent = []
    for count in _N_QUERIES:
        started, wall = time.process_time(), time.perf_counter()
        pairs = search_copies(descriptors, np.arange(count)).pairs
        spent.append(time.process_time() - started)
        seconds = time.perf_counter() - wall
    each = (spent[1] - spent[0]) / (many - few)
    return {
        "pictures": _MANY,
        "searched": many,
        "seconds": round(seconds, 1),
        "cpu_s": round(spent[1], 1),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT / 2**20),
        "found": len(set(map(tuple, pairs.tolist())) & {(row, many + row) for row in range(many)}),
        "scaled_to": _SCALED_TO,
        "cpu_min_scaled": round((spent[1] + each * (_SCALED_TO - many)) / 60, 1),
    }


def _with_mirrored_copies(count: int, size: int, rng: np.random.Generator) -> DctDescriptors:
    """Pictures of their own, but after the first few as many that are one of those mirrored, with a little noise."""
    flip = np.tile(np.where(np.arange(DESCRIPTOR_SIDE) % 2, -1, 1), DESCRIPTOR_SIDE).astype(np.float32)
    first = _independent(count, rng, DESCRIPTOR_SIDE)
    drawn = [first, np.asarray(first * flip + _LITTLE * _independent(count, rng, DESCRIPTOR_SIDE), np.float32)]
    starts = range(2 * count, size, _CHUNK)
    rest = (_quantized(_independent(min(_CHUNK, size - start), rng, DESCRIPTOR_SIDE)) for start in starts)
    return np.concatenate([*map(_quantized, drawn), *rest])


def _quantized(frequencies: Frequencies) -> DctDescriptors:
    return decode_descriptors(pd.Series(encode_descriptors(frequencies), dtype=object))


def _near_pairs(pictures: Pictures) -> Pairs:
    return near_pairs(pictures.hashes, HASH_DISTANCE_MAX, lambda pairs: _similar(pictures, pairs))


def _all_pairs(pictures: Pictures) -> Pairs:
    """Every pair compared, a row against all later ones at a time."""
    found = []
    for row in range(len(pictures.hashes) - 1):
        precision_name = np.bitwise_count((pictures.hashes[row] ^ pictures.hashes[row + 1 :]).view(np.uint64))
        near = np.flatnonzero(precision_name <= HASH_DISTANCE_MAX)
        pairs = np.stack([np.full(len(near), row), near + row + 1], axis=1)
        found.append(pairs[_similar(pictures, pairs)])
    return np.concatenate(found)


def _bits(pictures: Pictures, pairs: Pairs) -> NDArray[np.uint8]:
    first, second = pictures.hashes[pairs].T
    return np.bitwise_count((first ^ second).view(np.uint64))


def _similar(pictures: Pictures, pairs: NDArray[np.integer]) -> NDArray[np.bool_]:
    return np.asarray(similarity(pictures.signatures, pairs) >= SIMILARITY_MIN)


def _pictures(kind: str, size: int) -> Pictures:
    """What is kept of pictures that are drawn as frequencies, some at a time."""
    drawn = {"uniform": _uniform, "skewed": _skewed}[kind](size, np.random.default_rng(0))
    hashes, signatures, copy_of = [], [], []
    for frequencies, of in drawn:
        hashes.append(hash_frequencies(frequencies))
        signatures.append(decode_signatures(pd.Series(encode_signatures(frequencies), dtype=object)))
        copy_of.append(of)
    levels, scale = (np.concatenate(splits) for splits in zip(*signatures, strict=True))
    return Pictures(np.concatenate(hashes), Signatures(levels, scale), np.concatenate(copy_of))


def _uniform(size: int, rng: np.random.Generator) -> Iterator[tuple[Frequencies, NDArray[np.int64]]]:
    """Pictures of their own, a share of them with a copy."""
    count = int(_COPIES_01 * size)
    copied = _independent(count, rng)
    yield copied, np.full(count, -1)
    yield _perturbed(copied, _NOISE, rng), np.arange(count)
    for start in range(2 * count, size, count):
        count = min(count, size - start)
        yield _independent(count, rng), np.full(count, -1)


def _skewed(size: int, rng: np.random.Generator) -> Iterator[tuple[Frequencies, NDArray[np.int64]]]:
    """A tenth are one picture over and over, as a still camera has them; the others crowd around a thousand.

    Billions of pairs are near, more than `near_pairs` keeps: it drops those that join what is joined already.
    """
    centers = _independent(_CENTERS, rng)
    yield centers, np.full(_CENTERS, -1)
    for start in range(_CENTERS, size, _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, size))
        same = rows < _CENTERS + _SAME_01 * size
        copy_of = np.where(same, 0, rows % _CENTERS)
        yield _perturbed(centers[copy_of], np.where(same, _LITTLE, _NOISE)[:, None], rng), copy_of


def _independent(count: int, rng: np.random.Generator, side: int = _SIDE) -> Frequencies:
    """Pictures that have nothing to do with each other; as in photographs, the waves are the lower the shorter."""
    across, down = np.meshgrid(np.arange(side), np.arange(side))
    height = 1000 / np.maximum(across + down, 1).ravel()
    return np.asarray(rng.standard_normal((count, side * side), np.float32) * height, np.float32)


def _perturbed(frequencies: Frequencies, share: float | NDArray[np.float64], rng: np.random.Generator) -> Frequencies:
    """Copies that differ by a share of what pictures do."""
    return np.asarray(frequencies + share * _independent(len(frequencies), rng), np.float32)


if __name__ == "__main__":
    main()
