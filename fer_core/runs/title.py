"""The title of a run: the name that a person gave it, otherwise one that says what was trained. Needs no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from fer_core.data.dataset_title import short_dataset_title
from fer_core.data.imbalance.rebalancing import STRATEGIES, Rebalancing
from fer_core.errors import RunError
from fer_core.files.migration import rename_config_keys
from fer_core.labels import LABEL_SETS
from fer_core.models.catalog import MODELS
from fer_core.runs.folder import Run
from fer_core.runs.notes import read_notes, write_notes
from fer_core.runs.title_differences import describe_differences
from fer_core.settings import Settings

_SEPARATOR = " · "
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The C loader is ten times as fast, but not always available."""

PRESET_TITLES = frozenset(
    {
        "Residual network at half the side, teacher",
        "Residual network at half the side, webcam",
        "Residual network for webcams",
        "Small residual network, balanced",
        "Small residual network, soft labels",
        "Study A's CNN",
        "Study A's ResNet18, fine-tuned",
        "Study A's ResNet18, frozen",
        "Study B's baseline",
        "Study B's transfer learning",
        "Study C's VGG16",
    }
)
"""Titles of presets of this and earlier versions: runs that carry them were not named by a person."""

_SHORT_STRATEGIES = {
    "under-sampling": "under-sampling",
    "over-sampling": "over-sampling",
    "square-root-sampling": "sqrt sampling",
    "class-weights": "class weights",
    "effective-number-weights": "effective-number weights",
    "deferred-weights": "deferred weights",
}
_SHORT_PARTS = {"under": "under-sampling", "over": "over-sampling", "square_root": "sqrt sampling"}
_SHORT_PARTS |= {"inverse": "class weights", "effective_number": "effective-number weights"}

TITLE_CHARACTERS_MAX = 120


def run_title(run: Run, settings: Settings) -> str:
    """Get a run's title: its given name, or an automatic one; the id if its config can't be read."""
    try:
        if given := read_notes(run).title:
            return given
    except RunError:
        pass
    config = read_config(run)
    return config_title(config, settings) if config else _recorded_title(run)


def config_title(config: Mapping[str, Any], settings: Settings) -> str:
    """Get the title in a config, as plain data; an automatic one if that is empty or a preset's."""
    given = config.get("title")
    if isinstance(given, str) and given.strip() and given not in PRESET_TITLES:
        return given
    return automatic_title(config, settings)


def automatic_title(config: Mapping[str, Any], settings: Settings) -> str:
    """Build a title from what a config, as plain data, trains: "FER+ · small-se-resnet · sqrt sampling · s0"."""
    dataset = str(config.get("dataset") or "")
    parts = [short_dataset_title(dataset, settings) if dataset else "", *_network(_group(config, "model"))]
    labels = LABEL_SETS.get(str(config.get("labels") or "eight"))
    parts.append(f"{len(labels)} classes" if labels and labels.name != "eight" else "")
    parts.append(short_rebalancing(config.get("rebalancing")))
    parts.append("focal loss" if _group(config, "loss").get("name") == "focal" else "")
    parts += _teachers_and_weights(config)
    split = _group(config, "split")
    if split.get("kind") == "kfold":
        parts.append(f"fold {_integer(split.get('fold')) + 1} of {_integer(split.get('folds'), 5)}")
    parts.append(f"s{_integer(config.get('seed'))}")
    return _SEPARATOR.join(filter(None, parts))


def short_rebalancing(config: object) -> str:
    """Name a rebalancing in few words: "sqrt sampling", "logit adj. 0.5"; "" for none, or if it is invalid."""
    try:
        rebalancing = Rebalancing.model_validate(config or {})
    except ValueError:
        return ""
    for name, short in _SHORT_STRATEGIES.items():
        if STRATEGIES[name].rebalancing == rebalancing:
            return short
    parts = [_SHORT_PARTS.get(rebalancing.sampling, ""), _SHORT_PARTS.get(rebalancing.weights, "")]
    parts.append(f"logit adj. {rebalancing.logit_tau:g}" if rebalancing.logit_tau else "")
    return " + ".join(filter(None, parts))


