from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from fer_core.runs.folder import Run, create_run
from fer_core.settings import Settings
from fer_core.training.trackers import FailSafeTracker, build_trackers, numeric_metrics

ROW = {"epoch": 3, "train_loss": 0.5, "valid_f1_fear": None, "valid_macro_f1": 0.25, "learning_rate": 0.1}


@pytest.fixture
def run(store: Settings) -> Run:
    return create_run("one", "dataset: drawn\n", store)


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def _scalars(run: Run) -> dict[str, tuple[int, float]]:
    """Read TensorBoard's event files: each record is length, checksum, event, checksum."""
    from tensorboardX.proto.event_pb2 import Event

    scalars: dict[str, tuple[int, float]] = {}
    for path in run.path("events").iterdir():
        content, offset = path.read_bytes(), 0
        while offset < len(content):
            length = int.from_bytes(content[offset : offset + 8], "little")
            event = Event.FromString(content[offset + 12 : offset + 12 + length])
            scalars |= {value.tag: (event.step, value.simple_value) for value in event.summary.value}
            offset += 16 + length
    return scalars


def test_tensorboard_gets_every_metric_of_an_epoch(run: Run) -> None:
    (tracker,) = build_trackers(run, {})
    tracker.log_epoch(ROW)
    tracker.close()
    assert _scalars(run) == {
        "train/loss": (3, 0.5),
        "valid/macro_f1": (3, 0.25),
        "run/learning_rate": (3, pytest.approx(0.1)),
    }
    assert run.log() == ""


def test_a_missing_package_is_logged(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    monkeypatch.setitem(sys.modules, "mlflow", None)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@localhost:1")
    for tracker in build_trackers(run, {}):
        tracker.log_epoch(ROW)
        tracker.close()
    assert "TensorBoard is not used: a package is missing" in run.log()
    assert "MLflow is not used: a package is missing" in run.log()
    assert "secret" not in run.log()


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Replace mlflow by a fake that records calls."""
    calls: list[Any] = []

    def record(name: str) -> Any:
        return lambda *arguments, **named: calls.append((name, *arguments, named))

    names = ("set_experiment", "start_run", "log_params", "log_metrics", "end_run")
    monkeypatch.setitem(sys.modules, "mlflow", SimpleNamespace(**{name: record(name) for name in names}))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:1")
    return calls


def test_mlflow_gets_settings_and_metrics(run: Run, mlflow: list[Any]) -> None:
    trackers = build_trackers(run, {"epochs": 2, "model": {"name": "small-resnet"}})
    for tracker in trackers:
        tracker.log_epoch(ROW)
        tracker.close()
    assert mlflow == [
        ("set_experiment", "FERscope", {}),
        ("start_run", {"run_name": "one"}),
        ("log_params", {"epochs": 2, "model.name": "small-resnet"}, {}),
        ("log_metrics", {"train_loss": 0.5, "valid_macro_f1": 0.25, "learning_rate": 0.1}, {"step": 3}),
        ("end_run", {}),
    ]


def test_mlflow_is_not_imported_without_a_server(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert len(build_trackers(run, {})) == 1
    assert run.log() == ""


def test_a_failing_tracker_is_dropped_once(run: Run) -> None:
    class Broken:
        calls = 0

        def log_epoch(self, row: Any) -> None:
            self.calls += 1
            raise ConnectionError("no route")

        def close(self) -> None:
            self.calls += 10

    broken = Broken()
    tracker = FailSafeTracker(run, "Broken", lambda: broken)
    for _ in range(3):
        tracker.log_epoch(ROW)
    tracker.close()
    assert broken.calls == 1
    assert run.log().count("Broken is dropped for this run (ConnectionError: no route)") == 1


def test_numeric_metrics_are_numbers() -> None:
    assert numeric_metrics(ROW) == {"train_loss": 0.5, "valid_macro_f1": 0.25, "learning_rate": 0.1}
