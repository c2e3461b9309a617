"""Read files, links and commands of earlier versions: map their names to the current ones.

Every reader of such a file uses this module, so that old runs, bundles, datasets, configs and links still open. Files
are not rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

CONFIG_KEYS = {
    "optimiser": "optimizer",
    "remedy": "rebalancing",
    "weights_after_01": "reweight_start_01",
    "distil": "distillation",
    "leave_out_disputed": "exclude_ambiguous",
    "begin_with": "init_from",
    "select_on": "monitor",
    "mirrored": "flip_tta",
    "flip_01": "flip_prob",
    "gray_01": "grayscale_prob",
    "erase_01": "erase_prob",
    "jpeg_01": "jpeg_prob",
    "shrink_01": "downscale_prob",
    "shrink_px_min": "downscale_px_min",
    "glasses_01": "glasses_prob",
    "hand_01": "hand_prob",
    "spoilt_01": "degrade_prob",
    "shift_01": "translate_01",
    "accumulate": "accumulation_steps",
}
"""Keys of `config.yaml`, presets, augmentation policies and `--set`."""

CONFIG_VALUES = {"regularised-cnn": "regularized-cnn"}
"""Names of networks."""

MANIFEST_KEYS = {"licence": "license", "drawn": "synthetic"}
"""Keys of dataset manifests."""

JSON_KEYS = {
    **MANIFEST_KEYS,
    "colour": "color",
    "normalisation": "normalization",
    "uncertain_below_01": "confidence_threshold",
    "figures": "metrics",
    "part": "split",
    "unlabelled": "unlabeled",
    "certainty": "selective_accuracy",
    "limit_01": "confidence_threshold",
    "undisturbed": "clean",
    "disturbances": "corruptions",
    "strengths": "parameter_range",
    "levels": "severities",
    "strength": "parameter",
    "meaning": "description",
    "standing": "scores",
    "held": "comparisons",
    "ranges_from": "calibration_images",
    "accuracy_lost_01": "accuracy_drop_01",
    "accuracy_lost_interval": "accuracy_drop_interval",
    "same_answer_01": "agreement_01",
}
"""Keys of the JSON files of runs and bundles."""

MANIFEST_IDS = {"drawn-faces": "synthetic-faces"}
"""Ids of manifests, which bundles name as the data that they were trained on."""

CHECKPOINT_KEYS = {
    "averaged": "ema",
    "averaged_steps": "ema_updates",
    "chance": "generator",
    "cuda_chance": "cuda_rng",
    "machine": "environment",
    "optimiser": "optimizer",
    "patience": "early_stopper",
    "threads": "thread_counts",
    "torch_chance": "torch_rng",
}
"""Keys of a run's `checkpoint.pt`, from which it is resumed."""

CORRECTION_ACTIONS = {"dispute": "ambiguous"}
"""Actions in a dataset's `corrections.jsonl`, which was `overlay.jsonl`."""

SPLITS = {"left_out": "excluded"}
"""Splits in a run's `split.parquet`."""

IMPORT_KEYS = {"take": "move"}
"""Keys of `import.json`."""

DATASET_COLUMNS = {"unlabelled": "unlabeled", "likeness": "similarity"}
"""Columns of a dataset's `index.parquet` and `pairs.parquet`."""

QUERY_PARAMS = {"part": "split", "remedy": "rebalancing", "disputed": "ambiguous", "recipe": "policy"}
"""Query parameters. `split` used to mean the split configuration, now `split_config`."""

COMMANDS = {
    "quantise": "quantize",
    "datasets propose": "datasets preview",
    "datasets draw": "datasets generate",
    "models list-images": "models record-training-images",
}
"""Commands in scripts and in job records."""

COMMAND_FLAGS = {
    "datasets import": {"--take": "--move", "--work": "--resume"},
    "evaluate": {"--keep": "--save"},
    "quantize": {"--keep": "--save", "--ranges": "--calibration-split", "--faces": "--calibration-images"},
    "robustness": {"--keep": "--save", "--to": "--out"},
}
"""Flags of commands."""

JOB_KINDS = {"draw": "generate"}
"""Kinds in the job database and in links."""

QUERY_VALUES = {"mark": {"disputed": "ambiguous"}, "kind": JOB_KINDS}
"""Values of query parameters."""

_JSON_KEY = re.compile(rf'"({"|".join(JSON_KEYS)})"(?=\s*:)')


def rename_config_keys(content: Any) -> Any:
    """Rename the keys and network names of a config that was read from YAML."""
    renamed = rename_keys(content, CONFIG_KEYS)
    model = renamed.get("model") if isinstance(renamed, Mapping) else None
    if isinstance(model, Mapping) and model.get("name") in CONFIG_VALUES:
        renamed = {**renamed, "model": {**model, "name": CONFIG_VALUES[model["name"]]}}
    return renamed


def rename_config_path(path: str) -> str:
    """Rename the keys of a config path, such as `optimiser.momentum`."""
    return ".".join(CONFIG_KEYS.get(key, key) for key in path.split("."))


def rename_checkpoint_keys(state: Mapping[str, Any]) -> dict[str, Any]:
    """Rename the outermost keys of a training's saved state."""
    return {CHECKPOINT_KEYS.get(key, key): value for key, value in state.items()}


def rename_json_keys(content: bytes) -> bytes:
    """Rename the keys of a JSON text; a key is a quoted word followed by a colon."""
    return _JSON_KEY.sub(lambda match: f'"{JSON_KEYS[match[1]]}"', content.decode("utf-8", "surrogateescape")).encode(
        "utf-8", "surrogateescape"
    )


def rename_keys(content: Any, names: Mapping[str, str], *, deep: bool = True) -> Any:
    """Rename the keys of a mapping and, if `deep`, of those in it. A key stays if its new name exists, too."""
    if isinstance(content, Mapping):
        return {
            key if names.get(key, key) in content else names[key]: rename_keys(value, names) if deep else value
            for key, value in content.items()
        }
    return [rename_keys(value, names) for value in content] if deep and isinstance(content, list) else content


def rename_command(argv: Sequence[str]) -> list[str]:
    """Rename the command and the flags in the arguments of `python -m fer_core`."""
    for length in (2, 1):
        old = " ".join(argv[:length])
        command = COMMANDS.get(old, old)
        if command != old or command in COMMAND_FLAGS:
            flags = COMMAND_FLAGS.get(command, {})
            parts = (argument.partition("=") for argument in argv[length:])
            return [*command.split(), *("".join([flags.get(flag, flag), *rest]) for flag, *rest in parts)]
    return list(argv)


def rename_job_kind(kind: str) -> str:
    """Rename the kind of a job."""
    return JOB_KINDS.get(kind, kind)


def stored_job_kinds(kind: str) -> list[str]:
    """List the names under which jobs of a kind may be stored."""
    return [kind, *(old for old, new in JOB_KINDS.items() if new == kind)]


def rename_query_params(query: Mapping[str, str]) -> dict[str, str]:
    """Rename the query parameters of a link."""
    renamed = {}
    for name, value in query.items():
        is_config = name == "split" and value.split("~")[0] in ("published", "seeded", "kfold")
        values = QUERY_VALUES.get(name, {})
        renamed["split_config" if is_config else QUERY_PARAMS.get(name, name)] = values.get(value, value)
    return renamed
