"""Reliability of jobs: trainings are killed, the disk fills up, the database is locked.

`python -m bench.reliability [--rounds 20] [--only NAME …] [--json] [--write]`; `--write` puts the table into
docs/reliability.md. After each round the store must open, every state must be right, no job may have run twice and no
recorded epoch may be lost; what was interrupted is resumed and must finish.
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
_LOADING_S, _PHASE_S = 6.0, 2.0
"""About how long a training loads its libraries, and how long an epoch lasts."""

_LOCKED_S = 12.0
"""Longer than the 10 s for which a process waits for the database."""


@dataclass(frozen=True)
class Round:
    """One round: the phase of the interruption, the outcome, and what was wrong afterwards."""

    phase: str
    outcome: str
    faults: list[str]


Scenario = Callable[[ReliabilityStore, random.Random], Round]


def training_killed(store: ReliabilityStore, rng: random.Random) -> Round:
    """kill -9 of the training process."""
    job_id = store.submit()
    interrupted = _wait_for_random_moment(store, job_id, rng)
    kill(_process_of(interrupted))
    return _check_recovery(store, job_id, interrupted)


def supervisor_killed(store: ReliabilityStore, rng: random.Random) -> Round:
    """kill -9 of the supervisor; the next one takes the job over."""
    job_id = store.submit()
    interrupted = _wait_for_random_moment(store, job_id, rng)
    kill(supervisor_status(store.settings).pid)
    return _check_recovery(store, job_id, interrupted)


def app_killed(store: ReliabilityStore, rng: random.Random) -> Round:
    """kill -9 of Streamlit, which has started the supervisor, which has started the job."""
    kill(supervisor_status(store.settings).pid)
    app = store.serve()
    job_id = store.submit(supervised=False)
    store.wait(lambda: supervisor_status(store.settings).running, "a supervisor that the app starts")
    interrupted = _wait_for_random_moment(store, job_id, rng)
    app.kill()
    app.wait()
    return _check_recovery(store, job_id, interrupted)


def both_killed(store: ReliabilityStore, rng: random.Random) -> Round:
    """kill -9 of the supervisor and the training at once, as a machine that goes down."""
    job_id = store.submit()
    interrupted = _wait_for_random_moment(store, job_id, rng)
    kill(supervisor_status(store.settings).pid, _process_of(interrupted))
    return _check_recovery(store, job_id, interrupted)


def disk_full(store: ReliabilityStore, rng: random.Random) -> Round:
    """The disk fills up to the last byte, and has room again later."""
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


def database_locked(store: ReliabilityStore, rng: random.Random) -> Round:
    """Another process keeps the database locked for longer than anybody waits for it."""
    job_id = store.submit()
    interrupted = _wait_for_random_moment(store, job_id, rng)
    holder = sqlite3.connect(store.settings.store / "ferscope.db", isolation_level=None, timeout=30)
    holder.execute("BEGIN EXCLUSIVE")
    time.sleep(_LOCKED_S)
    holder.close()
    return _check_recovery(store, job_id, interrupted)


def two_apps(store: ReliabilityStore, rng: random.Random) -> Round:
    """Two apps watch one store, its supervisor is killed, and both want a new one."""
    while sum(app.poll() is None for app in store.apps) < 2:
        store.serve()
    job_id, other = store.submit(supervised=False), store.submit(supervised=False)
    store.wait(lambda: supervisor_status(store.settings).running, "a supervisor that the apps start")
    interrupted = _wait_for_random_moment(store, job_id, rng)
    kill(supervisor_status(store.settings).pid)
    store.wait(lambda: supervisor_status(store.settings).running, "another supervisor")
    here = store.supervisors()
    result = _check_recovery(store, job_id, interrupted)
    store.finish(other)
    wrong = [f"{len(here)} supervisors: {here}"] if len(here) != 1 else []
    return Round(result.phase, result.outcome, [*result.faults, *wrong, *store.faults(other, finished=True)])


SCENARIOS: dict[str, tuple[str, Scenario]] = {
    "training": ("kill -9 of the training", training_killed),
    "supervisor": ("kill -9 of the supervisor", supervisor_killed),
    "app": ("kill -9 of Streamlit", app_killed),
    "both": ("kill -9 of supervisor and training", both_killed),
    "disk": ("a full disk", disk_full),
    "locked": (f"the database locked for {_LOCKED_S:g} s", database_locked),
    "apps": ("two apps, supervisor killed", two_apps),
}


def run_rounds(name: str, rounds: int, seed: int = 0, *, simulated: bool = False) -> list[Round]:
    """Rounds of one scenario in a fresh store; `simulated` with jobs that only pretend to train."""
    _, scenario = SCENARIOS[name]
    rng = random.Random(f"{name} {seed}")
    with tempfile.TemporaryDirectory() as folder, _store_for(name, Path(folder)) as home:
        store = ReliabilityStore.make(home, Path(folder) / "starts", simulated=simulated)
        try:
            return [_run_round(store, scenario, rng, number + 1) for number in range(rounds)]
        finally:
            store.end()


def _run_round(store: ReliabilityStore, scenario: Scenario, rng: random.Random, number: int) -> Round:
    try:
        result = scenario(store, rng)
    except (TimeoutError, FerscopeError) as exc:
        result = Round("", "", [f"{type(exc).__name__}: {exc}"])
    faults = "; ".join(result.faults) or "no faults"
    sys.stderr.write(f"{scenario.__name__} {number}: met {result.phase}, {result.outcome}: {faults}\n")
    return result


def _wait_for_random_moment(store: ReliabilityStore, job_id: str, rng: random.Random) -> Job:
    """The job at a moment within a phase: loading its libraries, an epoch, or what follows the last one.

    The phases are drawn, not the seconds: most of those would fall into the loading.
    """
    phase = rng.randrange(EPOCHS + 2)
    store.wait_running(job_id)
    if phase == 0:
        time.sleep(rng.uniform(0, _LOADING_S / (10 if store.simulated else 1)))
    else:
        begun = f"Epoch {phase} of" if phase <= EPOCHS else "Judging"
        store.wait(lambda: (job := store.get(job_id)).message.startswith(begun) or job.state.ended, begun)
        time.sleep(rng.uniform(0, _PHASE_S / (4 if store.simulated else 1)))
    return store.get(job_id)


def _process_of(job: Job) -> int | None:
    return job.pid if job.state.active else None


def _check_recovery(store: ReliabilityStore, job_id: str, interrupted: Job) -> Round:
    """Check the job before and after it is resumed."""
    store.supervise()
    before = store.faults(job_id, finished=False)
    attempts = store.get(job_id).attempts
    after_job = store.finish(job_id)
    after = store.faults(job_id, finished=True)
    outcome = "resumed and finished" if after_job.attempts > attempts or attempts > interrupted.attempts else "went on"
    if interrupted.state is JobState.SUCCEEDED:
        outcome = "had finished"
    return Round(_phase(interrupted), outcome, [*before, *(fault for fault in after if fault not in before)])


def _phase(job: Job) -> str:
    if job.state.ended:
        return "after the end"
    words = job.message.split(",")[0]
    return words.removesuffix(f" of {EPOCHS}").lower() if words.startswith("Epoch") else words.lower() or "starting"


@contextlib.contextmanager
def _store_for(name: str, folder: Path) -> Iterator[Path]:
    """A folder for the store; a small file system of its own for the full disk."""
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
    """Take all the room there is."""
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def may_mount() -> bool:
    """Whether this process may mount a file system for the full disk."""
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("mount") is not None


def row(name: str, results: list[Round]) -> dict[str, Any]:
    """A line of the table."""
    phases, outcomes = Counter(result.phase for result in results), Counter(result.outcome for result in results)
    return {
        "what happens": SCENARIOS[name][0],
        "rounds": len(results),
        "met": ", ".join(f"{number} {what}" for what, number in sorted(phases.items())),
        "then": ", ".join(f"{number} {what}" for what, number in sorted(outcomes.items())),
        "faults": sum(bool(result.faults) for result in results),
    }


def _write(rows: list[dict[str, Any]]) -> None:
    """Put the lines into the page, in the place of those that tell the same; the other lines stay."""
    text = PAGE.read_text()
    head, rest = text.split(_TABLE_BEGINS)
    old, tail = rest.split(_TABLE_ENDS)
    lines = {line.split("|")[1].strip(): line for line in old.splitlines()[3:]}
    lines |= {each["what happens"]: f"| {' | '.join(str(value) for value in each.values())} |" for each in rows}
    heads = list(rows[0])
    table = "\n".join([f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}", *lines.values()])
    PAGE.write_text(f"{head}{_TABLE_BEGINS}\n{table}\n{_TABLE_ENDS}{tail}")


def main() -> None:
    """Run the rounds, print the table; exit code 1 when there was a fault."""
    parser = argument_parser(__doc__, rounds=20)
    parser.add_argument("--only", nargs="+", choices=list(SCENARIOS), default=list(SCENARIOS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    rows = []
    for name in arguments.only:
        if name == "disk" and not may_mount():
            sys.stderr.write("The full disk is left out: mounting a tmpfs takes the rights of root, on Linux.\n")
            continue
        rows.append(row(name, run_rounds(name, arguments.rounds, arguments.seed)))
        if arguments.write:
            _write(rows)
    faults = sum(each["faults"] for each in rows)
    print_table(f"Reliability: {faults} rounds with a fault", rows, as_json=arguments.json)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
