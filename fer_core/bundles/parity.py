"""Proof that a bundle's ONNX file computes what its PyTorch weights do. For commands: it loads torch when called."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from fer_core.bundles.bundle import CONFIG_FILE, WEIGHTS_FILE, Bundle
from fer_core.bundles.golden import Check, golden_crops
from fer_core.errors import BundleError, FerscopeError

CHECK_NAME = "network"


def check_parity(folder: Path) -> list[Check]:
    """Ask PyTorch's network and the ONNX file about the golden faces; no check where that can't be asked.

    It takes `weights.safetensors`, `config.yaml`, golden faces and an installed PyTorch.
    """
    there = all((folder / name).is_file() for name in (WEIGHTS_FILE, CONFIG_FILE))
    if not there or importlib.util.find_spec("torch") is None:
        return []
    from fer_core.models.onnx_export import LOGIT_TOLERANCE, largest_difference, torch_logits
    from fer_core.training.network import load_trained_network

    try:
        bundle = Bundle.open(folder)
        crops = list(golden_crops(folder).values())
        if not crops:
            return []
        faces = bundle.contract.apply_batch(crops)
        ours = torch_logits(load_trained_network(folder), faces)
        if ours.shape[1] != len(bundle.contract.labels):
            raise BundleError(f"the weights give {ours.shape[1]} logits for {len(bundle.contract.labels)} labels")
        worst = largest_difference(ours, bundle.logits(faces))
    except FerscopeError as exc:
        return [Check(CHECK_NAME, False, str(exc))]
    passed = worst.relative <= LOGIT_TOLERANCE
    said = f"PyTorch and ONNX agree on {len(faces)} faces, largest difference {worst.relative:.1e}"
    detail = f"{said} (allowed {LOGIT_TOLERANCE:.0e})" if passed else worst.describe(len(faces), bundle.contract.labels)
    return [Check(CHECK_NAME, passed, detail)]
