"""Submit jobs, from the pages and from the command line, and give them titles."""

from __future__ import annotations

from fer_core.errors import ConfigError, DatasetError, FerscopeError
from fer_core.ids import check_id, new_id
from fer_core.jobs.devices import pick_training_device
from fer_core.jobs.job import ACTIVE_STATES, Job, JobKind
from fer_core.jobs.store import JobStore
from fer_core.jobs.supervisor_process import ensure_supervisor
from fer_core.runs.folder import create_run, open_run, weights_path
from fer_core.runs.title import config_title, run_title
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig, dump_config


def submit_training(config: TrainConfig, settings: Settings, *, priority: int = 0, device: str = "") -> Job:
    """Create a run folder and queue its training, by default on the GPU with the fewest jobs.

    Raises:
        InputError: a dataset, the initial weights or the run whose split is kept do not exist.
    """
    for dataset in (config.dataset, *config.extra_datasets):
        if not (settings.datasets_dir / check_id(dataset, "dataset") / "dataset.json").is_file():
            raise DatasetError(f"There is no dataset {dataset!r} in the store. Import it first.")
    if config.init_from and not weights_path(config.init_from, settings.runs_dir).is_file():
        raise ConfigError(f"init_from: there is no run and no file {config.init_from} on this machine.")
    if config.split_from:
        open_run(config.split_from, settings)
    title = config_title(config.model_dump(mode="json"), settings)
    run = create_run(new_id(title), dump_config(config), settings)
    with JobStore(settings) as store:
        chosen = device or pick_training_device(job.device for job in store.list(states=ACTIVE_STATES, limit=None))
        job = store.submit(
            JobKind.TRAIN,
            title,
            ("train", "--run", run.id),
            run.id,
            resume_args=("--resume",),
            priority=priority,
            device=chosen,
        )
    ensure_supervisor(settings)
    return job


def submit_import(dataset_id: str, settings: Settings, *, allow_partial: bool = False) -> Job:
    """Queue an import whose manifest is decided; it resumes from its last finished chunk."""
    partial = ("--allow-partial",) if allow_partial else ()
    args = ("datasets", "import", "--resume", check_id(dataset_id, "dataset"), *partial)
    return _submit(settings, JobKind.IMPORT, f"Import {dataset_id}", args, dataset_id)


def submit_fetch(source: str, dataset_id: str, settings: Settings) -> Job:
    """Queue a download of a URL or a compressed tar archive into the store, to be imported later."""
    args = ("datasets", "fetch", source, "--id", check_id(dataset_id, "dataset"))
    return _submit(settings, JobKind.FETCH, f"Fetch {dataset_id}", args, dataset_id)


def submit_face_search(dataset_id: str, settings: Settings) -> Job:
    """Queue a face search in every image of a dataset; it resumes from its last finished chunk."""
    args = ("datasets", "quality", check_id(dataset_id, "dataset"), "--faces")
    return _submit(settings, JobKind.QUALITY, f"Find faces in {dataset_id}", args, dataset_id)


def submit_prediction(dataset_id: str, model_id: str, settings: Settings) -> Job:
    """Queue the prediction of every image of a dataset; it resumes from its last finished chunk."""
    args = ("datasets", "predict", check_id(dataset_id, "dataset"), "--model", model_id)
    return _submit(settings, JobKind.PREDICT, f"Predict {dataset_id} with {model_id}", args, dataset_id)


def submit_embedding(dataset_id: str, model_id: str, settings: Settings) -> Job:
    """Queue the embedding map of a dataset by a model; it resumes from its last finished chunk."""
    args = ("datasets", "embed", check_id(dataset_id, "dataset"), "--model", model_id)
    return _submit(settings, JobKind.EMBED, f"Map {dataset_id} with {model_id}", args, dataset_id)


def submit_synthetic(dataset_id: str, total: int, settings: Settings) -> Job:
    """Queue the generation of a dataset of `total` synthetic faces."""
    args = ("datasets", "generate", "--id", check_id(dataset_id, "dataset"), "--total", str(total))
    return _submit(settings, JobKind.GENERATE, f"Generate {dataset_id}", args, dataset_id)


def job_title(job: Job, settings: Settings) -> str:
    """Get a job's title; a training has the title that its run has now."""
    if job.kind is not JobKind.TRAIN:
        return job.title
    try:
        return run_title(open_run(job.target, settings), settings)
    except FerscopeError:  # the run was deleted
        return job.title


def _submit(settings: Settings, kind: JobKind, title: str, args: tuple[str, ...], target: str) -> Job:
    with JobStore(settings) as store:
        job = store.submit(kind, title, args, target)
    ensure_supervisor(settings)
    return job
