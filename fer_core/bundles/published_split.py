"""Which split of its dataset a model's test metrics are for."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from fer_core.bundles.bundle import CONFIG_FILE, BundleInfo
from fer_core.bundles.catalog import ModelEntry
from fer_core.bundles.quantization_report import read_quantization_report
from fer_core.bundles.reports import read_report
from fer_core.data.catalog import open_dataset
from fer_core.data.record import Split
from fer_core.data.splits.split import SplitConfig
from fer_core.errors import FerscopeError
from fer_core.settings import Settings
from fer_core.training.config.train_config import load_config


def published_validation_is_test(entry: ModelEntry, settings: Settings) -> bool:
    """Whether the test split of a model's report is the split that its dataset publishes as validation.

    False also where that can't be known: the dataset is not in the store.
    """
    with suppress(FerscopeError, OSError):
        if _quantized_on_validation(entry):
            return True
        config = load_config(entry.folder / CONFIG_FILE)
        dataset = open_dataset(_evaluated_on(entry.info) or config.dataset, settings)
        return validation_serves_as_test(config.split, dataset.published_splits())
    return False


def validation_serves_as_test(config: SplitConfig, published: Collection[str]) -> bool:
    """Whether a published validation split is used as test split, see `SplitConfig.kind`.

    Args:
        published: the splits that the dataset has.
    """
    has_both = Split.TRAIN in published and Split.VALID in published
    return config.kind == "published" and has_both and Split.TEST not in published


def _evaluated_on(info: BundleInfo) -> str:
    """The dataset that imported weights were evaluated on; their config names none."""
    return str(info.metrics.get("dataset") or "")


def _quantized_on_validation(entry: ModelEntry) -> bool:
    """Whether the INT8 report names the validation split for exactly the images of the test metrics."""
    quantization = read_quantization_report(entry.folder)
    if quantization is None or quantization.split != Split.VALID or quantization.split_of == "run":
        return False
    tested = {(report.protocol, report.n) for report in read_report(entry.folder).get(Split.TEST, [])}
    return any((result.protocol, result.n) in tested for result in quantization.comparisons)
