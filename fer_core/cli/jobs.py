"""`jobs` and `supervise`: manage background jobs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fer_core.cli.output import format_table, print_result
from fer_core.cli.parsing import add_command_group
from fer_core.errors import InputError
from fer_core.files.migration import rename_job_kind
from fer_core.jobs.deletion import delete_job
from fer_core.jobs.devices import check_device
from fer_core.jobs.job import Job, JobKind, JobState
from fer_core.jobs.log import follow_log
from fer_core.jobs.stall import describe_stall, stall_remedy
from fer_core.jobs.store import JobStore
from fer_core.jobs.submit import job_title, submit_training
from fer_core.jobs.supervisor import Supervisor
from fer_core.jobs.supervisor_process import ensure_supervisor
from fer_core.settings import settings
from fer_core.training.config.train_config import load_config, preset_paths


def add_command(commands: Any) -> None:
    """Add the commands to a parser."""
    commands.add_parser("supervise", help="run the store's jobs until none are left").set_defaults(run=_supervise)
    action = add_command_group(commands, "jobs", "manage background jobs")
    submit = action("submit", "train in the background", _submit)
    submit.add_argument("--config", required=True, help=f"a YAML file, or a preset: {', '.join(preset_paths())}")
    submit.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    submit.add_argument("--priority", type=int, default=0, help="higher starts first; default 0")
    submit.add_argument("--device", default="", help="cpu, gpu:0 …; default: the GPU with the fewest jobs")
    list_ = action("list", "list jobs, newest first", _list)
    list_.add_argument("--kind", type=rename_job_kind, choices=list(JobKind), help="only jobs of this kind")
    list_.add_argument("--state", choices=[str(state) for state in JobState], help="only jobs in this state")
    action("show", "show a job", _show).add_argument("id")
    logs = action("logs", "print a job's log", _logs)
    logs.add_argument("id")
    logs.add_argument("--follow", action="store_true", help="continue until the job has ended")
    for name, help_text, run in (
        ("cancel", "stop a job and keep its checkpoint", _cancel),
        ("resume", "queue an ended job again, from its checkpoint", _resume),
        ("retry", "queue an ended job again, from the start", _retry),
    ):
        action(name, help_text, run).add_argument("id")
    priority = action("priority", "change the priority of a queued job", _priority)
    priority.add_argument("id")
    priority.add_argument("priority", type=int, help="higher starts first, then the oldest")
    delete = action("delete", "delete an ended job with its log and run", _delete)
    delete.add_argument("id")
    delete.add_argument("--keep-run", action="store_true", help="keep the run folder")


def as_json(job: Job) -> dict[str, Any]:
    """Convert a job to JSON data."""
    return {
        "id": job.id,
        "kind": str(job.kind),
        "title": job_title(job, settings()),
        "target": job.target,
        "state": str(job.state),
        "progress": job.progress_01,
        "message": job.message,
        "error": job.error,
        "attempts": job.attempts,
        "priority": job.priority,
        "device": job.device,
        "left_s": job.left_at(datetime.now(UTC)),
        "step_elapsed_s": job.step_elapsed_at(datetime.now(UTC)),
        "stalled_after_s": job.stalled_after_s,
        "stalls": job.stalls,
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
    path = preset_paths().get(arguments.config, Path(arguments.config))
    config = load_config(path, arguments.set)
    job = submit_training(config, settings(), priority=arguments.priority, device=check_device(arguments.device))
    _print_job(job, arguments)


def _list(arguments: argparse.Namespace) -> None:
    with JobStore(settings()) as store:
        states = [JobState(arguments.state)] if arguments.state else None
        jobs = store.list(kind=JobKind(arguments.kind) if arguments.kind else None, states=states)
    rows = [
        {
            "id": job.id,
            "kind": str(job.kind),
            "state": str(job.state),
            "done": f"{job.progress_01:.0%}",
            "title": job_title(job, settings()),
        }
        for job in jobs
    ]
    print_result([as_json(job) for job in jobs], arguments.json, format_table(rows, "No jobs yet."))


def _show(arguments: argparse.Namespace) -> None:
    with JobStore(settings()) as store:
        _print_job(store.get(arguments.id), arguments)


def _logs(arguments: argparse.Namespace) -> None:
    if arguments.follow:
        _follow(arguments)
        return
    with JobStore(settings()) as store:
        path = store.log_path(store.get(arguments.id))
    text = path.read_text(errors="replace") if path.is_file() else ""
    print_result({"id": arguments.id, "log": text}, arguments.json, text.rstrip() or "The log is empty.")


def _follow(arguments: argparse.Namespace) -> None:
    if arguments.json:
        raise InputError("--follow and --json exclude each other. Choose one.")
    with JobStore(settings()) as store:
        path = store.log_path(store.get(arguments.id))
        for text in follow_log(path, lambda: store.get(arguments.id).state.ended):
            sys.stdout.write(text)
            sys.stdout.flush()


def _cancel(arguments: argparse.Namespace) -> None:
    with JobStore(settings()) as store:
        job = store.request_cancel(arguments.id)
    if job.state.active:
        ensure_supervisor(settings())
    _print_job(job, arguments)


def _resume(arguments: argparse.Namespace) -> None:
    _requeue(arguments, JobStore.resume)


def _retry(arguments: argparse.Namespace) -> None:
    _requeue(arguments, JobStore.retry)


def _requeue(arguments: argparse.Namespace, requeue: Callable[[JobStore, str], Job]) -> None:
    with JobStore(settings()) as store:
        job = requeue(store, arguments.id)
    ensure_supervisor(settings())
    _print_job(job, arguments)


def _priority(arguments: argparse.Namespace) -> None:
    with JobStore(settings()) as store:
        job = store.set_priority(arguments.id, arguments.priority)
        position = [other.id for other in store.queued() if other.device == job.device].index(job.id) + 1
    text = f"{job.id}: priority {job.priority}, position {position} in the queue"
    print_result({**as_json(job), "position": position}, arguments.json, text)


def _delete(arguments: argparse.Namespace) -> None:
    with JobStore(settings()) as store:
        run = delete_job(arguments.id, store, settings(), keep_run=arguments.keep_run)
    text = f"{arguments.id}: deleted, with its log{f' and the run {run}' if run else ''}"
    print_result({"id": arguments.id, "run": run or None}, arguments.json, text)


def _print_job(job: Job, arguments: argparse.Namespace) -> None:
    text = f"{job.id}: {job.state}, {job.progress_01:.0%} done. {job.error or job.message}".rstrip()
    if job.state is JobState.STALLED:
        text = f"{text}. {describe_stall(job, datetime.now(UTC))} {stall_remedy(job, settings())}"
    print_result(as_json(job), arguments.json, text)
