"""ONNX exports of small untrained networks, made once per process as an export takes seconds."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
from torch import nn

from fer_core.calibration import Calibration
from fer_core.contract import Contract
from fer_core.labels import label_set
from fer_core.models.catalog import model_info
from fer_core.models.flip_tta import add_flip_tta
from fer_core.models.onnx_export import export_onnx
from fer_core.models.registry import build_network

SIDE_PX = 32
_NAME = "small-resnet"


def small_contract(labels: str) -> Contract:
    return model_info(_NAME).contract(label_set(labels), SIDE_PX)


def build_small_network(labels: str) -> nn.Module:
    """Build the same untrained network each time."""
    torch.manual_seed(0)
    return build_network(_NAME, len(label_set(labels)), width=8, size_px=SIDE_PX)


@lru_cache
def export_small_network(labels: str, flip_tta: bool = False) -> bytes:
    network = build_small_network(labels)
    if flip_tta:
        add_flip_tta(network)
    return export_onnx(network, small_contract(labels))


def write_small_bundle(folder: Path, labels: str, flip_tta: bool = False) -> Path:
    """Write contract, calibration and network into a new folder."""
    folder.mkdir(parents=True)
    contract = small_contract(labels)
    contract.save(folder / "contract.json")
    Calibration.identity(contract.labels).save(folder / "calibration.json")
    (folder / "model.onnx").write_bytes(export_small_network(labels, flip_tta))
    return folder
