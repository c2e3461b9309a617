"""Compare runs: curves, config differences and ranking."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pandas as pd
import yaml

from fer_core.comparison.ranking import rank_runs
from fer_core.comparison.run_summary import RunSummary
from fer_core.comparison.table import display_names
from fer_core.errors import ConfigError, RunError
from fer_core.models.catalog import MODELS
from fer_core.runs.folder import Run, open_run
from fer_core.settings import Settings
from fer_core.training.config.optimization import MONITORED_METRICS
from fer_core.training.config.train_config import TrainConfig, flatten, parse_config

RUNS_MAX = 6
"""The most runs that can be compared in one chart."""

_KEY_COLUMNS = ["run", "epoch", "elapsed_s"]
_NOT_GIVEN = "not given"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several runs side by side.

    Attributes:
        runs: their summaries.
        names: display names by id.
        curves: a row per epoch and run: `run` (id), `epoch`, `elapsed_s` (training time until its end), metrics.
        differences: a row per config key that differs: `key`, and a text column per run, named by its id.
        unreadable: ids of runs whose config can't be read; they are not in `differences`.
        comparable: whether all were evaluated on the same images with the same labels.
        ranking: which run is best, or why they can't be ranked.
    """

    runs: tuple[RunSummary, ...]
    names: Mapping[str, str]
    curves: pd.DataFrame
    differences: pd.DataFrame
    unreadable: tuple[str, ...]
    comparable: bool
    ranking: str


def compare_runs(summaries: Sequence[RunSummary], settings: Settings) -> Comparison:
    """Compare 2 to `RUNS_MAX` runs.

    Raises:
        RunError: there are fewer or more, one is named twice, or one was deleted.
    """
    if not 2 <= len({run.id for run in summaries}) == len(summaries) <= RUNS_MAX:
        given = ", ".join(run.id for run in summaries) or "none"
        raise RunError(f"2 to {RUNS_MAX} different runs can be compared, but got: {given}.")
    runs = [open_run(run.id, settings) for run in summaries]
    names, curves = display_names(summaries), load_curves(runs)
    configs = {run.id: config for run in runs if (config := flat_config(run))}
    hashes = {split: {run.id: _hash_evaluation_images(run, split) for run in runs} for split in ("test", "valid")}
    ranking = rank_runs(summaries, names, curves, hashes)
    return Comparison(
        tuple(summaries),
        names,
        curves,
        config_differences(configs),
        tuple(run.id for run in runs if run.id not in configs),
        ranking.comparable,
        ranking.text,
    )


def load_curves(runs: Sequence[Run]) -> pd.DataFrame:
    """Load the epochs of runs, see `Comparison.curves`; a run whose metrics are damaged has no rows."""
    tables = [table for run in runs if not (table := _epochs(run)).empty]
    if not tables:
        return pd.DataFrame(columns=_KEY_COLUMNS)
    joined = pd.concat(tables, ignore_index=True)
    return joined[_KEY_COLUMNS + [str(name) for name in joined if name not in _KEY_COLUMNS]]


def available_metrics(curves: pd.DataFrame) -> list[str]:
    """List the metrics that some run has, in the order of `optimization.MONITORED_METRICS`."""

    measured = set(curves.columns[curves.notna().any()])
    return [metric for metric in MONITORED_METRICS if measured & {f"train_{metric}", f"valid_{metric}"}]


def select_metric(curves: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Select the curves of a metric: `run`, `epoch`, `elapsed_s`, `train` and `valid`; NaN where not measured.

    Raises:
        RunError: no run has it.
    """
    if metric not in available_metrics(curves):
        raise RunError(f"No run has {metric!r}. Choose one of: {', '.join(available_metrics(curves)) or 'none yet'}.")
    table = curves.reindex(columns=[*_KEY_COLUMNS, f"train_{metric}", f"valid_{metric}"])
    return table.set_axis([*_KEY_COLUMNS, "train", "valid"], axis=1)


def flat_config(run: Run) -> dict[str, Any]:
    """A run's config as `key.sub` to value, with the defaults of the network and this version; {} if unreadable."""
    try:
        content = yaml.safe_load(run.config_text())
    except (RunError, yaml.YAMLError):
        return {}
    if not isinstance(content, dict):
        return {}
    try:
        config = parse_config(content, run.id)
    except ConfigError:
        return flatten(content)
    model = {"name": config.model.name, **MODELS[config.model.name].resolve_options(config.model.options())}
    return flatten({**config.model_dump(mode="json"), "model": model, **_corrections_version(run)})


def config_differences(configs: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """List the keys, except titles, whose values differ, in the order of a config; see `Comparison.differences`.

    Args:
        configs: those of `flat_config` by run id.
    """
    order = {key: position for position, key in enumerate(flatten(TrainConfig(dataset="")))}
    keys = {key for config in configs.values() for key in config}
    rows = []
    for key in sorted(keys, key=lambda key: (order.get(key, len(order)), key)):  # unknown keys last
        texts = {
            run_id: _format_value(config[key]) if key in config else _NOT_GIVEN for run_id, config in configs.items()
        }
        if len(set(texts.values())) > 1 and key != "title":
            rows.append({"key": key, **texts})
    return pd.DataFrame(rows, columns=["key", *configs])


def _epochs(run: Run) -> pd.DataFrame:
    try:
        table = run.metrics()
    except (OSError, ValueError, TypeError, AttributeError):
        return pd.DataFrame()
    # Undefined metrics are null, and a column with nothing else would have the type object.
    table = table.apply(pd.to_numeric, errors="coerce").astype("float64")
    if "epoch" not in table:
        return pd.DataFrame()
    table = table.dropna(subset="epoch").sort_values("epoch")
    elapsed_s = table["seconds"].cumsum() if "seconds" in table else float("nan")
    return table.assign(run=run.id, epoch=table["epoch"].astype("int64"), elapsed_s=elapsed_s)


def _format_value(value: object) -> str:
    """Format a value of a config; 1 and 1.0 look the same."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else json.dumps(value, default=str)


def _corrections_version(run: Run) -> dict[str, Any]:
    """The version of the corrections that was used, which the config may leave open."""
    try:
        return {"corrections": json.loads(run.path("data.json").read_bytes())["corrections"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _hash_evaluation_images(run: Run, split: str) -> str:
    """Hash the images of a split and their labels, regardless of their order; "" without predictions."""
    try:
        table = run.read_table(f"predictions-{split}.parquet")
    except RunError:
        return ""
    truth = [name for name in ("id", "argmax", "majority") if name in table]
    lines = table[truth].fillna("").astype("str").agg("\t".join, axis=1).sort_values()
    return sha256("\n".join(lines).encode()).hexdigest()
