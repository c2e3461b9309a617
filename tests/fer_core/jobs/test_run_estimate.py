"""Estimates measured in a subprocess: results, errors and cleanup."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from fer_core.cli.main import build_parser
from fer_core.data.catalog import import_dataset
from fer_core.data.synthetic.dataset import SyntheticFacesConfig
from fer_core.errors import FerscopeError, InputError, JobError
from fer_core.jobs.run_estimate import THOROUGH_S, estimate_args, estimate_run
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig, load_config, parse_config, preset_paths
from tests.fer_core.training.test_estimate_report import ESTIMATE
from tests.support.synthetic_datasets import write_synthetic_faces

MakeCommand = Callable[[str], list[str]]

CONFIG = parse_config({"dataset": "few", "batch_size": 8, "model": {"width": 4}, "split": {"kind": "seeded"}})


@pytest.fixture
def make_command(tmp_path: Path) -> MakeCommand:
    """A command that runs Python code; what it writes to `out` is its output."""

    def make(code: str) -> list[str]:
        path = tmp_path / "script.py"
        path.write_text(f"import os, subprocess, sys, time\n{code}\n")
        return [sys.executable, str(path)]

    return make


@pytest.mark.parametrize("name", preset_paths())
def test_the_arguments_are_the_config(name: str) -> None:
    config = load_config(
        preset_paths()[name], ["title='5: \"five\" % naïve'", "optimizer.learning_rate=0.00001", "seed=7"]
    )
    parsed = build_parser().parse_args(estimate_args(config))
    assert parsed.estimate
    assert parsed.json
    assert load_config(preset_paths()[parsed.config], parsed.set) == config


def test_the_estimate_trains_and_leaves_no_files(
    tmp_path: Path, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERSCOPE_THREADS", "1")  # several threads wait for each other while other tests run
    folder = tmp_path / "faces"
    write_synthetic_faces(folder, SyntheticFacesConfig(total=120, identities=20, size_px=48))
    import_dataset(folder, store, dataset_id="few")
    files_before = sorted(store.store.rglob("*"))
    estimate = estimate_run(CONFIG, store, timeout_s=THOROUGH_S)
    assert estimate.batches * 8 == estimate.train_images > 0
    assert 0 < estimate.epoch_s.low <= estimate.epoch_s.high
    assert estimate.memory_bytes > 10_000_000
    assert sorted(store.store.rglob("*")) == files_before


def test_a_missing_dataset_is_reported_with_the_message_of_the_command(store: Settings) -> None:
    with pytest.raises(InputError, match=r"no dataset 'few'") as error:
        estimate_run(CONFIG, store)
    assert "Traceback" not in str(error.value)


def test_the_output_of_the_subprocess_is_parsed(store: Settings, make_command: MakeCommand) -> None:
    output = json.dumps(asdict(ESTIMATE))
    assert estimate_run(CONFIG, store, cli=make_command(f"print({output!r})")) == ESTIMATE


@pytest.mark.parametrize(
    ("code", "error_type", "message"),
    [
        ("sys.stderr.write('error: seed is wrong.\\n'); sys.exit(2)", InputError, r"^seed is wrong\.$"),
        ("sys.stderr.write('a\\nerror: a fault\\n'); sys.exit(1)", FerscopeError, "failed: a fault"),
        ("sys.stderr.write('usage: fer_core\\n'); sys.exit(2)", FerscopeError, "failed: usage"),
        ("os.kill(os.getpid(), 9)", JobError, "SIGKILL.*smaller batch"),
        ("print('hello')", FerscopeError, "can't be read"),
        ("pass", FerscopeError, "can't be read"),
    ],
)
def test_errors_are_reported(
    code: str, error_type: type[Exception], message: str, store: Settings, make_command: MakeCommand
) -> None:
    with pytest.raises(error_type, match=message):
        estimate_run(CONFIG, store, cli=make_command(code))


@pytest.mark.skipif(sys.platform == "win32", reason="Groups of processes are POSIX's.")
def test_a_subprocess_that_times_out_is_killed_with_its_children(
    tmp_path: Path, store: Settings, make_command: MakeCommand
) -> None:
    pid_file = tmp_path / "pids"
    code = (
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(pid_file)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\ntime.sleep(600)"
    )
    with pytest.raises(JobError, match="stopped after 5 s"):
        estimate_run(CONFIG, store, cli=make_command(code), timeout_s=5)
    _assert_all_end([int(pid) for pid in pid_file.read_text().split()])


@pytest.mark.skipif(sys.platform == "win32", reason="Groups of processes are POSIX's.")
def test_a_subprocess_ends_with_the_server(tmp_path: Path, store: Settings) -> None:
    """The estimate runs in a daemon thread, like the script of a page."""
    pid_file = tmp_path / "pid"
    script = tmp_path / "stand.py"
    script.write_text(f"import os, time\nopen({str(pid_file)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)\n")
    code = f"""
import os, sys, threading, time
from fer_core.jobs.run_estimate import THOROUGH_S, estimate_run
from fer_core.settings import settings
from fer_core.training.config.train_config import TrainConfig
work = lambda: estimate_run(TrainConfig(dataset="few"), settings(), cli=[sys.executable, {str(script)!r}])
threading.Thread(target=work, daemon=True).start()
while not os.path.exists({str(pid_file)!r}) or not open({str(pid_file)!r}).read():
    time.sleep(0.05)
"""
    environment = os.environ | {"FERSCOPE_HOME": str(store.home)}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env=environment)
    _assert_all_end([int(pid_file.read_text())])


def _assert_all_end(pids: list[int]) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(map(_is_alive, pids)):
        time.sleep(0.05)
    assert not any(map(_is_alive, pids))


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def test_a_config_of_defaults_is_passed_on_too() -> None:
    config = TrainConfig(dataset="few")
    parsed = build_parser().parse_args(estimate_args(config))
    assert load_config(preset_paths()[parsed.config], parsed.set) == config
