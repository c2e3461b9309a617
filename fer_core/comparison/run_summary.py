"""Summary of one run: config, progress and metrics. Reads only small files."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from fer_core.data.dataset_title import short_dataset_title
from fer_core.data.imbalance.rebalancing import STRATEGIES, Rebalancing
from fer_core.errors import RunError
from fer_core.intervals import Interval
from fer_core.metrics import HEADLINE_METRICS
from fer_core.runs.folder import Run, RunState
from fer_core.runs.notes import NOTES_FILE, RunNotes, read_notes
from fer_core.runs.title import created_at, read_config, run_title
from fer_core.settings import Settings

_TAIL_BYTES = 16_384
"""Longer than the line of an epoch and an incomplete line after it."""

FILES_READ = frozenset({"run.json", "config.yaml", "data.json", "metrics.jsonl", NOTES_FILE})
"""The files that a summary reads; it also depends on which other files exist."""


@dataclass(frozen=True, slots=True)
class RunMetrics:
    """Metrics of a run on one split, 0..1, with 95 % intervals where known.

    Attributes:
        split: "test" or "valid".
        n: number of evaluation images; 0 if unknown.
    """

    split: str
    n: int
    protocol: str
    macro_f1: float | None
    balanced_accuracy: float | None
    accuracy: float | None
    intervals: Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run in a table of runs.

    Attributes:
        title: see `run_title`.
        dataset_title: the dataset's title in few words, see `short_dataset_title`.
        network, rebalancing, hyperparameters: parts of the config, as short texts.
        synthetic: whether it was trained on synthetic faces; None if unknown.
        best_epoch: the best one so far.
        metrics: those of the report; before it exists, the validation metrics of the best epoch.
        evaluation_key: equal for runs evaluated on the same images and labels; "" if unknown.
        problem: what is wrong with the folder.
        config: as plain data.
    """

    id: str
    title: str
    state: RunState
    network: str = ""
    rebalancing: str = ""
    hyperparameters: str = ""
    dataset: str = ""
    dataset_title: str = ""
    labels: str = ""
    synthetic: bool | None = None
    epochs_done: int = 0
    epochs_planned: int | None = None
    best_epoch: int | None = None
    metrics: RunMetrics | None = None
    images_per_s: float | None = None
    created: datetime | None = None
    tags: tuple[str, ...] = ()
    note: str = ""
    evaluation_key: str = ""
    problem: str = ""
    config: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def dataset_name(self) -> str:
        """The dataset's title, or its id."""
        return self.dataset_title or self.dataset

    @property
    def rank_group(self) -> tuple[str, str, str]:
        """Dataset, label set and split; only runs with the same three are ranked."""
        return (self.dataset, self.labels, self.metrics.split if self.metrics else "")

    def score(self, name: str) -> float | None:
        """One of `HEADLINE_METRICS`; None if unknown."""
        value: float | None = getattr(self.metrics, name) if self.metrics else None
        return value

    def interval(self, name: str) -> Interval | None:
        """The 95 % interval of one of `HEADLINE_METRICS`; None if unknown."""
        return self.metrics.intervals.get(name) if self.metrics else None


def summarize_run(run: Run, settings: Settings) -> RunSummary:
    """Summarize a run. Damaged files do not raise errors; `problem` names them."""
    problems: list[str] = []
    state = run.state
    if state is RunState.BROKEN:
        problems.append(f"It lacks {', '.join(run.missing())}." if run.missing() else "Its files are missing.")
    config = _config(run, problems)
    summary = _summary(run, problems) if run.path("run.json").is_file() else {}
    if not summary and state is RunState.FINISHED:
        state = RunState.BROKEN
    notes = _notes(run, problems)
    last = _last_epoch(run)
    metrics = _report_metrics(summary) if summary else _best_epoch_metrics(run, last)
    model = config.get("model")
    dataset = _as_str(config.get("dataset")) or _as_str(summary.get("dataset"))
    return RunSummary(
        id=run.id,
        title=run_title(run, settings),
        state=state,
        network=describe_network(model) or _as_str(summary.get("architecture")),
        rebalancing=_describe_rebalancing(config.get("rebalancing")),
        hyperparameters=_describe_hyperparameters(config),
        dataset=dataset,
        dataset_title=short_dataset_title(dataset, settings) if dataset else "",
        labels=_as_str(config.get("labels")) or "eight",
        synthetic=summary.get("synthetic") if isinstance(summary.get("synthetic"), bool) else None,
        epochs_done=_as_int(last.get("epoch")) or 0,
        epochs_planned=_as_int(config.get("epochs")) or _as_int(summary.get("epochs")),
        best_epoch=_as_int(summary.get("best_epoch")) or _as_int(last.get("best_epoch")),
        metrics=metrics,
        images_per_s=_as_float(last.get("images_per_s")),
        created=created_at(run),
        tags=notes.tags,
        note=notes.text,
        evaluation_key=_evaluation_key(run, config),
        problem=" ".join(problems),
        config=config,
    )


