"""The class of lowest recall."""

from __future__ import annotations

from typing import Any

from fer_core.bundles.catalog import SHIPPED_FOLDER
from fer_core.bundles.reports import read_report, reports_by_split
from fer_core.evaluation.report_schema import StoredReport
from fer_core.evaluation.weakest_class import find_weakest_class
from fer_core.labels import Expression
from tests.support.reports import make_stored_report


def make_report(happiness: list[int], contempt: list[int]) -> StoredReport:
    """Build a report of two classes from the rows of its confusion matrix."""

    def row(confused: list[int], hit: int) -> dict[str, Any]:
        support = sum(confused)
        scores = {"precision": 0.5, "f1": 0.5, "support": support, "recall_interval": [0.1, 0.9]}
        return scores | {"recall": confused[hit] / max(support, 1)}

    return make_stored_report(
        sum(happiness) + sum(contempt),
        labels=["happiness", "contempt"],
        confusion=[happiness, contempt],
        per_class={"happiness": row(happiness, 0), "contempt": row(contempt, 1)},
    )


def test_the_class_of_lowest_recall_is_found_with_its_counts() -> None:
    weakest = find_weakest_class(make_report([90, 10], [8, 2]))
    assert weakest is not None
    assert (weakest.label, weakest.found, weakest.support) == (Expression.CONTEMPT, 2, 10)
    assert (weakest.recall, weakest.recall_interval) == (0.2, (0.1, 0.9))


def test_a_class_of_few_images_is_never_named() -> None:
    weakest = find_weakest_class(make_report([90, 10], [9, 0]))
    assert weakest is not None and weakest.label is Expression.HAPPINESS
    assert find_weakest_class(make_report([5, 1], [3, 0])) is None


def test_the_counts_of_the_shipped_model_agree_with_its_recall() -> None:
    report = reports_by_split(read_report(SHIPPED_FOLDER))[0].headline
    weakest = find_weakest_class(report)
    assert weakest is not None
    assert weakest.recall == weakest.found / weakest.support
    low, high = weakest.recall_interval
    assert low <= weakest.recall < high
