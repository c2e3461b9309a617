from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from fer_core.errors import BundleError
from fer_core.faces import RgbImage
from fer_core.live import pool as pool_module
from fer_core.live.pool import Analysis, LivePool, Seat, to_json
from fer_core.live.predictor import FaceLogits
from tests.waiting import wait_until

IMAGE = np.zeros((40, 60, 3), np.uint8)
WITHIN_S = 10.0


class Analyzer:
    """Takes as long as it is told; the order of all frames is in `log`."""

    def __init__(self, name: str = "", log: list[str] | None = None, gate: threading.Event | None = None) -> None:
        self.name, self.log, self.gate = name, [] if log is None else log, gate
        self.found, self.times_ms = 3, {"detector": 1.0}
        self.n_inside = 0

    def analyze(self, image: RgbImage, at_s: float, *, faces_max: int | None = None) -> list[FaceLogits]:
        self.n_inside += 1
        assert self.n_inside == 1, "two threads use one analyzer"
        self.log.append(self.name)
        if self.gate is not None:
            assert self.gate.wait(WITHIN_S)
        self.n_inside -= 1
        return []


def take_seat(pool: LivePool, who: str, analyzer: Analyzer, listener: Callable[[Analysis], None]) -> Seat:
    seat = pool.ask(who, analyzer, listener).seat
    assert seat is not None
    return seat


@pytest.fixture(autouse=True)
def threads_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(pool_module, "THREAD_IDLE_S", 0.05)
    yield
    wait_until(lambda: not any(thread.name == "live-analysis" for thread in threading.enumerate()))


def test_results_have_the_number_of_their_frame() -> None:
    pool, results = LivePool(2, 4), []
    seat = take_seat(pool, "a", Analyzer(), results.append)
    for number in range(5):
        pool.submit(seat, lambda number=number: (number, IMAGE))
        wait_until(lambda number=number: len(results) == number + 1)
    assert [result.number for result in results] == [0, 1, 2, 3, 4]
    assert results[0].size == (60, 40)
    assert results[0].found == 3
    assert {"queue", "detector"} <= set(results[0].times_ms)


def test_only_the_newest_waiting_frame_is_decoded() -> None:
    gate, results, decoded = threading.Event(), [], []
    pool = LivePool(1, 4)
    seat = take_seat(pool, "a", Analyzer(gate=gate), results.append)

    def decode(number: int) -> tuple[int, RgbImage]:
        decoded.append(number)
        return number, IMAGE

    for number in range(6):
        pool.submit(seat, lambda number=number: decode(number))
        wait_until(lambda: bool(decoded))
    gate.set()
    wait_until(lambda: len(results) == 2)
    assert decoded == [0, 5]


def test_seats_take_turns() -> None:
    log: list[str] = []
    gate = threading.Event()
    pool = LivePool(1, 3)
    seats = [take_seat(pool, name, Analyzer(name, log, gate), lambda _: None) for name in "abc"]
    for _ in range(3):  # the first is far quicker than the others
        pool.submit(seats[0], lambda: (0, IMAGE))
    for seat in seats[1:]:
        pool.submit(seat, lambda: (0, IMAGE))
    wait_until(lambda: bool(log))
    pool.submit(seats[0], lambda: (0, IMAGE))
    gate.set()
    wait_until(lambda: len(log) == 4)
    assert log == ["a", "b", "c", "a"]


def test_who_comes_too_late_waits_in_order() -> None:
    pool = LivePool(1, 2)

    def ask(who: str) -> tuple[bool, int, int]:
        door = pool.ask(who, Analyzer(), lambda _: None)
        seats[who] = door.seat
        return door.seat is not None, door.n_live, door.n_ahead

    seats: dict[str, Seat | None] = {}
    assert ask("a") == (True, 1, 0)
    assert ask("b") == (True, 2, 0)
    assert ask("c") == (False, 2, 0)
    assert ask("d") == (False, 2, 1)
    assert seats["a"] is not None
    pool.leave(seats["a"])
    assert ask("d") == (False, 1, 1)  # c was first
    assert ask("c") == (True, 2, 0)
    pool.give_up("d")
    assert ask("e") == (False, 2, 0)


def test_who_stops_asking_loses_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "WAITING_EXPIRES_S", 0.02)
    pool = LivePool(1, 1)
    take_seat(pool, "a", Analyzer(), lambda _: None)
    pool.ask("gone", Analyzer(), lambda _: None)
    time.sleep(0.03)
    assert pool.ask("b", Analyzer(), lambda _: None).n_ahead == 0


def test_a_failed_frame_is_reported_and_the_next_one_analyzed() -> None:
    pool, results = LivePool(1, 1), []
    seat = take_seat(pool, "a", Analyzer(), results.append)

    def fail(error: Exception) -> tuple[int, RgbImage]:
        raise error

    for count, error in enumerate([BundleError("The model failed."), ValueError("secret")], 1):
        pool.submit(seat, lambda error=error: fail(error))
        wait_until(lambda count=count: len(results) == count)
    pool.submit(seat, lambda: (7, IMAGE))
    wait_until(lambda: len(results) == 3)
    assert [result.number for result in results] == [-1, -1, 7]
    assert results[0].error == "The model failed."
    assert "secret" not in results[1].error
    assert not results[2].error


def test_nothing_comes_after_leaving() -> None:
    gate, results = threading.Event(), []
    pool, analyzer = LivePool(1, 1), Analyzer(gate=gate)
    seat = take_seat(pool, "a", analyzer, results.append)
    pool.submit(seat, lambda: (0, IMAGE))
    wait_until(lambda: analyzer.n_inside == 1)
    pool.leave(seat)
    pool.submit(seat, lambda: (1, IMAGE))
    gate.set()
    wait_until(lambda: analyzer.n_inside == 0)
    assert pool.n_live == 0
    time.sleep(0.05)
    assert not results
    assert analyzer.log == [""]


def test_json_has_what_the_page_takes() -> None:
    value = to_json(Analysis(3, [], 1, (640, 480), {"queue": 1.5}))
    assert value == {
        "number": 3,
        "predictions": [],
        "found": 1,
        "width": 640,
        "height": 480,
        "timesMs": {"queue": 1.5},
        "error": "",
    }
