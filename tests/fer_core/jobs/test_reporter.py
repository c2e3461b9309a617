from __future__ import annotations

import logging
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fer_core.errors import CancelledError
from fer_core.jobs.job import JobKind, JobState
from fer_core.jobs.reporter import ProgressReporter
from fer_core.jobs.store import JobStore
from fer_core.jobs.throttling import request_throttling
from fer_core.settings import Settings


@pytest.fixture
def reporter(jobs: JobStore, quick: Settings, monkeypatch: pytest.MonkeyPatch) -> ProgressReporter:
    """The reporter of a running job `j`."""
    jobs.submit(JobKind.TRAIN, "t", (), "r", job_id="j")
    jobs.claim_next()
    monkeypatch.setenv("FERSCOPE_JOB", "j")
    return ProgressReporter.from_environment(quick)


def test_without_a_job_nothing_is_recorded(quick: Settings) -> None:
    before = signal.getsignal(signal.SIGTERM)
    threads = threading.active_count()
    with ProgressReporter.from_environment(quick) as reporter:
        reporter(0.5, "half")
        assert signal.getsignal(signal.SIGTERM) is before
        assert threading.active_count() == threads
    reporter.record_end(0, "")
    assert reporter.job_id == ""
    assert not quick.store.exists(), "nothing is written"


def test_progress_and_the_last_message_reach_the_database(
    reporter: ProgressReporter, jobs: JobStore, until: Callable[..., None]
) -> None:
    with reporter:
        reporter(0.25, "a quarter")
        until(lambda: jobs.get("j").message == "a quarter")
        reporter(0.75, "nearly")
    assert (jobs.get("j").progress_01, jobs.get("j").message) == (0.75, "nearly")


def test_progress_is_written_by_heartbeats_only(
    reporter: ProgressReporter, jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[float] = []
    beat = JobStore.heartbeat

    def record_heartbeat(self: JobStore, job_id: str, progress_01: float, *more: Any) -> bool:
        writes.append(progress_01)
        return beat(self, job_id, progress_01, *more)

    monkeypatch.setattr(JobStore, "heartbeat", record_heartbeat)
    start_s = time.monotonic()
    with reporter:
        for step in range(20_000):
            reporter(step / 20_000, "busy")
        time.sleep(0.25)
    writes_max = (time.monotonic() - start_s) / 0.1 + 2
    assert 2 <= len(writes) <= writes_max


def test_heartbeats_are_sent_between_calls(
    reporter: ProgressReporter, jobs: JobStore, until: Callable[..., None]
) -> None:
    def heartbeat_at() -> datetime | None:
        return jobs.get("j").heartbeat_at

    with reporter:
        reporter(0.1, "a long batch")
        for _ in range(3):
            before = heartbeat_at()
            until(lambda before=before: heartbeat_at() != before)
    assert jobs.get("j").message == "a long batch"


def test_a_cancel_request_stops_the_work(
    reporter: ProgressReporter, jobs: JobStore, until: Callable[..., None]
) -> None:
    def work() -> None:
        with reporter:
            jobs.request_cancel("j")
            until(lambda: False, while_waiting=lambda: reporter(0.5, "working"))

    with pytest.raises(CancelledError, match="Job j was cancelled"):
        work()
    assert jobs.get("j").state is JobState.RUNNING, "the supervisor ends it"


def test_sigterm_stops_the_work_and_the_handler_is_restored(reporter: ProgressReporter) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with reporter:
        reporter(0.1, "working")
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(CancelledError):
            reporter(0.2, "working")
    assert signal.getsignal(signal.SIGTERM) is before


def test_sigterm_ends_a_forked_child(reporter: ProgressReporter) -> None:
    ready, writer = os.pipe()
    with reporter:
        reporter._stop_event.set()
        assert reporter._thread is not None
        reporter._thread.join()  # so that the fork has one thread only
        child = os.fork()
        if child == 0:
            os.write(writer, b"!")
            time.sleep(30)
            os._exit(0)
        os.read(ready, 1)
        os.kill(child, signal.SIGTERM)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGTERM
        reporter(0.5, "the parent goes on")
    os.close(ready)
    os.close(writer)


def test_outside_the_main_thread_no_handler_is_installed(reporter: ProgressReporter, jobs: JobStore) -> None:
    before = signal.getsignal(signal.SIGTERM)
    handlers: list[object] = []

    def work() -> None:
        with reporter:
            handlers.append(signal.getsignal(signal.SIGTERM))
            reporter(0.5, "from a thread")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [before]
    assert jobs.get("j").message == "from a thread"


def test_a_database_error_does_not_stop_the_work(
    jobs: JobStore, reporter: ProgressReporter, quick: Settings, sqlite: Path, caplog: pytest.LogCaptureFixture
) -> None:
    holder = sqlite3.connect(sqlite, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with caplog.at_level(logging.WARNING, "fer_core"), JobStore(quick, busy_timeout_s=0.05) as impatient_store:
        with ProgressReporter(
            impatient_store, "j", quick.model_copy(update={"heartbeat_s": 0.05})
        ) as resilient_reporter:
            for _ in range(20):
                resilient_reporter(0.5, "going on")
                time.sleep(0.02)
        resilient_reporter.record_end(0, "")
        holder.close()
        assert [record.getMessage() for record in caplog.records if "continues" in record.getMessage()] != []
        assert sum("continues" in record.getMessage() for record in caplog.records) == 1, (
            "logged once, not at every heartbeat"
        )
        resilient_reporter.record_end(0, "all well")
    assert (jobs.get("j").exit_code, jobs.get("j").error) == (0, "all well")


def test_a_job_that_is_not_recorded_as_running_stops(
    reporter: ProgressReporter, jobs: JobStore, until: Callable[..., None]
) -> None:
    jobs.finish("j", JobState.INTERRUPTED, None, "taken for dead")
    with reporter, pytest.raises(CancelledError):
        until(lambda: False, while_waiting=lambda: reporter(0.5, "working"))


def test_a_live_view_halves_the_threads_until_it_ends(
    reporter: ProgressReporter, quick: Settings, until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = FakeTorch(threads=6)
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr("fer_core.jobs.throttling.REQUEST_LASTS_S", 0.5)

    def work() -> None:
        reporter(0.5, "training")

    with reporter:
        work()
        assert torch.threads == 6
        request_throttling(quick)
        until(lambda: torch.threads == 3, while_waiting=work)
        until(lambda: torch.threads == 6, while_waiting=work)


class FakeTorch(ModuleType):
    """A fake torch module with the functions that `ThreadLimiter` calls."""

    def __init__(self, threads: int) -> None:
        super().__init__("torch")
        self.threads = threads

    def get_num_threads(self) -> int:
        return self.threads

    def set_num_threads(self, threads: int) -> None:
        self.threads = threads
