from __future__ import annotations

import numpy as np

from fer_core.data.largest_remainder import largest_remainder


def test_largest_remainder_matches_one_by_one_allocation() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        splits, n = int(rng.integers(1, 8)), int(rng.integers(1, 40))
        need, priority = rng.integers(-40, 40, splits) / 4, rng.random(splits)
        remaining, items = need.copy(), np.zeros(splits, int)
        for _ in range(n):
            split = max(range(splits), key=lambda p: (remaining[p], priority[p]))
            remaining[split] -= 1
            items[split] += 1
        np.testing.assert_array_equal(largest_remainder(need, n, priority), items)


def test_integer_needs_are_met_exactly() -> None:
    assert largest_remainder(np.array([3.0, 0, 2, 1]), 6).tolist() == [3, 0, 2, 1]


def test_without_priority_earlier_entries_come_first() -> None:
    assert largest_remainder(np.array([2.5, 0, 2.5, 1]), 6).tolist() == [3, 0, 2, 1]
