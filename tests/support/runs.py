"""Write run folders without training."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from fer_core.labels import Expression
from fer_core.runs.folder import Run, create_run
from fer_core.settings import Settings
from fer_core.training.config.train_config import dump_config, parse_config

SCORES = ("accuracy", "macro_f1", "balanced_accuracy")


def make_run(
    run_id: str,
    settings: Settings,
    *,
    scores: Iterable[float] = (0.2, 0.4, 0.3),
    config_epochs: int | None = None,
    finished: bool = True,
    report_split: str = "test",
    macro_f1: float | None = None,
    half_width: float = 0.05,
    images: Iterable[str] = ("a", "b", "c"),
    synthetic: bool = False,
    **config: Any,
) -> Run:
    """Write a run with one epoch per entry of `scores`, its validation macro-F1; the highest is the best epoch.

    Args:
        config_epochs: epochs in the config, `len(scores)` by default.
        macro_f1: macro-F1 of the report, by default the best epoch's; its 95 % interval is `half_width` to each side.
        images: image ids of the report's split.
        config: additional keys of the config.
    """
    scores = list(scores)
    content = {"dataset": "ferplus", "epochs": config_epochs or max(1, len(scores)), **config}
    run = create_run(run_id, dump_config(parse_config(content)), settings)
    best = scores.index(max(scores)) + 1 if scores else 0
    for row in epochs(scores):
        run.append_metrics(row)
    data_version = {"dataset": content["dataset"], "fingerprint": "f", "corrections": 0, "corrections_fingerprint": "c"}
    run.write("data.json", json.dumps(data_version).encode())
    if finished:
        value = macro_f1 if macro_f1 is not None else max(scores)
        _finish(run, content, best, report_split, value, half_width, list(images), synthetic)
    return run


def epochs(scores: Iterable[float], seconds: float = 2.0) -> list[dict[str, Any]]:
    """Build rows as the trainer writes them; the validation split has no image of contempt."""
    scores, rows = list(scores), []
    for epoch, score in enumerate(scores, start=1):
        row: dict[str, Any] = {"epoch": epoch, "seconds": seconds, "images_per_s": 100.0 + epoch}
        row |= {f"train_{name}": min(1.0, score + 0.1) for name in SCORES} | {"train_loss": 2.0 - score}
        row |= {f"valid_{name}": score for name in SCORES} | {"valid_loss": 2.2 - score}
        row |= {
            f"valid_f1_{expression}": None if expression is Expression.CONTEMPT else score for expression in Expression
        }
        row["best_epoch"] = scores.index(max(scores[:epoch])) + 1
        rows.append(row)
    return rows


def _finish(
    run: Run,
    config: Mapping[str, Any],
    best: int,
    split: str,
    macro_f1: float,
    half_width: float,
    images: list[str],
    synthetic: bool,
) -> None:
    for name in ("contract.json", "weights.safetensors", "model.onnx", "report.json"):
        run.write(name, b"{}")
    run.write_table(f"predictions-{split}.parquet", pd.DataFrame({"id": images, "argmax": ["fear"] * len(images)}))
    bounds = [max(0.0, macro_f1 - half_width), min(1.0, macro_f1 + half_width)]
    metrics = {"split": split, "n": len(images), "protocol": "argmax", **dict.fromkeys(SCORES, macro_f1)}
    run.finish(
        {
            "best_epoch": best,
            "epochs": config["epochs"],
            "title": config.get("title") or "small-se-resnet",
            "created": "2026-01-01T00:00:00+00:00",
            "architecture": "small-se-resnet",
            "dataset": config["dataset"],
            "synthetic": synthetic,
            "metrics": {**metrics, "intervals": dict.fromkeys(SCORES, bounds)},
        }
    )
