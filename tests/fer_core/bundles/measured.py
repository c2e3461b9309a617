"""A bundle with reports of random predictions, for tests of model cards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from fer_core.bundles.bundle import BundleInfo
from fer_core.calibration import Calibration
from fer_core.contract import Contract
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.evaluation.predictions import prediction_table
from fer_core.evaluation.report import build_reports
from fer_core.evaluation.report_schema import write_reports
from fer_core.labels import Expression


def measure(folder: Path, *, splits: tuple[str, ...] = ("valid", "test"), n: int = 120, **info: object) -> BundleInfo:
    """Write a report (with votes) and `bundle.json` into a bundle's folder."""
    contract = Contract.load(folder / "contract.json")
    calibration = Calibration.load(folder / "calibration.json", contract.labels)
    content = {}
    for seed, split in enumerate(splits):
        rng = np.random.default_rng(seed)
        class_indices = rng.integers(0, len(contract.labels), n)
        votes = np.zeros((n, 10), int)
        order = list(Expression)
        votes[np.arange(n), [order.index(contract.labels[class_index]) for class_index in class_indices]] = 8
        rows = pd.DataFrame(
            {"id": range(n), "label": [str(contract.labels[class_index]) for class_index in class_indices]}
        )
        rows[list(VOTE_COLUMNS)] = votes
        logits = rng.normal(size=(n, len(contract.labels))) + 2 * np.eye(len(contract.labels))[class_indices]
        content[split] = build_reports(
            prediction_table(rows, logits.astype(np.float32), contract.label_set), calibration, contract.label_set
        )
    write_reports(folder / "report.json", content)
    bundle_info = BundleInfo(
        **{"id": folder.name, "title": "Tiny model", "dataset": "ferplus", "license": "MIT", "parameters": 9} | info  # type: ignore[arg-type]
    )
    bundle_info.save_in(folder)
    return bundle_info
