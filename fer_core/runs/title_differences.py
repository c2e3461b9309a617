"""What differs between runs of the same title, in few words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_PARTS_MAX = 3
_SETTINGS_MAX = 2
_OPTIMIZERS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"}
_TARGETS = {"votes": "soft labels", "label": "hard labels"}
_OFF = (0, None)
_FORMS: dict[tuple[str, ...], Callable[[Any], str]] = {
    ("targets",): lambda value: _TARGETS.get(str(value), str(value)),
    ("optimizer", "name"): lambda value: _OPTIMIZERS.get(str(value), str(value)),
    ("optimizer", "learning_rate"): lambda value: f"lr {_short(value)}",
    ("epochs",): lambda value: f"{_short(value)} epochs",
    ("batch_size",): lambda value: f"batch {_short(value)}",
    ("corrections",): lambda value: f"corrections version {_short(value)}",
}
"""Settings that titles leave out, by path in the config, with the words for a value."""


def describe_differences(titles: Mapping[str, str], configs: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Describe how each run differs from the others of its title: ["hard labels"], ["no augmentation", "AdamW"].

    Args:
        titles: by run id.
        configs: as plain data, of those runs that have one.
    Returns:
        the words for each run, of settings that do differ; the first few, to stay short.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for run_id, title in titles.items():
        if configs.get(run_id):
            groups[title].append(run_id)
    differences: dict[str, list[str]] = {run_id: [] for run_id in titles}
    for ids in groups.values():
        for words in _differences([configs[run_id] for run_id in ids]):
            for run_id, word in zip(ids, words, strict=True):
                differences[run_id].append(word)
    return {run_id: words[:_PARTS_MAX] for run_id, words in differences.items()}


def _differences(configs: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """List the words for each config, for each setting that differs among them."""
    found = []
    for path, form in _FORMS.items():
        values = [_get(config, path) for config in configs]
        if _differ(values) and None not in values:
            found.append([form(value) for value in values])
    augments = [_mapping(config.get("augment")) for config in configs]
    if words := _augmentation_words(augments):
        found.insert(1 if _differ([config.get("targets") for config in configs]) else 0, words)
    return found


def _augmentation_words(augments: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the differing settings of augmentation, or tell augmentation from none; empty if they are equal."""
    keys = [key for key in dict.fromkeys(key for each in augments for key in each) if _differ(_column(augments, key))]
    off = [all(each.get(key) in _OFF for key in keys) for each in augments]
    if not keys:
        return []
    if len(keys) > _SETTINGS_MAX and any(off):
        return ["no augmentation" if is_off else "augmentation" for is_off in off]
    return [", ".join(f"{key} {_short(each.get(key))}" for key in keys[:_SETTINGS_MAX]) for each in augments]


def _column(mappings: Sequence[Mapping[str, Any]], key: str) -> list[Any]:
    return [each.get(key) for each in mappings]


def _differ(values: Sequence[Any]) -> bool:
    return any(value != values[0] for value in values)


def _get(config: Mapping[str, Any], path: Sequence[str]) -> Any:
    value: Any = config
    for key in path:
        value = _mapping(value).get(key)
    return value


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _short(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}"
    return "none" if value is None else str(value)
