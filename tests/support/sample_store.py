"""A small store for page tests: synthetic faces, a finished run and its jobs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from fer_core.data.catalog import import_dataset
from fer_core.data.synthetic.dataset import SyntheticFacesConfig
from fer_core.experiment import run_experiment
from fer_core.jobs.job import JobKind, JobState
from fer_core.jobs.store import JobStore
from fer_core.labels import Expression
from fer_core.runs.folder import create_run
from fer_core.settings import Settings
from fer_core.training.config.train_config import dump_config, load_config, preset_paths
from tests.support.synthetic_datasets import write_ferplus_like

DATASET = "synthetic-votes"
RUN = "20260101-000000-tiny-0001"
TINY_CONFIG = [
    "model.width=4",
    "epochs=2",
    "batch_size=32",
    "precision=fp32",
    f"dataset={DATASET}",
    "title=Tiny network",
]


def write_ferplus_sample(archive: Path, total: int = 320) -> Path:
    """Write an archive of synthetic faces in FER+'s layout, with balanced classes."""
    write_ferplus_like(archive, SyntheticFacesConfig(total=total, identities=40, profile=dict.fromkeys(Expression, 1)))
    return archive


def copy_filled_store(target: Path, factory: pytest.TempPathFactory) -> None:
    """Copy a store filled by `fill_store` to `target`; it is filled once for all worker processes, as it trains."""
    in_worker = "PYTEST_XDIST_WORKER" in os.environ
    folder = factory.getbasetemp().parent if in_worker else factory.getbasetemp()
    filled, unfinished = folder / "filled-store", folder / "unfinished-store"
    with FileLock(folder / "filled-store.lock"):
        if not filled.exists():
            shutil.rmtree(unfinished, ignore_errors=True)
            fill_store(Settings(home=unfinished, offline=True, threads=1))
            unfinished.rename(filled)
        shutil.copytree(filled, target)


def fill_store(settings: Settings) -> None:
    """Fill an empty store with a dataset, a finished run and three jobs."""
    settings.uploads_dir.mkdir(parents=True)
    import_dataset(write_ferplus_sample(settings.uploads_dir / "votes.zip"), settings, dataset_id=DATASET, move=True)
    run = create_run(RUN, dump_config(load_config(preset_paths()["small-soft"], TINY_CONFIG)), settings)
    run_experiment(run, settings)
    with JobStore(settings) as jobs:
        done = jobs.submit(JobKind.TRAIN, "Tiny network", ("train", "--run", RUN), RUN, job_id="done")
        jobs.claim_next()
        jobs.finish(done.id, JobState.SUCCEEDED, 0, "")
        failed = jobs.submit(JobKind.TRAIN, "Wide network", ("train", "--run", "gone"), "gone", job_id="failed")
        jobs.claim_next()
        jobs.finish(failed.id, JobState.FAILED, 1, "The loss became nan in epoch 1. Lower optimizer.learning_rate.")
        jobs.submit(JobKind.TRAIN, "Waiting network", ("train", "--run", RUN), RUN, job_id="waiting")
