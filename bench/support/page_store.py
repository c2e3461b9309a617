"""A store with many runs: copies of one finished run with other ids, titles, seeds and longer curves."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

_HARDLINKED = {"model.onnx", "weights.safetensors", "seen-images.bin"}
_STRATEGIES = ("none", "square-root sampling", "balanced sampling", "class weights")
_EPOCHS = 40


def copy_store(source: Path, target: Path, n_runs: int) -> Path:
    """Copy a store with a finished run and add copies of the run until there are `n_runs` runs.

    Raises:
        ValueError: the store has no finished run.
    """
    shutil.copytree(source, target, copy_function=_link_or_copy, ignore=shutil.ignore_patterns("*.log", "supervisor*"))
    finished = sorted(path.parent for path in (target / "runs").glob("*/run.json"))
    if not finished:
        raise ValueError(f"{source} has no finished run to copy. Train one first.")
    for number in range(len(list((target / "runs").iterdir())), n_runs):
        _copy_run(finished[0], number)
    return target


def _copy_run(run: Path, number: int) -> None:
    rng = random.Random(number)
    copy = run.with_name(f"run-{number:02d}")
    shutil.copytree(run, copy, copy_function=_link_or_copy)
    title = f"Residual network {number:02d}, {_STRATEGIES[number % len(_STRATEGIES)]}"
    created = f"2026-11-{1 + number % 28:02d}T{number % 24:02d}:00:00+00:00"
    shift = rng.uniform(-0.06, 0.06)

    def change_summary(summary: dict[str, Any]) -> None:
        summary |= {"id": copy.name, "title": title, "created": created}
        for name in ("accuracy", "balanced_accuracy", "macro_f1"):
            summary["metrics"][name] += shift
            summary["metrics"]["intervals"][name] = [bound + shift for bound in summary["metrics"]["intervals"][name]]

    _change_json(copy / "run.json", change_summary)
    _change_json(copy / "bundle.json", lambda info: info.update(id=copy.name, title=title, created=created))
    config = yaml.safe_load((copy / "config.yaml").read_text())
    _write(copy / "config.yaml", yaml.safe_dump({**config, "seed": number, "title": title}, sort_keys=False))
    rows = [json.loads(line) for line in (copy / "metrics.jsonl").read_text().splitlines()]
    _write(copy / "metrics.jsonl", "".join(json.dumps(row) + "\n" for row in _longer(rows, rng)))


def _longer(rows: Sequence[dict[str, Any]], rng: random.Random) -> list[dict[str, Any]]:
    """Repeat the last row as further epochs with some noise."""
    last = rows[-1]
    noisy = [name for name in last if name.startswith(("train_", "valid_"))]
    further = [
        {**last, "epoch": epoch, **{name: max(0.0, last[name] * rng.gauss(1, 0.03)) for name in noisy}}
        for epoch in range(len(rows) + 1, _EPOCHS + 1)
    ]
    return [*rows, *further]


def _link_or_copy(source: str, target: str) -> str:
    """Link what nothing writes, as 50 models would fill the disk."""
    if Path(source).name in _HARDLINKED:
        os.link(source, target)
        return target
    return str(shutil.copy2(source, target))


def _change_json(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    _write(path, json.dumps(content))


def _write(path: Path, text: str) -> None:
    path.write_text(text)
