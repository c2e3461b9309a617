"""Estimate a run's time and memory in a subprocess, if wanted in the background."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Sequence

from fer_core.errors import FerscopeError
from fer_core.jobs.process import CLI
from fer_core.jobs.subprocess_runner import Command, run_command
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig, preset_paths
from fer_core.training.estimate_report import Estimate

_LOG = logging.getLogger(__name__)

QUICK_S, THOROUGH_S = 30.0, 300.0
"""How long an estimate may take: by default, and for networks whose batches take many seconds."""

_START_AND_END_S = 6.0
"""Time that is kept for the end of an estimate."""


def estimate_run(
    config: TrainConfig,
    settings: Settings,
    *,
    device: str = "",
    timeout_s: float = QUICK_S,
    cli: Sequence[str] = CLI,
    cancelled: threading.Event | None = None,
) -> Estimate:
    """Train on a few batches and estimate the time and memory of the whole run.

    The config is passed as arguments, so there is no temporary file to clean up.

    Args:
        device: "cpu", "gpu:0" and so on; the best device by default.
        timeout_s: fewer batches are measured if there is no time for more.
        cli: the command line that runs FERscope commands.
        cancelled: ends the estimate once another thread has set it.
    Raises:
        InputError: the config does not fit the dataset, or its weights are missing.
        JobError: the command timed out, or was cancelled or killed.
        FerscopeError: the command failed or printed no estimate.
    """
    command = Command(
        [*estimate_args(config), "--within", f"{max(1.0, timeout_s - _START_AND_END_S):g}"],
        "The estimate",
        timeout_s,
        late_hint="Give it more time, or choose a smaller network, input or batch size.",
        killed_hint="If memory ran out, choose a smaller batch size.",
    )
    output = run_command(command, settings, device=device, cli=cli, cancelled=cancelled)
    try:
        return Estimate.from_json(output)
    except ValueError as exc:
        raise FerscopeError(f"The estimate can't be read ({exc}).") from exc


def estimate_args(config: TrainConfig) -> list[str]:
    """Build the arguments of `python -m fer_core`: a preset with every key of the config set."""
    items = config.model_dump(mode="json").items()
    changes = [argument for key, value in items for argument in ("--set", f"{key}={json.dumps(value)}")]
    return ["train", "--config", next(iter(preset_paths())), *changes, "--estimate", "--json"]


class BackgroundEstimate:
    """An estimate on a thread of its own. Thread-safe.

    Attributes:
        key: names what is estimated.
        timeout_s: after so long, it ends with an error.
        result: None until it is done, and after an error.
        error: why it has failed; "" if it hasn't.
    """

    def __init__(self, key: str, config: TrainConfig, settings: Settings, device: str, timeout_s: float) -> None:
        self.key, self.timeout_s = key, timeout_s
        self.result: Estimate | None = None
        self.error = ""
        self._cancelled, self._done = threading.Event(), threading.Event()
        self._started_at = time.monotonic()
        threading.Thread(target=self._run, args=(config, settings, device), name="estimate", daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether it is neither done nor cancelled."""
        return not self._done.is_set() and not self._cancelled.is_set()

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._cancelled.is_set()

    @property
    def elapsed_s(self) -> float:
        """Seconds since its start."""
        return time.monotonic() - self._started_at

    def cancel(self) -> None:
        """Stop it; its process ends within a second."""
        self._cancelled.set()

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end; returns whether it has come."""
        return self._done.wait(timeout_s)

    def _run(self, config: TrainConfig, settings: Settings, device: str) -> None:
        try:
            self.result = estimate_run(
                config, settings, device=device, timeout_s=self.timeout_s, cancelled=self._cancelled
            )
        except FerscopeError as error:
            self.error = str(error)
        except Exception:  # noqa: BLE001  (a thread's boundary)
            _LOG.exception("The estimate failed")
            self.error = "The estimate failed; the log says why."
        finally:
            self._done.set()
