from __future__ import annotations

import subprocess
import sys

import pytest

from fer_core.training.config.presets import PRESETS, Preset
from fer_core.training.config.train_config import load_config, preset_paths


def test_it_loads_without_torch() -> None:
    code = "import fer_core.training.config.presets, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "False"


def test_every_preset_is_there_and_our_own_come_first() -> None:
    assert set(PRESETS) == set(preset_paths())
    assert list(PRESETS)[:4] == ["small-soft", "balanced", "teacher", "webcam"]
    assert len({preset.title for preset in PRESETS.values()}) == len(PRESETS)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_a_preset_has_a_title_a_sentence_and_its_config(preset: Preset) -> None:
    assert preset.config == load_config(preset.path)
    assert preset.title
    assert preset.summary.endswith(".")
    assert "#" not in preset.summary
    assert "  " not in preset.summary
