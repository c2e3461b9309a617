"""`checkpoint.pt`: the state of a training after an epoch, its best weights, and what it was computed with.

The checkpoint decides which epoch is the best. Its weights are written beside the run's before the checkpoint and take
their place after it, so that a kill between any two writes leaves weights and checkpoint that belong together.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from fer_core.errors import RunError
from fer_core.runs.folder import CHECKPOINT, STAGED_WEIGHTS, WEIGHTS, Run
from fer_core.system.processor import processor

NAME = CHECKPOINT

UNREADABLE = (RuntimeError, LookupError, EOFError, OSError, ValueError, TypeError, pickle.UnpicklingError)
"""What reading a damaged checkpoint, or one of another network, raises."""


def stage_best_weights(run: Run, network: nn.Module, epoch: int) -> None:
    """Write the weights of an epoch that is the best yet, under a name of their own until a checkpoint says so too."""
    from safetensors.torch import save

    state = {name: value.contiguous().cpu() for name, value in network.state_dict().items()}
    run.write(_staged(epoch), save(state))


def commit_best_weights(run: Run, best_epoch: int) -> None:
    """Make the weights of the checkpoint's best epoch the run's, and forget those that no checkpoint names."""
    for path in run.folder.glob(STAGED_WEIGHTS):
        if path.name == _staged(best_epoch):
            run.rename(path.name, WEIGHTS)
        else:
            path.unlink()


def save_checkpoint(run: Run, state: Mapping[str, Any]) -> None:
    """Write a training's state, with the state of torch's chance and what machine it is."""
    generator = {"torch_chance": torch.get_rng_state(), "cuda_chance": _cuda_chance(), "machine": machine()}
    content = io.BytesIO()
    torch.save({**state, **generator}, content)
    run.write(NAME, content.getvalue())


def load_checkpoint(run: Run, device: torch.device) -> dict[str, Any]:
    """The state that was saved; see `unreadable_checkpoint` for what it may raise."""
    state: dict[str, Any] = torch.load(run.path(NAME), weights_only=True, map_location=device)
    return state


def restore_rng(state: Mapping[str, Any]) -> None:
    """Put torch's chance back to where it was."""
    torch.set_rng_state(state["torch_chance"].cpu())
    saved = [each.cpu() for each in state.get("cuda_chance", [])]
    if saved and len(saved) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(saved)


def unreadable_checkpoint(run: Run, exc: Exception) -> RunError:
    """The error, in words, for a checkpoint that can't be used."""
    return RunError(f"{NAME} of the run {run.id} can't be read ({exc}). Delete the file to start over.")


def machine() -> dict[str, str]:
    """What decides beside config, precision included, data and seed whether a training gives the same weights again."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    here = processor()
    return {
        "torch": str(torch.__version__),
        "device": device,
        "processor": here.name,
        "instructions": " ".join(here.instruction_sets) or "the oldest",
        "threads": str(torch.get_num_threads()),
    }


def differences(state: Mapping[str, Any]) -> list[str]:
    """In words: how this machine differs from the one that saved the state; empty where it is the same or not known."""
    return [
        f"{name} {then} then, {now} now"
        for name, now in machine().items()
        if (then := state.get("machine", {}).get(name, now)) != now
    ]


def _staged(epoch: int) -> str:
    return STAGED_WEIGHTS.replace("*", str(epoch))


def _cuda_chance() -> list[torch.Tensor]:
    return torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
