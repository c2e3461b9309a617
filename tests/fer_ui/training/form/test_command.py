"""The command and the config file match the form."""

from __future__ import annotations

import random
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from fer_core.cli.main import build_parser
from fer_core.errors import ConfigError
from fer_core.labels import LABEL_SETS
from fer_core.models.catalog import MODELS
from fer_core.training.config.command_line import changes_from_file
from fer_core.training.config.optimization import MONITORED_METRICS
from fer_core.training.config.presets import PRESETS
from fer_core.training.config.train_config import TrainConfig, flatten, load_config, parse_config, preset_paths
from fer_ui.training.form.command import build_arguments, build_file_name
from fer_ui.training.form.form_state import unflatten
from fer_ui.training.form.starting_point import StartingPoint
from fer_ui.training.form.widgets import field_info, number_range

ROUNDS = 150
TITLES = ["", "yes", "null", "1e5", "- a", "a: b # c", 'it\'s "so" & `that` $HOME \\n', "naïve ≥ 5 %", " space ", "{}"]


def random_config(rng: random.Random) -> TrainConfig:
    """Draw a random valid config."""
    while True:
        values = flatten(TrainConfig(dataset="some-data"))
        for path in values:
            if rng.random() < 0.6:
                values[path] = _random_value(path, values[path], rng)
        values |= _random_network(rng)
        values["split.fold"] = min(values["split.fold"], values["split.folds"] - 1)
        try:
            return parse_config(unflatten(values))
        except ConfigError:
            continue  # invalid combinations are drawn again


def _random_value(path: str, default: Any, rng: random.Random) -> Any:
    choices = {
        "title": TITLES,
        "labels": list(LABEL_SETS),
        "monitor": MONITORED_METRICS,
        "early_stopping.metric": MONITORED_METRICS,
        "corrections": [None, 0, 12],
        "dataset": ["some-data", "1234", "true-ly", "no"],
    }
    if path in choices:
        return rng.choice(choices[path])
    info = field_info(path)
    if info.annotation is bool:
        return rng.random() < 0.5
    if info.annotation is int:
        low, high = number_range(info, percent=False)[:2]
        return rng.randint(int(low), int(min(high, 10**6)))
    if info.annotation is float:
        low, high = number_range(info, percent=False)[:2]
        return rng.choice([low, high, 10 ** rng.uniform(-9, 0), rng.uniform(low, min(high, 10))])
    literal = getattr(info.annotation, "__args__", ())
    return rng.choice(literal) if literal and isinstance(default, str) else default


def _random_network(rng: random.Random) -> dict[str, Any]:
    info = MODELS[rng.choice(list(MODELS))]
    values: dict[str, Any] = {f"model.{name}": None for name in TrainConfig.model_fields["model"].default.model_dump()}
    for option in info.options:
        if isinstance(option.default, bool):
            values[f"model.{option.name}"] = rng.choice([None, True, False])
        elif isinstance(option.default, float):
            values[f"model.{option.name}"] = rng.choice([None, 0.0, 1e-7, 0.33])
    return values | {"model.name": info.name}


def preset_starting_point(name: str) -> StartingPoint:
    preset = PRESETS[name]
    return StartingPoint(name, preset.title, preset.summary, name, preset.path, preset.config)


def parse_job_command(line: str) -> tuple[TrainConfig, int, str]:
    """Parse a command with the command line's parser."""
    arguments = shlex.split(line)
    parsed = build_parser().parse_args(arguments[3:])
    return (
        load_config(preset_paths().get(parsed.config, Path(parsed.config)), parsed.set),
        parsed.priority,
        parsed.device,
    )


@pytest.mark.parametrize("name", preset_paths())
def test_a_command_reproduces_the_config(name: str) -> None:
    rng = random.Random(name)
    start = preset_starting_point(name)
    for _ in range(ROUNDS // len(preset_paths())):
        config, priority = random_config(rng), rng.choice([0, -3, 1_000])
        device = rng.choice(["", "cpu", "gpu:0"])
        line = shlex.join(["python", "-m", "fer_core", *build_arguments(start, config, priority, device)])
        assert parse_job_command(line) == (config, priority, device)


def test_the_command_of_a_copy_uses_the_runs_file(tmp_path: Path) -> None:
    rng = random.Random(0)
    path = tmp_path / "a run's folder" / "config.yaml"
    path.parent.mkdir()
    for _ in range(20):
        base, config = random_config(rng), random_config(rng)
        path.write_text(yaml.safe_dump(base.model_dump(mode="json")))
        start = StartingPoint("run:it", "", "", str(path), path, base)
        line = shlex.join(["python", "-m", "fer_core", *build_arguments(start, config, 0, "")])
        assert str(path) in shlex.split(line)
        assert parse_job_command(line)[0] == config
        assert changes_from_file(path, base) == []


def test_an_unchanged_preset_needs_no_changes() -> None:
    for name, preset in PRESETS.items():
        assert build_arguments(preset_starting_point(name), preset.config, 0, "") == [
            "jobs",
            "submit",
            "--config",
            name,
        ]


def test_the_file_name_follows_from_the_title() -> None:
    config = TrainConfig(dataset="some-data", title="Study A's CNN, 50 %")
    assert build_file_name(config) == "study-a-s-cnn-50"
    assert build_file_name(config.model_copy(update={"title": "///"})) == "config"
    assert build_file_name(config.model_copy(update={"title": ""})) == "small-se-resnet"
