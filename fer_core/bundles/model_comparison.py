"""Compare models: on which images each was tested, and how two differ on the same ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.bundles.bundle import MODEL_FILE
from fer_core.bundles.catalog import ModelEntry
from fer_core.bundles.reports import SplitReports, read_report, reports_by_split
from fer_core.calibration import CALIBRATION_FILE, Calibration
from fer_core.contract import CONTRACT_FILE, Contract
from fer_core.errors import FerscopeError
from fer_core.evaluation.predictions import table_logits, true_labels
from fer_core.evaluation.report_schema import StoredReport
from fer_core.intervals import Interval, macro_f1_difference, unpaired_difference
from fer_core.labels import Expression
from fer_core.models.catalog import MODELS
from fer_core.runs.folder import Run


class EvaluationSet(NamedTuple):
    """The images and labels of a model's headline metrics. Equal ones mean that models can be compared.

    `supports` are the images of each class, which two different sets of images hardly share.
    """

    dataset: str
    split: str
    protocol: str
    supports: tuple[tuple[Expression, int], ...]


@dataclass(frozen=True, slots=True)
class EvaluatedModel:
    """A model with its headline report; None if it was not evaluated."""

    entry: ModelEntry
    reports: SplitReports | None

    @property
    def report(self) -> StoredReport | None:
        """The report of the headline metrics."""
        return self.reports.headline if self.reports else None

    @property
    def evaluation_set(self) -> EvaluationSet | None:
        """What the headline metrics are of."""
        report = self.report
        if self.reports is None or report is None:
            return None
        supports = tuple((label, report.per_class[label].support) for label in report.labels)
        return EvaluationSet(evaluated_on(self.entry), self.reports.split, report.protocol, supports)

    @property
    def size_bytes(self) -> int:
        """Size of the network's file."""
        path = self.entry.folder / MODEL_FILE
        return path.stat().st_size if path.is_file() else 0

    @property
    def multiply_adds(self) -> int | None:
        """Multiply-adds for one face; None if unknown."""
        facts = Run(self.entry.folder).facts() if self.entry.kind == "run" else None
        if facts is not None:
            return facts.multiply_adds
        info = MODELS.get(self.entry.info.architecture)
        known = info is not None and info.parameters == self.entry.info.parameters
        return info.multiply_adds if info is not None and known else None


@dataclass(frozen=True, slots=True)
class MacroF1Difference:
    """The macro-F1 of a model minus that of a reference on the same images, with its 95 % interval, -1..1.

    `paired`: from the predictions of both; otherwise from their intervals, which is too wide.
    """

    difference_01: float
    interval: Interval
    n: int
    paired: bool

    @property
    def is_worse(self) -> bool:
        """Whether the model is worse than the reference, beyond chance."""
        return self.interval[1] < 0


def evaluated_model(entry: ModelEntry) -> EvaluatedModel:
    """Read a model's reports."""
    splits = reports_by_split(read_report(entry.folder))
    return EvaluatedModel(entry, splits[0] if splits else None)


def evaluated_on(entry: ModelEntry) -> str:
    """The id of the dataset that a model was evaluated on; "" if unknown."""
    return str(entry.info.metrics.get("dataset") or entry.info.dataset)


def labeled_predictions(model: EvaluatedModel) -> pd.DataFrame | None:
    """Read the labeled predictions of a run's headline, by image: `truth` and `predicted`, class indices.

    Returns:
        None for what is not a run, and where a file is missing or damaged.
    """
    report, reports = model.report, model.reports
    if reports is None or report is None or model.entry.kind != "run":
        return None
    folder = model.entry.folder
    try:
        table = Run(folder).read_table(f"predictions-{reports.split}.parquet")
        contract = Contract.load(folder / CONTRACT_FILE)
        calibration = Calibration.load(folder / CALIBRATION_FILE, contract.labels)
        labels = contract.label_set
        truth = true_labels(table, report.protocol, labels)
        logits: NDArray[np.float32] = table_logits(table, labels)
    except (FerscopeError, KeyError):
        return None
    predicted = calibration.predict(logits, report.point)
    rows = pd.DataFrame({"truth": truth, "predicted": predicted}, index=pd.Index(table["id"]))
    return rows[rows["truth"] >= 0]


def compare_models(
    reference: EvaluatedModel,
    model: EvaluatedModel,
    read: Callable[[EvaluatedModel], pd.DataFrame | None] = labeled_predictions,
) -> MacroF1Difference | None:
    """Compare two models at the accurate point; None if their images or labels are not the same.

    Args:
        read: reads the predictions of either; another may keep those of a model that is compared with many.
    """
    first, second = reference.report, model.report
    if first is None or second is None or reference.evaluation_set != model.evaluation_set:
        return None
    if (before := read(reference)) is not None and (after := read(model)) is not None:
        if not before.index.equals(after.index):
            before, after = before.sort_index(), after.sort_index()
        if not before.index.equals(after.index) or not before["truth"].equals(after["truth"]):
            return None
        truth, *predicted = (
            column.to_numpy(np.int64) for column in (before["truth"], before["predicted"], after["predicted"])
        )
        difference, interval = macro_f1_difference(truth, predicted[0], predicted[1], len(first.labels))
        return MacroF1Difference(difference, interval, len(before), paired=True)
    intervals = [report.intervals["macro_f1"] for report in (first, second)]
    interval = unpaired_difference(first.macro_f1, intervals[0], second.macro_f1, intervals[1])
    return MacroF1Difference(second.macro_f1 - first.macro_f1, interval, second.n, paired=False)
