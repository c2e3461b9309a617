"""`checkpoint.pt`: the state of a training after an epoch, the best weights so far, and the environment.

The checkpoint says which epoch is the best. That epoch's weights are staged in a file of their own before the
checkpoint is written and renamed to `weights.safetensors` after it, so that a kill between any two writes leaves
weights and checkpoint that belong together.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from fer_core.errors import RunError
from fer_core.files.migration import rename_checkpoint_keys
from fer_core.runs.folder import CHECKPOINT, STAGED_WEIGHTS, WEIGHTS, Run
from fer_core.system.processor import processor

UNREADABLE = (RuntimeError, LookupError, EOFError, OSError, ValueError, TypeError, pickle.UnpicklingError)
"""Exceptions of reading a checkpoint that is damaged or of another network."""


def stage_best_weights(run: Run, network: nn.Module, epoch: int) -> None:
    """Write the weights of the best epoch so far to a temporary file in the run."""
    from safetensors.torch import save

    state = {name: value.contiguous().cpu() for name, value in network.state_dict().items()}
    run.write(_staged(epoch), save(state))


def commit_best_weights(run: Run, best_epoch: int) -> None:
    """Rename the staged weights of the checkpoint's best epoch to the run's, and delete other staged weights."""
    for path in run.folder.glob(STAGED_WEIGHTS):
        if path.name == _staged(best_epoch):
            run.rename(path.name, WEIGHTS)
        else:
            path.unlink()


def save_checkpoint(run: Run, state: Mapping[str, Any]) -> None:
    """Write a training's state, with torch's random states and the environment."""
    content = io.BytesIO()
    torch.save(
        {**state, "torch_rng": torch.get_rng_state(), "cuda_rng": _cuda_rng(), "environment": environment()}, content
    )
    run.write(CHECKPOINT, content.getvalue())


def load_checkpoint(run: Run, device: torch.device) -> dict[str, Any]:
    """Load the saved state; raises one of `UNREADABLE` for a damaged file."""
    return rename_checkpoint_keys(torch.load(run.path(CHECKPOINT), weights_only=True, map_location=device))


def restore_rng(state: Mapping[str, Any]) -> None:
    """Restore torch's random states."""
    torch.set_rng_state(state["torch_rng"].cpu())
    saved = [device_state.cpu() for device_state in state.get("cuda_rng", [])]
    if saved and len(saved) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(saved)


def unreadable_checkpoint(run: Run, exc: Exception) -> RunError:
    """Make the error for a checkpoint that can't be read."""
    return RunError(f"{CHECKPOINT} of the run {run.id} can't be read ({exc}). Delete the file to start over.")


def environment() -> dict[str, str]:
    """What must be the same, besides config, data and seed, for a training to give the same weights."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    return {
        "torch": str(torch.__version__),
        "device": device,
        "processor": processor().name,
        "instructions": " ".join(processor().instruction_sets) or "the oldest",
        "threads": str(torch.get_num_threads()),
    }


def environment_changes(state: Mapping[str, Any]) -> list[str]:
    """Describe how the environment differs from the saved one; empty if it is the same or unknown."""
    return [
        f"{name} {saved} before, {value} now"
        for name, value in environment().items()
        if (saved := state.get("environment", {}).get(name, value)) != value
    ]


def _staged(epoch: int) -> str:
    return STAGED_WEIGHTS.replace("*", str(epoch))


def _cuda_rng() -> list[torch.Tensor]:
    return torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
