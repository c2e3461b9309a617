from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fer_core.training.config.command_line import changes_from_file, closest_preset, to_inline_yaml
from fer_core.training.config.train_config import load_config, preset_paths


@pytest.mark.parametrize("name", preset_paths())
def test_a_preset_is_its_own_closest_preset(name: str) -> None:
    preset, changes = closest_preset(load_config(preset_paths()[name]))
    assert changes == []
    assert load_config(preset_paths()[preset]) == load_config(preset_paths()[name])


@pytest.mark.parametrize(
    "change",
    [
        "title='yes: no, #1'",
        "title='true'",
        "title='Größe [2] \"x\"'",
        "title=''",
        "dataset=a.b-c",
        "optimizer.learning_rate=1.23e-05",
        "optimizer.learning_rate=0.00001",
        "optimizer.weight_decay=0",
        "corrections=3",
        "rebalancing.reweight_start_01=0.3",
        "augment.flip_prob=0.123456",
        "exclude_ambiguous=true",
        "early_stopping={metric: balanced_accuracy, patience: 4}",
    ],
)
@pytest.mark.parametrize("name", ["small-soft", "C-vgg16"])
def test_the_changes_reproduce_the_config(name: str, change: str) -> None:
    config = load_config(preset_paths()[name], [change, "epochs=3"])
    preset, changes = closest_preset(config)
    assert load_config(preset_paths()[preset], changes) == config
    assert changes and len(changes) <= 4


def test_an_option_of_the_preset_can_be_unset() -> None:
    config = load_config(preset_paths()["small-soft"], ["model.width=null"])
    preset, changes = closest_preset(config)
    assert changes == ["model.width=null"]
    assert load_config(preset_paths()[preset], changes) == config


def test_rebalancing_given_by_name_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "named.yaml"
    path.write_text("dataset: some-data\nrebalancing: deferred-weights\n")
    config = load_config(path, ["rebalancing={sampling: over}"])
    changes = changes_from_file(path, config)
    assert [change.partition("=")[0] for change in changes] == ["rebalancing"]
    assert load_config(path, changes) == config


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1e-05, "1.0e-05"),
        (0.1, "0.1"),
        (3, "3"),
        (None, "null"),
        (True, "true"),
        ("adam", "adam"),
        ("no", '"no"'),
        ("1e5", '"1e5"'),
        ("two words", '"two words"'),
        ("", '""'),
    ],
)
def test_a_value_is_written_as_yaml_reads_it(value: object, expected: str) -> None:
    assert to_inline_yaml(value) == expected
    assert yaml.safe_load(expected) == value


def test_the_command_line_needs_no_torch() -> None:
    code = "import sys, fer_core.training.config.command_line; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
