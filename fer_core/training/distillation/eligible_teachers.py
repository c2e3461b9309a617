"""Which finished runs can teach another. Needs no torch."""

from __future__ import annotations

import pandas as pd

from fer_core.contract import Contract
from fer_core.errors import FerscopeError, InputError
from fer_core.runs.folder import Run, RunState, list_runs, open_run
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig
from fer_core.training.leakage import assert_disjoint


def eligible_teachers(store: Settings) -> dict[str, Contract]:
    """The finished runs, newest first, each with how it takes faces."""
    found: dict[str, Contract] = {}
    for run in list_runs(store):
        if run.state is RunState.FINISHED:
            try:
                found[run.id] = Contract.load(run.path("contract.json"))
            except FerscopeError:  # one damaged run does not hide the others
                continue
    return found


def open_teachers(config: TrainConfig, contract: Contract, held_out: pd.DataFrame | None, store: Settings) -> list[Run]:
    """Open the runs that a config names as teachers.

    Args:
        config: of the student.
        contract: of the student; the teachers' must be the same.
        held_out: the student's validation and test images, see `leakage.assert_disjoint`; None checks nothing.
        store: where the runs are.
    Raises:
        InputError: a run is not there, not finished, takes faces in another way, or has learned from `held_out`.
    """
    runs = [open_run(name, store) for name in config.distillation.teachers]
    for run in runs:
        _check(run, contract)
        if held_out is not None:
            assert_disjoint("distillation.teachers", run.folder, config, held_out, store)
    return runs


def _check(run: Run, contract: Contract) -> None:
    if run.state is not RunState.FINISHED:
        raise InputError(f"distillation.teachers: the run {run.id} is {run.state}. A teacher is a finished run.")
    theirs = Contract.load(run.path("contract.json"))
    if theirs != contract:
        different = ", ".join(key for key, value in theirs if value != getattr(contract, key))
        raise InputError(
            f"distillation.teachers: the run {run.id} takes faces in another way ({different}). "
            "Choose teachers whose color, size, normalization and labels are the student's."
        )
