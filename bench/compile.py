"""Whether `torch.compile` pays: the same training steps, compiled and as they come, in turn. Needs a C++ compiler."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from bench.support.table import show
from fer_core.models.registry import build_network
from fer_core.system.allocator import MALLOC_SETTINGS, has_malloc_settings
from fer_core.training.config.train_config import TrainConfig, load_config, presets

_CLASSES = 8
_CASES = (("small-soft", "bf16"), ("small-soft", "fp32"), ("A-cnn", "bf16"), ("B-baseline", "fp32"))


class TrainStep:
    """Training steps of a preset's network on one batch of chance."""

    def __init__(self, config: TrainConfig, precision: str) -> None:
        torch.manual_seed(0)
        self.network = build_network(config.model.name, _CLASSES, **config.model.options())
        self.network = self.network.to(memory_format=torch.channels_last).train()
        self.optimizer = torch.optim.SGD(self.network.parameters(), 0.01)
        self.precision = precision
        channels = next(each.in_channels for each in self.network.modules() if isinstance(each, nn.Conv2d))
        side = 224 if channels == 3 and not config.model.size_px else 48
        images = torch.rand(config.batch_size, channels, side, side)
        self.images = images.contiguous(memory_format=torch.channels_last)
        self.labels = torch.randint(0, _CLASSES, (config.batch_size,))

    def take(self, network: Any) -> float:
        """One step through `network`, which has these weights; seconds."""
        started = time.perf_counter()
        self.optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bf16"):
            outputs = network(self.images)
        F.cross_entropy(outputs.float(), self.labels).backward()
        self.optimizer.step()
        return time.perf_counter() - started


def _row(preset: str, precision: str, rounds: int) -> dict[str, Any]:
    torch._dynamo.reset()
    steps = TrainStep(load_config(presets()[preset]), precision)
    compiled = torch.compile(steps.network)
    compiling_s = steps.take(compiled)
    steps.take(steps.network)
    pairs = [(steps.take(steps.network), steps.take(compiled)) for _ in range(rounds)]
    return {
        "preset": preset,
        "precision": precision,
        "compiling_s": round(compiling_s, 1),
        "step_ms": round(1e3 * statistics.median(plain for plain, _ in pairs), 1),
        "compiled_ms": round(1e3 * statistics.median(quick for _, quick in pairs), 1),
        "times_as_fast": round(statistics.median(plain / quick for plain, quick in pairs), 2),
    }


def main() -> None:
    """Time each case, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    parser.add_argument("--rounds", type=int, default=25)
    asked = parser.parse_args()
    if not has_malloc_settings():  # as a training has it
        os.execve(
            sys.executable, [sys.executable, "-m", "bench.compile", *sys.argv[1:]], {**os.environ, **MALLOC_SETTINGS}
        )
    rows = [_row(preset, precision, asked.rounds) for preset, precision in _CASES]
    show(f"torch.compile on {torch.get_num_threads()} threads", rows)


if __name__ == "__main__":
    main()