def _config(run: Run, problems: list[str]) -> dict[str, Any]:
    """Read the config as plain data, so that configs that this version refuses are shown as well."""
    if config := read_config(run):
        return config
    try:
        run.config_text()
    except RunError:
        if run.state is not RunState.BROKEN:
            problems.append("Its config.yaml can't be read.")
    else:
        problems.append("Its config.yaml is damaged: it can't be resumed or copied.")
    return {}


def _summary(run: Run, problems: list[str]) -> dict[str, Any]:
    try:
        return run.summary()
    except RunError:
        problems.append("Its run.json is damaged: train it again.")
        return {}


def _notes(run: Run, problems: list[str]) -> RunNotes:
    try:
        return read_notes(run)
    except RunError:
        problems.append(f"Its {NOTES_FILE} is damaged: note and tags can't be read.")
        return RunNotes()


def _last_epoch(run: Run) -> dict[str, Any]:
    """Read the last complete line of the metrics from the end of the file."""
    try:
        with run.path("metrics.jsonl").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = file.read().splitlines()
    except OSError:
        return {}
    for line in reversed(lines):
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and _as_int(row.get("epoch")):
            return row
    return {}


def _report_metrics(summary: dict[str, Any]) -> RunMetrics | None:
    """The metrics of a finished run; None if no held-out image had a label."""
    stored = summary.get("metrics")
    if not isinstance(stored, dict) or _as_float(stored.get("macro_f1")) is None:
        return None
    bounds = stored.get("intervals")
    return RunMetrics(
        split=_as_str(stored.get("split")),
        n=_as_int(stored.get("n")) or 0,
        protocol=_as_str(stored.get("protocol")),
        macro_f1=_as_float(stored.get("macro_f1")),
        balanced_accuracy=_as_float(stored.get("balanced_accuracy")),
        accuracy=_as_float(stored.get("accuracy")),
        intervals={
            name: (float(pair[0]), float(pair[1]))
            for name, pair in (bounds.items() if isinstance(bounds, dict) else ())
            if isinstance(pair, list) and len(pair) == 2 and None not in map(_as_float, pair)
        },
    )


def _best_epoch_metrics(run: Run, last: dict[str, Any]) -> RunMetrics | None:
    best = _as_int(last.get("best_epoch"))
    if not best:
        return None
    try:
        metrics = run.metrics()
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    row = metrics[metrics["epoch"] == best] if "epoch" in metrics else metrics[:0]
    if row.empty:
        return None
    scores = {name: _as_float(row.iloc[-1].get(f"valid_{name}")) for name in HEADLINE_METRICS}
    return RunMetrics("valid", 0, "argmax", **scores, intervals={}) if scores["macro_f1"] is not None else None


def _evaluation_key(run: Run, config: dict[str, Any]) -> str:
    """Hash the settings that determine the evaluation images and labels; "" without a config."""
    if not config:
        return ""
    try:
        data = json.loads(run.path("data.json").read_bytes())
    except (OSError, ValueError):
        data = {"dataset": config.get("dataset"), "corrections": config.get("corrections")}
    settings = [data, config.get("labels", "eight"), config.get("split")]
    return sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:16]


def describe_network(model: object) -> str:
    """Name the network and its options: "small-se-resnet, width 4"."""
    if not isinstance(model, dict) or not model.get("name"):
        return ""
    options = [
        f"{name.removesuffix('_01').removesuffix('_px').replace('_', ' ')} {value}"
        for name, value in model.items()
        if name in ("width", "size_px") and value is not None
    ]
    options += [name for name in ("pretrained", "frozen") if model.get(name) is True]
    return ", ".join([str(model["name"]), *options])


def _describe_rebalancing(config: object) -> str:
    try:
        rebalancing = Rebalancing.model_validate(config or {})
    except ValueError:
        return ""
    for named in STRATEGIES.values():
        if named.rebalancing == rebalancing:
            return named.title
    return ", ".join(f"{name} {value}" for name, value in rebalancing.model_dump(exclude_defaults=True).items())


def _describe_hyperparameters(config: dict[str, Any]) -> str:
    """List the main hyperparameters: "sgd 0.1, batch 64, votes"."""
    optimizer, texts = config.get("optimizer"), []
    if isinstance(optimizer, dict) and optimizer.get("name"):
        rate = _as_float(optimizer.get("learning_rate"))
        texts.append(f"{optimizer['name']}{f' {rate:g}' if rate is not None else ''}")
    if config.get("batch_size"):
        texts.append(f"batch {config['batch_size']}")
    if config.get("targets"):
        texts.append(f"{config['targets']}")
    return ", ".join(texts)


def _as_str(value: object) -> str:
    return value if isinstance(value, str) else ""


def _as_float(value: object) -> float | None:
    """Convert a finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    number = float(value)
    return number if abs(number) < float("inf") else None


def _as_int(value: object) -> int | None:
    number = _as_float(value)
    return None if number is None else int(number)
