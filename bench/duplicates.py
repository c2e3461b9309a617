"""Near-duplicate search: a million hashes, evenly spread and skewed, against comparing all pairs of a few.

Each row is made in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.table import show
from fer_core.data.duplicates import NEAR_BITS, components, near_pairs

_MANY = 1_000_000
_FEW = 20_000
_PLANTED_01 = 0.05
_CENTRES = 1_000
_BLANK_01 = 0.1
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024

Hashes = NDArray[np.uint64]


def main() -> None:
    """Search each set in a process of its own, print the table."""
    jobs = [("uniform", _MANY, "near_pairs"), ("skewed", _MANY, "near_pairs")]
    jobs += [("uniform", _FEW, way) for way in ("all pairs", "near_pairs")]
    spawn = multiprocessing.get_context("spawn")
    rows = []
    for job in jobs:
        with spawn.Pool(1) as pool:
            rows.append(pool.apply(_searched, job))
    slowest = next(row["seconds"] for row in rows if row["way"] == "all pairs")
    for row in rows:
        row["ratio"] = round(slowest / row["seconds"], 1) if row["hashes"] == _FEW else "-"
        row["seconds"] = round(row["seconds"], 3)
    show(f"Near-duplicates of 64-bit hashes (up to {NEAR_BITS} bits)", rows)


def _searched(kind: str, size: int, way: str) -> dict[str, Any]:
    """One row of the table. `joined` are planted neighbours that end in one group with what they were planted at."""
    hashes, planted_at = {"uniform": _uniform, "skewed": _skewed}[kind](size, np.random.default_rng(0))
    search = {"near_pairs": near_pairs, "all pairs": _all_pairs}[way]
    search(hashes[:100].view(np.int64))  # once uncounted: lazy imports
    started = time.perf_counter()
    pairs = search(hashes.view(np.int64))
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT
    group = components(size, pairs)
    rows = np.flatnonzero(planted_at >= 0)
    return {
        "hashes": size,
        "set": kind,
        "way": way,
        "seconds": seconds,
        "peak_mib": round(peak / 2**20),
        "pairs": len(pairs),
        "planted": len(rows),
        "joined": int((group[rows] == group[planted_at[rows]]).sum()),
    }


def _uniform(size: int, rng: np.random.Generator) -> tuple[Hashes, NDArray[np.int64]]:
    """Random hashes, a share of them 0 to 3 bits away from another.

    Returns:
        the hashes, and for each the row that it was planted at, or -1.
    """
    hashes = rng.integers(0, 2**64, size, np.uint64)
    planted_at = np.full(size, -1)
    count = int(_PLANTED_01 * size)
    planted_at[:count] = np.arange(count, 2 * count)
    hashes[:count] = _noisy(hashes[count : 2 * count], rng)
    return hashes, planted_at


def _skewed(size: int, rng: np.random.Generator) -> tuple[Hashes, NDArray[np.int64]]:
    """A tenth of the hashes all the same, as blank images have them; the others crowd 0 to 3 bits around centres.

    Some 22 million pairs are near, more than `near_pairs` keeps: it drops those that join what is joined already.
    """
    centres = rng.integers(0, 2**64, _CENTRES, np.uint64)
    planted_at = np.arange(size) % _CENTRES
    hashes = _noisy(centres[planted_at], rng)
    hashes[:_CENTRES] = centres
    same = slice(_CENTRES, _CENTRES + int(_BLANK_01 * size))
    hashes[same], planted_at[same] = hashes[0], 0
    planted_at[:_CENTRES] = -1
    return hashes, planted_at


def _noisy(hashes: Hashes, rng: np.random.Generator) -> Hashes:
    """Each hash with 0 to `NEAR_BITS` bits flipped."""
    noisy = hashes.copy()
    wanted = rng.integers(0, NEAR_BITS + 1, len(hashes))
    for flip in range(NEAR_BITS):
        bit = np.uint64(1) << rng.integers(0, 64, len(hashes), np.uint64)
        noisy ^= np.where(flip < wanted, bit, np.uint64(0))
    return noisy


def _all_pairs(hashes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Every pair compared, a row against all later ones at a time."""
    found = []
    for row in range(len(hashes) - 1):
        bits = np.bitwise_count((hashes[row] ^ hashes[row + 1 :]).view(np.uint64))
        near = np.flatnonzero(bits <= NEAR_BITS)
        found.append(np.stack([np.full(len(near), row), near + row + 1], axis=1))
    return np.concatenate(found)


if __name__ == "__main__":
    main()
