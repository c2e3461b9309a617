"""The order of classes by confusion: every class once, confused ones side by side."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.evaluation.analysis.class_order import cluster_classes


def test_confused_classes_stand_side_by_side() -> None:
    confusion = np.diag([50, 50, 50, 50, 50])
    confusion[0, 3] = confusion[3, 0] = confusion[1, 4] = confusion[4, 1] = 30
    order = cluster_classes(confusion)
    assert sorted(order) == [0, 1, 2, 3, 4]
    assert abs(order.index(0) - order.index(3)) == abs(order.index(1) - order.index(4)) == 1


@pytest.mark.parametrize("classes", [1, 2, 3, 8])
def test_every_class_occurs_once_also_without_images(classes: int) -> None:
    assert sorted(cluster_classes(np.zeros((classes, classes), int))) == list(range(classes))
