"""Models on the same images, and the difference of two of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fer_core.bundles.bundle import BundleInfo
from fer_core.bundles.catalog import SHIPPED, ModelEntry, find_model
from fer_core.bundles.model_comparison import EvaluatedModel, compare_models, evaluated_model
from fer_core.bundles.reports import SplitReports
from fer_core.models.catalog import MODELS
from fer_core.settings import Settings
from tests.support.reports import make_stored_report


@pytest.fixture
def shipped(store: Settings) -> EvaluatedModel:
    return evaluated_model(find_model(SHIPPED, store))


def variant(model: EvaluatedModel, points: float = 0.0, **fields: object) -> EvaluatedModel:
    """A model whose macro-F1 and interval are shifted, with other changes of its report."""
    assert model.report is not None
    report = model.report
    low, high = report.intervals["macro_f1"]
    shifted = {
        "macro_f1": report.macro_f1 + points,
        "intervals": {**report.intervals, "macro_f1": (low + points, high + points)},
    }
    changed = report.model_copy(update=shifted | fields)
    return EvaluatedModel(model.entry, SplitReports("test", (changed,)))


def test_the_shipped_model_is_described(shipped: EvaluatedModel) -> None:
    assert shipped.evaluation_set is not None
    assert shipped.evaluation_set[:3] == ("ferplus", "test", "majority")
    assert dict(shipped.evaluation_set.supports)["contempt"] == 12
    assert shipped.multiply_adds == MODELS["halved-se-resnet"].multiply_adds
    assert shipped.size_bytes > 10**7


@pytest.mark.parametrize(("points", "is_worse"), [(-0.3, True), (0.3, False), (-0.01, False)])
def test_a_model_is_worse_only_beyond_the_intervals(shipped: EvaluatedModel, points: float, is_worse: bool) -> None:
    difference = compare_models(shipped, variant(shipped, points))
    assert difference is not None and not difference.paired
    assert difference.difference_01 == pytest.approx(points)
    assert difference.is_worse is is_worse and difference.n == 2763


def test_other_images_labels_or_datasets_are_not_compared(shipped: EvaluatedModel) -> None:
    assert shipped.report is not None
    assert compare_models(shipped, variant(shipped, protocol="argmax")) is None
    other = EvaluatedModel(shipped.entry, SplitReports("test", (make_stored_report(),)))
    assert compare_models(shipped, other) is None
    elsewhere = replace(shipped.entry, info=shipped.entry.info.model_copy(update={"dataset": "rafdb"}))
    assert compare_models(shipped, EvaluatedModel(elsewhere, shipped.reports)) is None
    assert compare_models(shipped, EvaluatedModel(shipped.entry, None)) is None


def test_a_model_without_metrics_has_no_report(shipped: EvaluatedModel) -> None:
    entry = ModelEntry("x", "imported", shipped.entry.folder.parent, BundleInfo(architecture="vgg16", parameters=3))
    model = evaluated_model(entry)
    assert model.report is None and model.evaluation_set is None and model.multiply_adds is None
    assert model.size_bytes == 0
