"""Runs side by side: their curves, what differs between their configs, and who is ahead, where that can be said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pandas as pd
import yaml

from fer_core.comparison.ranking import verdict
from fer_core.comparison.run_summary import RunSummary
from fer_core.comparison.table import display_names
from fer_core.errors import ConfigError, RunError
from fer_core.models.catalog import MODELS
from fer_core.runs.folder import Run, open_run
from fer_core.settings import Settings
from fer_core.training.config.optimization import MONITORED_METRICS
from fer_core.training.config.train_config import TrainConfig, flat, parse_config

COMPARED_MAX = 6
"""As many lines as one picture bears."""

_KEY_COLUMNS = ["run", "epoch", "elapsed_s"]
_NOT_GIVEN = "not given"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several runs side by side.

    Attributes:
        rows: the runs.
        names: what each is called beside the others, by its id.
        curves: a row an epoch a run: `run` (the id), `epoch`, `elapsed_s` (seconds of training up to its end), and
            whatever was measured.
        differences: a row a key of the configs that differs: `key`, and a column of text a run, by its id.
        unreadable: ids of runs whose config can't be read; they are not in `differences`.
        comparable: whether all were judged on the same images with the same labels.
        verdict: who is ahead, or why nobody can tell, in a sentence or three.
    """

    rows: tuple[RunSummary, ...]
    names: Mapping[str, str]
    curves: pd.DataFrame
    differences: pd.DataFrame
    unreadable: tuple[str, ...]
    comparable: bool
    verdict: str


def compare_runs(rows: Sequence[RunSummary], settings: Settings) -> Comparison:
    """Put runs side by side.

    Raises:
        RunError: there are fewer than two or more than `COMPARED_MAX`, or one is gone.
    """
    if not 2 <= len({row.id for row in rows}) == len(rows) <= COMPARED_MAX:
        named = ", ".join(row.id for row in rows) or "none"
        raise RunError(f"2 to {COMPARED_MAX} different runs can be compared, which these are not: {named}.")
    runs = [open_run(row.id, settings) for row in rows]
    names, curves = display_names(rows), load_curves(runs)
    configs = {run.id: config for run in runs if (config := flat_config(run))}
    judged = {split: {run.id: _judged_images(run, split) for run in runs} for split in ("test", "valid")}
    found = verdict(rows, names, curves, judged)
    return Comparison(
        tuple(rows),
        names,
        curves,
        config_differences(configs),
        tuple(run.id for run in runs if run.id not in configs),
        found.comparable,
        found.words,
    )


def load_curves(runs: Sequence[Run]) -> pd.DataFrame:
    """Every epoch of some runs, see `Comparison.curves`; one whose metrics are damaged has no rows."""
    tables = [table for run in runs if not (table := _epochs(run)).empty]
    if not tables:
        return pd.DataFrame(columns=_KEY_COLUMNS)
    joined = pd.concat(tables, ignore_index=True)
    return joined[_KEY_COLUMNS + [str(name) for name in joined if name not in _KEY_COLUMNS]]


def curve_metrics(curves: pd.DataFrame) -> list[str]:
    """What there are curves of, in the order of `optimization.MONITORED_METRICS`."""

    def known(name: str) -> bool:
        return name in curves and bool(curves[name].notna().any())

    return [metric for metric in MONITORED_METRICS if known(f"train_{metric}") or known(f"valid_{metric}")]


def metric_curves(curves: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The curves of one metric: `run`, `epoch`, `elapsed_s`, `train` and `valid`, NaN where nothing was measured.

    Raises:
        RunError: no run has it.
    """
    if metric not in curve_metrics(curves):
        raise RunError(f"No run has {metric!r}. Choose one of: {', '.join(curve_metrics(curves)) or 'none yet'}.")
    table = curves.reindex(columns=[*_KEY_COLUMNS, f"train_{metric}", f"valid_{metric}"])
    return table.set_axis([*_KEY_COLUMNS, "train", "valid"], axis=1)


def flat_config(run: Run) -> dict[str, Any]:
    """A run's config as `key.sub` to value, with what a network and today's version fill in; {} if unreadable."""
    try:
        content = yaml.safe_load(run.config_text())
    except (RunError, yaml.YAMLError):
        return {}
    if not isinstance(content, dict):
        return {}
    try:
        config = parse_config(content, run.id)
    except ConfigError:
        return flat(content)
    model = {"name": config.model.name, **MODELS[config.model.name].checked(config.model.options())}
    return flat({**config.model_dump(mode="json"), "model": model, **_corrections(run)})


def config_differences(configs: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """The keys that are not the same in all configs, in the order of a config, titles left out.

    Args:
        configs: as `flat_config` gives them, by the run's id.
    Returns:
        columns `key`, and a column of text for each run's id.
    """
    order = {key: place for place, key in enumerate(flat(TrainConfig(dataset="")))}
    keys = sorted({key for config in configs.values() for key in config}, key=lambda key: (_place(key, order), key))
    rows = []
    for key in keys:
        texts = {run_id: _written(config[key]) if key in config else _NOT_GIVEN for run_id, config in configs.items()}
        if len(set(texts.values())) > 1 and key != "title":
            rows.append({"key": key, **texts})
    return pd.DataFrame(rows, columns=["key", *configs])


def _epochs(run: Run) -> pd.DataFrame:
    try:
        table = run.metrics()
    except (OSError, ValueError, TypeError, AttributeError):
        return pd.DataFrame()
    # An epoch of which nothing can be said is written as null, and a column of nothing else would have no type.
    table = table.apply(pd.to_numeric, errors="coerce").astype("float64")
    if "epoch" not in table:
        return pd.DataFrame()
    table = table.dropna(subset="epoch").sort_values("epoch")
    elapsed_s = table["seconds"].cumsum() if "seconds" in table else float("nan")
    return table.assign(run=run.id, epoch=table["epoch"].astype("int64"), elapsed_s=elapsed_s)


def _place(key: str, order: Mapping[str, int]) -> int:
    """Where a key stands in a config; an unknown one behind the known ones."""
    return order.get(key, len(order))


def _written(value: object) -> str:
    """A value as a config has it; a number alike whether it was written as 1 or 1.0."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else json.dumps(value, default=str)


def _corrections(run: Run) -> dict[str, Any]:
    """The version of the corrections that was used, where the config says "the newest"."""
    try:
        used = json.loads(run.path("data.json").read_bytes())
        return {"corrections": used["corrections"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _judged_images(run: Run, split: str) -> str:
    """A hash of the images of a part and their labels, in any order; "" where there are no predictions."""
    try:
        table = run.read_table(f"predictions-{split}.parquet")
    except RunError:
        return ""
    truth = [name for name in ("id", "argmax", "majority") if name in table]
    lines = table[truth].fillna("").astype("str").agg("\t".join, axis=1).sort_values()
    return sha256("\n".join(lines).encode()).hexdigest()
