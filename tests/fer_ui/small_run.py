"""Run folders with synthetic metrics, as training writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from fer_core.evaluation.report_schema import write_reports
from fer_core.labels import Expression
from fer_core.runs.folder import Run, create_run
from fer_core.settings import Settings
from fer_core.training.config.train_config import dump_config, load_config, preset_paths
from tests.support.reports import make_stored_report

DATA = {"dataset": "gone", "fingerprint": "31a4fd6e9a5a1d46", "corrections": 2, "corrections_fingerprint": "e3b0"}


def rows(epochs: int, **columns: Iterable[Any]) -> list[dict[str, Any]]:
    """Build one row per epoch; macro-F1 is best in the second to last. `columns` replace columns of the same name."""
    best = max(epochs - 1, 1)
    metrics = []
    for epoch in range(1, epochs + 1):
        score = 0.5 - abs(epoch - best) / 1000
        row: dict[str, Any] = {"train_loss": 2 / epoch, "valid_loss": 1 + 1 / epoch, "learning_rate": 0.1 / epoch}
        for split in ("train", "valid"):
            row |= {
                f"{split}_accuracy": score + 0.2,
                f"{split}_macro_f1": score,
                f"{split}_balanced_accuracy": score + 0.1,
            }
            row |= {f"{split}_f1_{expression}": score for expression in Expression}
        times = {"images_per_s": 300.0 + epoch, "data_seconds": 1.0, "step_seconds": 3.0, "seconds": 5.0}
        metrics.append({**row, **times, "epoch": epoch, "best_epoch": min(epoch, best)})
    for name, values in columns.items():
        for row, value in zip(metrics, values, strict=True):
            row[name] = value
    return metrics


def make_run(settings: Settings, run_id: str, metrics: Iterable[Mapping[str, Any]] = (), *changes: str) -> Run:
    """Make an unfinished run."""
    config = load_config(preset_paths()["small-soft"], ["dataset=gone", "epochs=20", "title=Small network", *changes])
    run = create_run(run_id, dump_config(config), settings)
    for row in metrics:
        run.append_metrics(dict(row))
        run.append_log(f"epoch {row['epoch']}/{config.epochs}: as expected")
    return run


def begin(run: Run) -> Run:
    """Add what a training writes before its first epoch."""
    run.write("data.json", json.dumps(DATA).encode())
    splits = ["train"] * 80 + ["valid"] * 10 + ["test"] * 8 + ["excluded"] * 2
    run.write_table("split.parquet", pd.DataFrame({"id": [str(n) for n in range(100)], "split": splits}))
    run.append_log("started on cpu, torch 2")
    run.append_log("images come from the pack on disk")
    return run


def finish(run: Run, split: str = "test", **metrics: float) -> Run:
    """Finish a run that was evaluated on `split`."""
    for name in ("contract.json", "weights.safetensors", "model.onnx"):
        run.write(name, b"{}")
    write_reports(run.path("report.json"), {split: [make_stored_report(**metrics)]})
    run.finish({"best_epoch": 2, "epochs": 20, "title": "Small network", "synthetic": False})
    return run