def rename_run(run: Run, title: str) -> str:
    """Give a run a name; returns it.

    Raises:
        RunError: the name is empty or too long, or can't be stored.
    """
    title = " ".join(title.split())
    if not title:
        raise RunError("A run needs a name. Type one, or use the automatic title.")
    if len(title) > TITLE_CHARACTERS_MAX:
        raise RunError(f"The name has {len(title)} characters; {TITLE_CHARACTERS_MAX} are the most. Shorten it.")
    return write_notes(run, title=title).title


def use_automatic_title(run: Run) -> None:
    """Forget the name that a run was given.

    Raises:
        RunError: that can't be stored.
    """
    write_notes(run, title="")


def distinct_titles(
    titles: Mapping[str, str],
    created: Mapping[str, datetime | None],
    configs: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, str]:
    """Add what differs to titles that more than one run has; where that is not enough the time, or the id.

    Args:
        titles: by run id.
        created: when each run was created, if known.
        configs: as plain data, of those runs that have one.
    """
    differences = describe_differences(titles, configs or {})
    titles = {run_id: _SEPARATOR.join([title, *differences[run_id]]) for run_id, title in titles.items()}
    count = Counter(titles.values())
    times = {run_id: f"{time:%Y-%m-%d %H:%M}" if time else run_id for run_id, time in created.items()}
    timed = {run_id: title if count[title] == 1 else f"{title}, {times[run_id]}" for run_id, title in titles.items()}
    again = Counter(timed.values())
    return {
        run_id: timed[run_id] if again[timed[run_id]] == 1 else f"{title}, {run_id}" for run_id, title in titles.items()
    }


def titles_by_run(runs: list[Run], settings: Settings) -> dict[str, str]:
    """Get the titles of runs by id, distinct from each other."""
    titles = {run.id: run_title(run, settings) for run in runs}
    configs = {run.id: read_config(run) for run in runs}
    return distinct_titles(titles, {run.id: created_at(run) for run in runs}, configs)


def created_at(run: Run) -> datetime | None:
    """When the run was created, from its id, otherwise from the time of its config."""
    try:
        return datetime.strptime(run.id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        return datetime.fromtimestamp(run.path("config.yaml").stat().st_mtime, UTC)
    except OSError:
        return None


def read_config(run: Run) -> dict[str, Any]:
    """Read a run's config as plain data with current keys; empty if it can't be read. Do not change the result."""
    path = run.path("config.yaml")
    try:
        stat = path.stat()
        return _read_config(path, stat.st_mtime_ns, stat.st_size)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}


@lru_cache(maxsize=512)
def _read_config(path: Path, changed_ns: int, size: int) -> dict[str, Any]:
    del changed_ns, size  # cache key
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    return rename_config_keys(content) if isinstance(content, dict) else {}


def _recorded_title(run: Run) -> str:
    """The title that a finished run recorded; otherwise the id."""
    try:
        recorded = run.summary().get("title")
    except RunError:
        return run.id
    return recorded if isinstance(recorded, str) and recorded else run.id


def _network(model: Mapping[str, Any]) -> Iterator[str]:
    """Name the network, its size if that differs from the default, and how pretrained weights are used."""
    name = str(model.get("name") or "")
    yield name
    info = MODELS.get(name)
    defaults = {option.name: option.default for option in info.options} if info else {}
    values = defaults | {option: value for option, value in model.items() if value is not None}
    for option, form in (("width", "width {}"), ("size_px", "{} px")):
        if values.get(option) != defaults.get(option):
            yield form.format(values[option])
    if "pretrained" in values:
        frozen = "frozen backbone" if values.get("frozen") else "fine-tuned"
        yield frozen if values["pretrained"] else "from scratch"


def _teachers_and_weights(config: Mapping[str, Any]) -> Iterator[str]:
    teachers = _group(config, "distillation").get("teachers")
    if isinstance(teachers, list | tuple) and teachers:
        yield "1 teacher" if len(teachers) == 1 else f"{len(teachers)} teachers"
    if config.get("init_from"):
        yield "initial weights"


def _group(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = config.get(name)
    return value if isinstance(value, Mapping) else {}


def _integer(value: object, default: int = 0) -> int:
    return value if isinstance(value, int) else default
