"""`jobs` and `supervise`: background work, from the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fer_core.cli.output import emit, table
from fer_core.cli.parsing import add_group
from fer_core.jobs.job import Job
from fer_core.jobs.service import ensure_supervisor
from fer_core.jobs.store import JobStore
from fer_core.jobs.submit import submit_training
from fer_core.jobs.supervisor import Supervisor
from fer_core.settings import settings
from fer_core.training.config import load_config, presets


def add_to(commands: Any) -> None:
    """Add the commands to a parser."""
    commands.add_parser("supervise", help="run the store's jobs until there are none").set_defaults(run=_supervise)
    action = add_group(commands, "jobs", "submit, list, cancel and resume background jobs")
    submitting = action("submit", "train in the background", _submit)
    submitting.add_argument("--config", required=True, help=f"a YAML file, or a preset: {', '.join(presets())}")
    submitting.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    action("list", "every job, newest first", _list)
    for name, help_text, run in (
        ("show", "one job", _show),
        ("logs", "what a job printed", _logs),
        ("cancel", "stop a job; it keeps its checkpoint", _cancel),
        ("resume", "queue a job that stopped again", _resume),
    ):
        action(name, help_text, run).add_argument("id")


def as_json(job: Job) -> dict[str, Any]:
    """A job as plain data."""
    return {
        "id": job.id,
        "kind": job.kind,
        "title": job.title,
        "target": job.target,
        "state": str(job.state),
        "progress": job.progress_01,
        "message": job.message,
        "error": job.error,
        "attempts": job.attempts,
        "pid": job.pid,
        "exit_code": job.exit_code,
        **{
            name: at.isoformat() if at else None
            for name, at in (("created", job.created_at), ("started", job.started_at), ("ended", job.ended_at))
        },
    }


def _supervise(_arguments: argparse.Namespace) -> None:
    Supervisor(settings()).run_forever()


def _submit(arguments: argparse.Namespace) -> None:
    path = presets().get(arguments.config, Path(arguments.config))
    job = submit_training(load_config(path, arguments.set), settings())
    _emit(job, arguments)


def _list(arguments: argparse.Namespace) -> None:
    with JobStore(settings()) as store:
        jobs = store.list()
    rows = [
        {"id": job.id, "kind": job.kind, "state": str(job.state), "done": f"{job.progress_01:.0%}", "title": job.title}
        for job in jobs
    ]
    emit([as_json(job) for job in jobs], arguments.json, table(rows, "No jobs yet."))


def _show(arguments: argparse.Namespace) -> None:
    with JobStore(settings()) as store:
        _emit(store.get(arguments.id), arguments)


def _logs(arguments: argparse.Namespace) -> None:
    with JobStore(settings()) as store:
        path = store.log_path(store.get(arguments.id))
    text = path.read_text(errors="replace") if path.is_file() else ""
    emit({"id": arguments.id, "log": text}, arguments.json, text.rstrip() or "Nothing was printed yet.")


def _cancel(arguments: argparse.Namespace) -> None:
    with JobStore(settings()) as store:
        job = store.request_cancel(arguments.id)
    if job.state.active:
        ensure_supervisor(settings())
    _emit(job, arguments)


def _resume(arguments: argparse.Namespace) -> None:
    with JobStore(settings()) as store:
        job = store.resume(arguments.id)
    ensure_supervisor(settings())
    _emit(job, arguments)


def _emit(job: Job, arguments: argparse.Namespace) -> None:
    words = f"{job.id}: {job.state}, {job.progress_01:.0%} done"
    emit(as_json(job), arguments.json, f"{words}. {job.error or job.message}".rstrip())
