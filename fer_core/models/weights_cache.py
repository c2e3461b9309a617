"""Locate downloaded pretrained weights; their license. Needs no torch."""

from __future__ import annotations

import os
from pathlib import Path

from fer_core.models.catalog import WeightsFile
from fer_core.settings import Settings

LICENSE = (
    "The weights are torchvision's, under BSD-3-Clause; it warns that terms of the data that they were trained on, "
    "ImageNet, may apply too."
)
"""After torchvision's README, "Pre-trained Model License"."""

_COMPLETE_01 = 0.98


def find_weights(weights: WeightsFile, settings: Settings) -> Path | None:
    """Find the file in the store or in torch.hub's cache; None if it is missing or incomplete.

    Its SHA-256 is verified when it is loaded.
    """
    for folder in (settings.pretrained_dir, hub_cache()):
        path = folder / weights.name
        if path.is_file() and path.stat().st_size >= _COMPLETE_01 * weights.size_mib * 2**20:
            return path
    return None


def hub_cache() -> Path:
    """The folder of torch.hub's checkpoints."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache"))
    home = Path(os.environ.get("TORCH_HOME", cache / "torch"))
    return home.expanduser() / "hub" / "checkpoints"
