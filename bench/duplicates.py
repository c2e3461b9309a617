"""Duplicate search among a million images: near-duplicates against all-pairs comparison, and augmented copies.

Images are random low frequencies. Each row is measured in a fresh process, for its peak memory.
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
    Signatures,
    decode_descriptors,
    decode_signatures,
    encode_descriptors,
    encode_signatures,
    similarity,
)
from fer_core.data.duplicates.duplicates import HASH_DISTANCE_MAX, SIMILARITY_MIN
from fer_core.data.duplicates.near_search import Pairs, connected_components, near_pairs
from fer_core.data.index.image_stats import hash_frequencies

_N_LARGE = 1_000_000
_N_SMALL = 20_000
_SIDE = 8
_COPY_SHARE_01, _IDENTICAL_SHARE_01 = 0.05, 0.1
_N_CLUSTERS = 1_000
_NOISE_01, _SMALL_NOISE_01 = 0.2, 0.02
"""Noise of a copy as a share of the image; most copies with the first are near-duplicates."""

_N_QUERIES = (200, 1_000)
"""Numbers of images whose augmented copies are searched; the time per image follows from the difference."""
_N_EXTRAPOLATED = 20_000

_CHUNK = 50_000
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024

Frequencies = NDArray[np.float32]


class ImageSet(NamedTuple):
    """Images to search; `copy_of` is the row that an image is a copy of, or -1."""

    hashes: NDArray[np.int64]
    signatures: Signatures
    copy_of: NDArray[np.int64]


def main() -> None:
    """Search each set in a fresh process and print the tables."""
    arguments = argument_parser(__doc__).parse_args()
    sets = ("uniform", "skewed")
    jobs = [(kind, _N_LARGE, "near_pairs") for kind in sets]
    jobs += [(kind, _N_SMALL, method) for kind in sets for method in ("all pairs", "near_pairs")]
    spawn = multiprocessing.get_context("spawn")
    rows = []
    for job in jobs:
        with spawn.Pool(1) as pool:
            rows.append(pool.apply(_search_row, job))
    slowest = {row["set"]: row["seconds"] for row in rows if row["method"] == "all pairs"}
    for row in rows:
        row["ratio"] = round(slowest[row["set"]] / row["seconds"], 1) if row["images"] == _N_SMALL else "-"
        row["seconds"] = round(row["seconds"], 3)
    title = f"Near-duplicates: hashes within {HASH_DISTANCE_MAX} of 64 bits, signatures correlating {SIMILARITY_MIN}+"
    print_table(title, rows, as_json=arguments.json)
    with spawn.Pool(1) as pool:
        copies = [pool.apply(_augmented_copies_row, ())]
    print_table(
        f"Augmented copies of {_N_QUERIES[1]:,} among {_N_LARGE:,} images, extrapolated to {_N_EXTRAPOLATED:,}",
        copies,
        as_json=arguments.json,
    )


def _search_row(kind: str, size: int, method: str) -> dict[str, Any]:
    """Measure one search. `copies` are near-duplicates of their originals, `found` those that end in the same group."""
    search = {"near_pairs": _near_pairs, "all pairs": _all_pairs}[method]
    search(_generate_images(kind, 4 * _N_CLUSTERS))  # warm-up: lazy imports
    images = _generate_images(kind, size)
    started = time.perf_counter()
    pairs = search(images)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT
    rows = np.flatnonzero(images.copy_of >= 0)
    copies = np.stack([images.copy_of[rows], rows], axis=1)
    copies = copies[_hash_distances(images, copies) <= HASH_DISTANCE_MAX]
    copies = copies[_are_similar(images, copies)]
    group = connected_components(size, pairs)
    return {
        "images": size,
        "set": kind,
        "method": method,
        "seconds": seconds,
        "peak_mib": round(peak / 2**20),
        "pairs": len(pairs),
        "copies": len(copies),
        "found": int((group[copies[:, 0]] == group[copies[:, 1]]).sum()),
    }


def _augmented_copies_row() -> dict[str, Any]:
    """Measure the search for augmented copies, whose CPU time grows linearly with the number of searched images.

    `cpu_min_extrapolated` is the time for `extrapolated_to` images. Every searched image has a mirrored copy; `found`
    counts those found.
    """
    few, many = _N_QUERIES
    descriptors = _generate_mirrored_copies(many, _N_LARGE, np.random.default_rng(0))
    search_copies(descriptors[:_N_SMALL], np.arange(few))  # warm-up: lazy imports
    cpu_s = []
    for count in _N_QUERIES:
        started, wall = time.process_time(), time.perf_counter()
        pairs = search_copies(descriptors, np.arange(count)).pairs
        cpu_s.append(time.process_time() - started)
        seconds = time.perf_counter() - wall
    cpu_s_per_image = (cpu_s[1] - cpu_s[0]) / (many - few)
    return {
        "images": _N_LARGE,
        "searched": many,
        "seconds": round(seconds, 1),
        "cpu_s": round(cpu_s[1], 1),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT / 2**20),
        "found": len(set(map(tuple, pairs.tolist())) & {(row, many + row) for row in range(many)}),
        "extrapolated_to": _N_EXTRAPOLATED,
        "cpu_min_extrapolated": round((cpu_s[1] + cpu_s_per_image * (_N_EXTRAPOLATED - many)) / 60, 1),
    }


def _generate_mirrored_copies(count: int, size: int, rng: np.random.Generator) -> DctDescriptors:
    """Generate `size` images: `count` different ones, their mirrored copies with little noise, then other images."""
    flip = np.tile(np.where(np.arange(DESCRIPTOR_SIDE) % 2, -1, 1), DESCRIPTOR_SIDE).astype(np.float32)
    first = _random_frequencies(count, rng, DESCRIPTOR_SIDE)
    noise = _SMALL_NOISE_01 * _random_frequencies(count, rng, DESCRIPTOR_SIDE)
    generated = [first, np.asarray(first * flip + noise, np.float32)]
    starts = range(2 * count, size, _CHUNK)
    rest = (_quantize(_random_frequencies(min(_CHUNK, size - start), rng, DESCRIPTOR_SIDE)) for start in starts)
    return np.concatenate([*map(_quantize, generated), *rest])


def _quantize(frequencies: Frequencies) -> DctDescriptors:
    return decode_descriptors(pd.Series(encode_descriptors(frequencies), dtype=object))


def _near_pairs(images: ImageSet) -> Pairs:
    return near_pairs(images.hashes, HASH_DISTANCE_MAX, lambda pairs: _are_similar(images, pairs))


def _all_pairs(images: ImageSet) -> Pairs:
    """Compare all pairs, one row with all later rows at a time."""
    found = []
    for row in range(len(images.hashes) - 1):
        distances = np.bitwise_count((images.hashes[row] ^ images.hashes[row + 1 :]).view(np.uint64))
        near = np.flatnonzero(distances <= HASH_DISTANCE_MAX)
        pairs = np.stack([np.full(len(near), row), near + row + 1], axis=1)
        found.append(pairs[_are_similar(images, pairs)])
    return np.concatenate(found)


def _hash_distances(images: ImageSet, pairs: Pairs) -> NDArray[np.uint8]:
    first, second = images.hashes[pairs].T
    return np.bitwise_count((first ^ second).view(np.uint64))


def _are_similar(images: ImageSet, pairs: NDArray[np.integer]) -> NDArray[np.bool_]:
    return np.asarray(similarity(images.signatures, pairs) >= SIMILARITY_MIN)


def _generate_images(kind: str, size: int) -> ImageSet:
    """Generate the hashes and signatures of a set of images, in chunks."""
    chunks = {"uniform": _uniform, "skewed": _skewed}[kind](size, np.random.default_rng(0))
    hashes, signatures, copy_of = [], [], []
    for frequencies, originals in chunks:
        hashes.append(hash_frequencies(frequencies))
        signatures.append(decode_signatures(pd.Series(encode_signatures(frequencies), dtype=object)))
        copy_of.append(originals)
    levels, scale = (np.concatenate(chunk) for chunk in zip(*signatures, strict=True))
    return ImageSet(np.concatenate(hashes), Signatures(levels, scale), np.concatenate(copy_of))


def _uniform(size: int, rng: np.random.Generator) -> Iterator[tuple[Frequencies, NDArray[np.int64]]]:
    """Different images, a share of them with a copy."""
    count = int(_COPY_SHARE_01 * size)
    copied = _random_frequencies(count, rng)
    yield copied, np.full(count, -1)
    yield _add_noise(copied, _NOISE_01, rng), np.arange(count)
    for start in range(2 * count, size, count):
        count = min(count, size - start)
        yield _random_frequencies(count, rng), np.full(count, -1)


def _skewed(size: int, rng: np.random.Generator) -> Iterator[tuple[Frequencies, NDArray[np.int64]]]:
    """A tenth of the images repeat one image, like frames of a still camera; the others form a thousand clusters.

    Billions of pairs are near. `near_pairs` drops those whose images are already connected.
    """
    centers = _random_frequencies(_N_CLUSTERS, rng)
    yield centers, np.full(_N_CLUSTERS, -1)
    for start in range(_N_CLUSTERS, size, _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, size))
        same = rows < _N_CLUSTERS + _IDENTICAL_SHARE_01 * size
        copy_of = np.where(same, 0, rows % _N_CLUSTERS)
        yield _add_noise(centers[copy_of], np.where(same, _SMALL_NOISE_01, _NOISE_01)[:, None], rng), copy_of


def _random_frequencies(count: int, rng: np.random.Generator, side: int = _SIDE) -> Frequencies:
    """Generate unrelated images as low frequencies whose amplitude falls with frequency, as in photos."""
    across, down = np.meshgrid(np.arange(side), np.arange(side))
    amplitude = 1000 / np.maximum(across + down, 1).ravel()
    return np.asarray(rng.standard_normal((count, side * side), np.float32) * amplitude, np.float32)


def _add_noise(frequencies: Frequencies, share: float | NDArray[np.float64], rng: np.random.Generator) -> Frequencies:
    return np.asarray(frequencies + share * _random_frequencies(len(frequencies), rng), np.float32)


if __name__ == "__main__":
    main()
