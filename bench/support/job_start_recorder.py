"""Replacement of `python -m fer_core` in `bench.reliability` that records job starts and locks each job while it runs.

Its commands `supervise` and `serve` run the supervisor and the app, whose jobs start through this module.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from pathlib import Path

from fer_core.jobs.process import JOB_VARIABLE
from fer_core.settings import settings

EPOCHS = 3
COMMAND = (sys.executable, "-m", "bench.support.job_start_recorder")


def starts_path(store: Path) -> Path:
    """Path of the log of starts: lines with job, process id, time and whether the job ran already."""
    return store / "starts.txt"


def main() -> None:
    """Record the start and run the command."""
    if sys.argv[1] == "supervise":
        _supervise()
    elif sys.argv[1] == "serve":
        _serve(sys.argv[2:])
    elif sys.argv[1] == "simulate" and _record_start():
        _simulate_training(sys.argv[3])
    else:
        _record_start()
        os.execv(sys.executable, [sys.executable, "-m", "fer_core", *sys.argv[1:]])


def _supervise() -> None:
    from fer_core.jobs.supervisor import Supervisor
    from fer_core.system.logs import configure_logging

    configure_logging("INFO")
    Supervisor(settings(), COMMAND).run_forever()


def _serve(options: list[str]) -> None:
    """Run the app with a fast watchdog and this module as supervisor."""
    from fer_core.jobs.supervisor_process import SupervisorWatchdog
    from fer_ui import serve

    vars(serve)["SupervisorWatchdog"] = lambda settings: SupervisorWatchdog(settings, COMMAND, interval_s=0.5)
    sys.argv = ["serve", *options]
    serve.main()


def _record_start() -> bool:
    """Record the start and lock the job while the process lives."""
    job, store = os.environ[JOB_VARIABLE], settings().store
    lock = os.open(_log_folder() / f"{job}.lock", os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        status = "alone"
    except OSError:
        status = "twice"
    os.set_inheritable(lock, True)  # keeps the lock when the process restarts itself with exec
    line = f"{job} {os.getpid()} {time.time():.3f} {status} {store.name}\n"
    with starts_path(_log_folder()).open("a") as starts:
        starts.write(line)
    return True


def _simulate_training(run_id: str) -> None:
    """Write what a training writes to its run and job, without training."""
    from fer_core.cli.reporting import run_with_progress
    from fer_core.progress import Progress
    from fer_core.runs.folder import open_run

    run = open_run(run_id, settings())

    def work(progress: Progress) -> None:
        n_epochs = len(run.metrics())
        run.truncate_metrics(n_epochs)
        for epoch in range(n_epochs + 1, EPOCHS + 1):
            for step in range(10):
                progress((epoch - 1 + step / 10) / EPOCHS, f"Epoch {epoch} of {EPOCHS}, batch {step}")
                time.sleep(0.05)
            run.append_metrics({"epoch": epoch})
        progress(0.95, "Evaluating the best epoch")
        time.sleep(0.5)
        for name in ("contract.json", "weights.safetensors", "model.onnx", "report.json"):
            run.write(name, b"{}")
        run.finish({})

    run_with_progress(work)


def _log_folder() -> Path:
    """Folder of the log, outside the store, whose disk may be full."""
    folder = Path(os.environ["FERSCOPE_START_LOG"])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    main()
