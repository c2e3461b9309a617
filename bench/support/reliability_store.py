"""The store of `bench.reliability`: runs tiny trainings on synthetic faces and checks its state."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.support.job_start_recorder import COMMAND, EPOCHS, starts_path
from fer_core.data.catalog import import_dataset
from fer_core.data.synthetic.dataset import SyntheticFacesConfig
from fer_core.errors import JobError
from fer_core.ids import new_id
from fer_core.jobs.job import Job, JobKind, JobState
from fer_core.jobs.process import JOB_VARIABLE, PROJECT_DIR, JobProcess, is_alive
from fer_core.jobs.store import JobStore
from fer_core.jobs.supervisor_process import ensure_supervisor, supervisor_status
from fer_core.labels import Expression
from fer_core.runs.folder import RunState, create_run, open_run
from fer_core.settings import Settings
from fer_core.training.config.train_config import dump_config, load_config, preset_paths
from tests.support.synthetic_datasets import write_ferplus_like

DATASET = "synthetic"
TIMEOUT_S = 240.0
_SETTLE_TIMEOUT_S, _KILL_TIMEOUT_S = 30.0, 10.0


@dataclass
class ReliabilityStore:
    """A store and the processes that work on it.

    `simulated` jobs write files without training. `epochs_seen` is the largest number of epochs recorded by each run.
    """

    settings: Settings
    log_folder: Path
    simulated: bool = False
    apps: list[subprocess.Popen[bytes]] = field(default_factory=list)
    epochs_seen: dict[str, int] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path, log_folder: Path, *, simulated: bool = False, images: int = 400) -> ReliabilityStore:
        """Fill an empty folder and set it as the store in the environment, also for child processes."""
        os.environ |= {
            "FERSCOPE_HOME": str(folder),
            "FERSCOPE_START_LOG": str(log_folder),
            "FERSCOPE_OFFLINE": "true",
            "FERSCOPE_HEARTBEAT_S": "0.3",
            "FERSCOPE_THREADS": "1",
            "FERSCOPE_DATABASE_URL": "",
        }
        os.environ.pop(JOB_VARIABLE, None)
        settings = Settings()
        settings.uploads_dir.mkdir(parents=True)
        log_folder.mkdir(parents=True, exist_ok=True)
        if simulated:
            return cls(settings, log_folder, simulated)
        config = SyntheticFacesConfig(total=images, identities=images // 8, profile=dict.fromkeys(Expression, 1))
        write_ferplus_like(settings.uploads_dir / "faces.zip", config)
        import_dataset(settings.uploads_dir / "faces.zip", settings, dataset_id=DATASET, move=True)
        return cls(settings, log_folder)

    def submit(self, supervised: bool = True) -> str:
        """Submit a tiny training and return the job id."""
        overrides = [f"dataset={DATASET}", "model.width=4", f"epochs={EPOCHS}", "batch_size=8", "precision=fp32"]
        config = load_config(preset_paths()["small-soft"], overrides)
        run = create_run(new_id("tiny"), dump_config(config), self.settings)
        with self.jobs() as jobs:
            command = ("simulate" if self.simulated else "train", "--run", run.id)
            job = jobs.submit(JobKind.TRAIN, "Tiny", command, run.id, resume_args=("--resume",))
        if supervised:
            self.supervise()
        return job.id

    def supervise(self) -> None:
        """Ensure a supervisor whose jobs start through the recorder."""
        ensure_supervisor(self.settings, COMMAND)

    @contextlib.contextmanager
    def jobs(self) -> Iterator[JobStore]:
        """Open the job store with a new connection."""
        with JobStore(self.settings) as jobs:
            yield jobs

    def get(self, job_id: str) -> Job:
        """Get a job and note how many epochs its run has recorded."""
        with self.jobs() as jobs:
            job = jobs.get(job_id)
        n_epochs = len(self.epochs(job))
        self.epochs_seen[job.target] = max(n_epochs, self.epochs_seen.get(job.target, 0))
        return job

    def epochs(self, job: Job) -> list[int]:
        """Read the epochs that a job's run has recorded."""
        metrics = open_run(job.target, self.settings).metrics()
        return [] if metrics.empty else [int(epoch) for epoch in metrics["epoch"]]

    def wait(self, holds: Callable[[], bool], what: str, seconds: float = TIMEOUT_S) -> None:
        """Wait until a condition holds.

        Raises:
            TimeoutError: it did not hold in time.
        """
        deadline_s = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"waited for {what} longer than {seconds:g} s")
            time.sleep(0.1)

    def wait_running(self, job_id: str) -> Job:
        """Wait until a job has a process or has ended."""
        self.wait(lambda: (job := self.get(job_id)).pid is not None or job.state.ended, "a process of the job")
        return self.get(job_id)

    def finish(self, job_id: str) -> Job:
        """Wait for the end of a job and resume it up to three times."""
        for _ in range(4):
            self.supervise()
            self.wait(lambda: self.get(job_id).state.ended, "the end of the job")
            job = self.get(job_id)
            if job.state is JobState.SUCCEEDED:
                return job
            with self.jobs() as jobs:
                jobs.resume(job_id)
        return self.get(job_id)

    def serve(self) -> subprocess.Popen[bytes]:
        """Start an app on this store and wait until it responds."""
        port = _free_port()
        command = [*COMMAND, "serve", "--server.port", str(port), "--server.headless", "true"]
        with (self.log_folder / "server.log").open("ab") as log:
            app = subprocess.Popen(command, cwd=PROJECT_DIR, stdout=log, stderr=log)
        self.apps.append(app)
        self.wait(lambda: _is_healthy(port), "a response of the app")
        return app

    def faults(self, job_id: str, *, finished: bool) -> list[str]:
        """List what is wrong, once the states had time to settle."""
        wrong_states: list[str] = []
        deadline_s = time.monotonic() + _SETTLE_TIMEOUT_S
        while time.monotonic() < deadline_s:
            wrong_states = self._find_wrong_states()
            if not wrong_states:
                break
            time.sleep(0.2)
        return [*wrong_states, *self._find_repeated_starts(job_id), *self._find_lost_epochs(job_id, finished=finished)]

    def _find_wrong_states(self) -> list[str]:
        try:
            with self.jobs() as jobs:
                recorded = jobs.list(limit=None)
        except JobError as exc:
            return [f"the store does not open: {exc}"]
        alive = _job_processes()
        ended = [job for job in recorded if job.state.ended and job.id in alive]
        wrong = [f"{job.id} is {job.state}, but has a process" for job in ended]
        running = [job for job in recorded if job.state is JobState.RUNNING]
        return wrong + [f"{job.id} is running, without a process" for job in running if JobProcess.find(job) is None]

    def _find_repeated_starts(self, job_id: str) -> list[str]:
        """Find a job that ran twice at once, or more often than its record says."""
        path = starts_path(self.log_folder)
        lines = [line.split() for line in path.read_text().splitlines()] if path.is_file() else []
        starts = [line for line in lines if line[0] == job_id]
        faults = [f"{job_id} ran twice at once" for line in starts if line[3] == "twice"]
        attempts = self.get(job_id).attempts
        if len(starts) > attempts:
            faults.append(f"{job_id} started {len(starts)} times in {attempts} attempts")
        return faults

    def _find_lost_epochs(self, job_id: str, *, finished: bool) -> list[str]:
        job = self.get(job_id)
        epochs = self.epochs(job)
        lost = [f"epochs {epochs} are not consecutive"] if epochs != list(range(1, len(epochs) + 1)) else []
        if len(epochs) < self.epochs_seen[job.target]:
            lost.append(f"{self.epochs_seen[job.target]} epochs were recorded, {len(epochs)} still are")
        if finished and (job.state is not JobState.SUCCEEDED or len(epochs) != EPOCHS):
            lost.append(f"it ended as {job.state} with {len(epochs)} of {EPOCHS} epochs: {job.error}")
        if finished and open_run(job.target, self.settings).state is not RunState.FINISHED:
            lost.append("its run folder is incomplete")
        return lost

    def supervisors(self) -> list[int]:
        """Process ids of the supervisors of this store."""
        return [pid for pid, arguments in _processes_of(self.settings).items() if arguments[-1:] == ["supervise"]]

    def kill_all(self) -> None:
        """Kill every process that was started on this store."""
        for app in self.apps:
            app.kill()
            app.wait()
        supervisor = supervisor_status(self.settings).pid
        kill(supervisor, *_job_processes().values())


def kill(*pids: int | None) -> None:
    """Send SIGKILL to processes and wait until they have ended."""
    found = []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            if pid is not None:
                found.append(psutil.Process(pid))
                os.kill(pid, signal.SIGKILL)
    deadline_s = time.monotonic() + _KILL_TIMEOUT_S
    while any(is_alive(process) for process in found) and time.monotonic() < deadline_s:
        time.sleep(0.01)


def _job_processes() -> dict[str, int]:
    """Map each job of the tested store to its process id, without child processes."""
    found = {}
    home = os.environ["FERSCOPE_HOME"]
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            environment = process.environ()
            job = environment.get(JOB_VARIABLE)
            is_leader = environment.get("FERSCOPE_HOME") == home and os.getpgid(process.pid) == process.pid
            if job and is_leader and is_alive(process):
                found[job] = process.pid
    return found


def _processes_of(settings: Settings) -> dict[int, list[str]]:
    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get("FERSCOPE_HOME") == str(settings.store) and is_alive(process):
                found[process.pid] = process.cmdline()
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False
