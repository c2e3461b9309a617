"""Apportionment by the largest remainder method."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def largest_remainder(
    need: NDArray[np.float64], n: int, priority: NDArray[np.float64] | None = None
) -> NDArray[np.int64]:
    """Distribute `n` equal items: each goes to the recipient that then lacks most.

    Args:
        need: how many items each lacks, shape (K,); may be negative.
        priority: among those that lack the same, larger values come first; by default earlier ones.
    Returns:
        items of each, shape (K,); they sum to `n`.
    """
    if priority is None:
        priority = -np.arange(len(need), dtype=float)
    falling = np.sort(need)[::-1]
    levels = (np.cumsum(falling) - n) / np.arange(1, len(need) + 1)  # what is lacking at the end if k get any
    level = levels[np.flatnonzero(falling > levels)[-1]]
    items = np.floor(np.maximum(need - level, 0)).astype(np.int64)
    left = n - int(items.sum())
    items[np.lexsort((priority, need - items))[::-1][:left]] += 1
    return items
