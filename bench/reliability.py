"""Reliability of jobs: processes are killed, the disk fills up, the database is locked.

    python -m bench.reliability [--rounds 20] [--only NAME …] [--json] [--write]

After each round the store must open, every state must be correct, no job may have run twice and no recorded epoch may
be lost; interrupted jobs are resumed and must finish. `--write` updates the table in docs/reliability.md.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.support.job_start_recorder import EPOCHS
from bench.support.reliability_store import ReliabilityStore, kill
from bench.support.report import argument_parser, print_table
from fer_core.errors import FerscopeError
from fer_core.jobs.job import Job, JobState
from fer_core.jobs.supervisor_process import supervisor_status

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reliability.md"
_TABLE_BEGINS, _TABLE_ENDS = "<!-- table -->", "<!-- end of the table -->"

_DISK_MIB = 24
_START_S, _EPOCH_S = 6.0, 2.0
"""Approximate time until a training has loaded its libraries, and duration of an epoch."""

_LOCKED_S = 12.0
"""Longer than the busy timeout of the database, 10 s."""


@dataclass(frozen=True)
class RoundResult:
    """The phase in which the failure happened, the outcome, and the faults found afterwards."""

    phase: str
    outcome: str
    faults: list[str]


Scenario = Callable[[ReliabilityStore, random.Random], RoundResult]


def training_killed(store: ReliabilityStore, rng: random.Random) -> RoundResult:
    """Kill the training."""
    job_id = store.submit()
    interrupted = _wait_for_random_moment(store, job_id, rng)
    kill(_process_of(interrupted))
    return _check_recovery(store, job_id, interrupted)


def supervisor_killed(store: ReliabilityStore, rng: random.Random) -> RoundResult:
    """Kill the supervisor; the next one takes over the job."""
    job_id = store.submit()
    interrupted = _wait_for_random_moment(store, job_id, rng)
    kill(supervisor_status(store.settings).pid)
    return _check_recovery(store, job_id, interrupted)


def app_killed(store: ReliabilityStore, rng: random.Random) -> RoundResult:
    """Kill Streamlit, which started the supervisor, which started the job."""
    kill(supervisor_status(store.settings).pid)
    app = store.serve()
    job_id = store.submit(supervised=False)
    store.wait(lambda: supervisor_status(store.settings).running, "a supervisor started by the app")
    interrupted = _wait_for_random_moment(store, job_id, rng)
    app.kill()
    app.wait()
    return _check_recovery(store, job_id, interrupted)


def both_killed(store: ReliabilityStore, rng: random.Random) -> RoundResult:
    """Kill supervisor and training at once, like a crash of the machine."""
    job_id = store.submit()
    interrupted = _wait_for_random_moment(store, job_id, rng)
    kill(supervisor_status(store.settings).pid, _process_of(interrupted))
    return _check_recovery(store, job_id, interrupted)


def disk_full(store: ReliabilityStore, rng: random.Random) -> RoundResult:
    """Fill the disk to the last byte and free it again later."""
    shutil.rmtree(store.settings.cache_dir, ignore_errors=True)
    job_id = store.submit()
    interrupted = _wait_for_random_moment(store, job_id, rng)
    filler = store.settings.store / "filler"
    _fill(filler)
    try:
        time.sleep(rng.uniform(2, 8))
    finally:
        filler.unlink()
    return _check_recovery(store, job_id, interrupted)


def database_locked(store: ReliabilityStore, rng: random.Random) -> RoundResult:
    """Lock the database for longer than its busy timeout."""
    job_id = store.submit()
    interrupted = _wait_for_random_moment(store, job_id, rng)
    connection = sqlite3.connect(store.settings.store / "ferscope.db", isolation_level=None, timeout=30)
    connection.execute("BEGIN EXCLUSIVE")
    time.sleep(_LOCKED_S)
    connection.close()
    return _check_recovery(store, job_id, interrupted)


def two_apps(store: ReliabilityStore, rng: random.Random) -> RoundResult:
    """Kill the supervisor of a store that two apps watch; both try to start a new one."""
    while sum(app.poll() is None for app in store.apps) < 2:
        store.serve()
    job_id, other = store.submit(supervised=False), store.submit(supervised=False)
    store.wait(lambda: supervisor_status(store.settings).running, "a supervisor started by the apps")
    interrupted = _wait_for_random_moment(store, job_id, rng)
    kill(supervisor_status(store.settings).pid)
    store.wait(lambda: supervisor_status(store.settings).running, "another supervisor")
    supervisors = store.supervisors()
    result = _check_recovery(store, job_id, interrupted)
    store.finish(other)
    wrong = [f"{len(supervisors)} supervisors: {supervisors}"] if len(supervisors) != 1 else []
    return RoundResult(result.phase, result.outcome, [*result.faults, *wrong, *store.faults(other, finished=True)])


SCENARIOS: dict[str, tuple[str, Scenario]] = {
    "training": ("kill -9 of the training", training_killed),
    "supervisor": ("kill -9 of the supervisor", supervisor_killed),
    "app": ("kill -9 of Streamlit", app_killed),
    "both": ("kill -9 of supervisor and training", both_killed),
    "disk": ("a full disk", disk_full),
    "locked": (f"the database locked for {_LOCKED_S:g} s", database_locked),
    "apps": ("two apps, supervisor killed", two_apps),
}


def run_rounds(name: str, rounds: int, seed: int = 0, *, simulated: bool = False) -> list[RoundResult]:
    """Run rounds of one scenario in a fresh store; `simulated` jobs write files without training."""
    _, scenario = SCENARIOS[name]
    rng = random.Random(f"{name} {seed}")
    with tempfile.TemporaryDirectory() as folder, _store_for(name, Path(folder)) as home:
        store = ReliabilityStore.make(home, Path(folder) / "starts", simulated=simulated)
        try:
            return [_run_round(store, scenario, rng, number + 1) for number in range(rounds)]
        finally:
            store.kill_all()


def _run_round(store: ReliabilityStore, scenario: Scenario, rng: random.Random, number: int) -> RoundResult:
    try:
        result = scenario(store, rng)
    except (TimeoutError, FerscopeError) as exc:
        result = RoundResult("", "", [f"{type(exc).__name__}: {exc}"])
    faults = "; ".join(result.faults) or "no faults"
    sys.stderr.write(f"{scenario.__name__} {number}: {result.phase}, {result.outcome}: {faults}\n")
    return result


def _wait_for_random_moment(store: ReliabilityStore, job_id: str, rng: random.Random) -> Job:
    """Wait for a random moment of a random phase (start, an epoch, or evaluation) and return the job.

    A random time of the whole training would mostly be in its start.
    """
    phase = rng.randrange(EPOCHS + 2)
    store.wait_running(job_id)
    if phase == 0:
        time.sleep(rng.uniform(0, _START_S / (10 if store.simulated else 1)))
    else:
        store.wait(lambda: _has_reached(store, store.get(job_id), phase), f"phase {phase} of the training")
        time.sleep(rng.uniform(0, _EPOCH_S / (4 if store.simulated else 1)))
    return store.get(job_id)


def _has_reached(store: ReliabilityStore, job: Job, phase: int) -> bool:
    """Whether a training is in an epoch, or, with a phase after the last epoch, evaluates; or has ended."""
    if phase <= EPOCHS:
        return job.state.ended or job.message.startswith(f"Epoch {phase} of")
    return job.state.ended or (len(store.epochs(job)) == EPOCHS and not job.message.startswith("Epoch"))


def _process_of(job: Job) -> int | None:
    return job.pid if job.state.active else None


def _check_recovery(store: ReliabilityStore, job_id: str, interrupted: Job) -> RoundResult:
    """Check the job before and after it is resumed."""
    store.supervise()
    faults = store.faults(job_id, finished=False)
    attempts = store.get(job_id).attempts
    finished = store.finish(job_id)
    faults = list(dict.fromkeys([*faults, *store.faults(job_id, finished=True)]))
    outcome = "resumed and finished" if finished.attempts > attempts or attempts > interrupted.attempts else "went on"
    if interrupted.state is JobState.SUCCEEDED:
        outcome = "had finished"
    return RoundResult(_phase(interrupted), outcome, faults)


def _phase(job: Job) -> str:
    if job.state.ended:
        return "after the end"
    step = job.message.split(",")[0]
    return step.removesuffix(f" of {EPOCHS}").lower() if step.startswith("Epoch") else step.lower() or "starting"


@contextlib.contextmanager
def _store_for(name: str, folder: Path) -> Iterator[Path]:
    """Provide a folder for the store; on a small tmpfs for the full disk."""
    home = folder / "store"
    if name != "disk":
        yield home
        return
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK_MIB}m", "tmpfs", str(disk)], check=True)
    try:
        yield disk / "store"
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _fill(filler: Path) -> None:
    """Write until the disk is full."""
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def can_mount() -> bool:
    """Whether this process may mount a tmpfs for the full disk."""
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("mount") is not None


def make_row(name: str, results: list[RoundResult]) -> dict[str, Any]:
    """Build a row of the table."""
    phases, outcomes = Counter(result.phase for result in results), Counter(result.outcome for result in results)
    return {
        "failure": SCENARIOS[name][0],
        "rounds": len(results),
        "phase": ", ".join(f"{number} {phase}" for phase, number in sorted(phases.items())),
        "outcome": ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items())),
        "faults": sum(bool(result.faults) for result in results),
    }


def _write(rows: list[dict[str, Any]]) -> None:
    """Replace the rows of the same failures in docs/reliability.md; other rows stay."""
    text = PAGE.read_text()
    head, rest = text.split(_TABLE_BEGINS)
    old, tail = rest.split(_TABLE_ENDS)
    lines = {line.split("|")[1].strip(): line for line in old.splitlines()[3:]}
    lines |= {row["failure"]: f"| {' | '.join(str(value) for value in row.values())} |" for row in rows}
    columns = list(rows[0])
    table = "\n".join([f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}", *lines.values()])
    PAGE.write_text(f"{head}{_TABLE_BEGINS}\n{table}\n{_TABLE_ENDS}{tail}")


def main() -> None:
    """Run the rounds and print the table; exit with code 1 if there was a fault."""
    parser = argument_parser(__doc__, rounds=20)
    parser.add_argument("--only", nargs="+", choices=list(SCENARIOS), default=list(SCENARIOS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="update the table in docs/reliability.md")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    rows = []
    for name in arguments.only:
        if name == "disk" and not can_mount():
            sys.stderr.write("Skipped the full disk: mounting a tmpfs needs root on Linux.\n")
            continue
        rows.append(make_row(name, run_rounds(name, arguments.rounds, arguments.seed)))
        if arguments.write:
            _write(rows)
    faults = sum(row["faults"] for row in rows)
    print_table(f"Reliability: {faults} rounds with a fault", rows, as_json=arguments.json)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
