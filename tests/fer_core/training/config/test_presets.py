from __future__ import annotations

import subprocess
import sys

import pytest

from fer_core.training.config.presets import PRESETS, Preset
from fer_core.training.config.train_config import load_config, preset_paths


def test_presets_load_without_torch() -> None:
    code = "import fer_core.training.config.presets, sys; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert result.stdout.strip() == "False"


def test_our_presets_are_listed_first() -> None:
    assert set(PRESETS) == set(preset_paths())
    assert list(PRESETS)[:4] == ["small-soft", "balanced", "teacher", "webcam"]
    assert len({preset.title for preset in PRESETS.values()}) == len(PRESETS)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_a_preset_has_a_title_a_summary_and_a_config(preset: Preset) -> None:
    assert preset.config == load_config(preset.path)
    assert preset.title
    assert preset.summary.endswith(".")
    assert "#" not in preset.summary
    assert "  " not in preset.summary
