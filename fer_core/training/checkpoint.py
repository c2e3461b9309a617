"""`checkpoint.pt`: the state of a training after an epoch, and whether this machine can go on with it bit for bit."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from typing import Any

import torch

from fer_core.errors import RunError
from fer_core.runs.folder import Run

NAME = "checkpoint.pt"

UNREADABLE = (RuntimeError, LookupError, EOFError, OSError, ValueError, TypeError, pickle.UnpicklingError)
"""What reading a damaged checkpoint, or one of another network, raises."""


def save_checkpoint(run: Run, state: Mapping[str, Any]) -> None:
    """Write a training's state, with the state of torch's chance and what machine it is."""
    chance = {"torch_chance": torch.get_rng_state(), "cuda_chance": _cuda_chance(), "machine": machine()}
    content = io.BytesIO()
    torch.save({**state, **chance}, content)
    run.write(NAME, content.getvalue())


def load_checkpoint(run: Run, device: torch.device) -> dict[str, Any]:
    """The state that was saved; see `unreadable` for what it may raise."""
    state: dict[str, Any] = torch.load(run.path(NAME), weights_only=True, map_location=device)
    return state


def restore_chance(state: Mapping[str, Any]) -> None:
    """Put torch's chance back to where it was."""
    torch.set_rng_state(state["torch_chance"].cpu())
    saved = [each.cpu() for each in state.get("cuda_chance", [])]
    if saved and len(saved) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(saved)


def unreadable(run: Run, exc: Exception) -> RunError:
    """The error, in words, for a checkpoint that can't be used."""
    return RunError(f"{NAME} of the run {run.id} can't be read ({exc}). Delete the file to start over.")


def machine() -> dict[str, str]:
    """What decides beside config, data and seed whether a training gives the same weights again."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    return {"torch": str(torch.__version__), "device": device, "threads": str(torch.get_num_threads())}


def differences(state: Mapping[str, Any]) -> list[str]:
    """In words: how this machine differs from the one that saved the state; empty where it is the same or not known."""
    return [
        f"{name} {then} then, {now} now"
        for name, now in machine().items()
        if (then := state.get("machine", {}).get(name, now)) != now
    ]


def _cuda_chance() -> list[torch.Tensor]:
    return torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
