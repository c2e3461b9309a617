"""Where published weights are on this machine, and what may be done with them. Needs no torch."""

from __future__ import annotations

import os
from pathlib import Path

from fer_core.models.catalog import WeightsFile
from fer_core.settings import Settings

LICENSE = (
    "The weights are torchvision's, under BSD-3-Clause; it warns that terms of the data that they were trained on, "
    "ImageNet, may apply too."
)
"""Of the published weights; after torchvision's README, "Pre-trained Model License"."""

_WHOLE_01 = 0.98


def find_weights(weights: WeightsFile, settings: Settings) -> Path | None:
    """The file in the store, else in torch.hub's cache; None where it is in neither, or cut short.

    Whether it is the right one, to its SHA-256, is seen as a training begins.
    """
    for folder in (settings.pretrained_dir, hub_cache()):
        path = folder / weights.name
        if path.is_file() and path.stat().st_size >= _WHOLE_01 * weights.size_mib * 2**20:
            return path
    return None


def hub_cache() -> Path:
    """Where torch.hub keeps checkpoints."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache"))
    home = Path(os.environ.get("TORCH_HOME", cache / "torch"))
    return home.expanduser() / "hub" / "checkpoints"
