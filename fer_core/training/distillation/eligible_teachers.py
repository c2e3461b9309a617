"""Runs that can be teachers. Needs no torch."""

from __future__ import annotations

import pandas as pd

from fer_core.contract import Contract
from fer_core.errors import FerscopeError, InputError
from fer_core.runs.folder import Run, RunState, list_runs, open_run
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig
from fer_core.training.leakage import assert_disjoint


def eligible_teachers(settings: Settings) -> dict[str, Contract]:
    """List the finished runs, newest first, with their preprocessing contracts."""
    contracts: dict[str, Contract] = {}
    for run in list_runs(settings):
        if run.state is RunState.FINISHED:
            try:
                contracts[run.id] = Contract.load(run.path("contract.json"))
            except FerscopeError:  # one damaged run does not hide the others
                continue
    return contracts


def open_teachers(
    config: TrainConfig, contract: Contract, held_out: pd.DataFrame | None, settings: Settings
) -> list[Run]:
    """Open the runs that a config names as teachers.

    Args:
        config: the student's config.
        contract: the student's contract; the teachers' must be equal.
        held_out: the student's validation and test images, see `leakage.assert_disjoint`; None for no check.
    Raises:
        InputError: a run does not exist, is not finished, has another contract, or was trained on `held_out`.
    """
    runs = [open_run(name, settings) for name in config.distillation.teachers]
    for run in runs:
        _check(run, contract)
        if held_out is not None:
            assert_disjoint("distillation.teachers", run.folder, config, held_out, settings)
    return runs


def _check(run: Run, contract: Contract) -> None:
    if run.state is not RunState.FINISHED:
        raise InputError(f"distillation.teachers: the run {run.id} is {run.state}. Choose finished runs.")
    theirs = Contract.load(run.path("contract.json"))
    if theirs != contract:
        different = ", ".join(key for key, value in theirs if value != getattr(contract, key))
        raise InputError(
            f"distillation.teachers: the run {run.id} preprocesses faces differently ({different}). "
            "Choose teachers whose color, size, normalization and labels are the student's."
        )
