"""An order of the classes in which those that are confused with each other stand side by side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def cluster_classes(confusion: NDArray[np.integer]) -> list[int]:
    """Order the classes by average-linkage clustering with optimal leaf order.

    Two classes are the closer, the larger the shares of each that are predicted as the other. Bar-Joseph, Gifford and
    Jaakkola (2001), "Fast Optimal Leaf Ordering for Hierarchical Clustering".

    Args:
        confusion: counts, shape (K, K); rows are the true classes.
    Returns:
        the K class indices; of the order and its reverse, the one that begins with the lower index.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    classes = len(confusion)
    if classes < 3:
        return list(range(classes))
    shares = confusion / np.maximum(confusion.sum(1, keepdims=True), 1)
    distance = 1 - (shares + shares.T) / 2
    np.fill_diagonal(distance, 0)
    pairs = squareform(distance, checks=False)
    order: list[int] = leaves_list(linkage(pairs, "average", optimal_ordering=True)).tolist()
    return min(order, order[::-1])
