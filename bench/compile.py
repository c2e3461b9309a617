"""`torch.compile`: compiled against eager training steps. Needs a C++ compiler."""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from bench.support.report import argument_parser, print_table, restart_with_malloc_settings
from fer_core.models.registry import build_network
from fer_core.training.config.train_config import TrainConfig, load_config, preset_paths

_CLASSES = 8
_CASES = (("small-soft", "bf16"), ("small-soft", "fp32"), ("A-cnn", "bf16"), ("B-baseline", "fp32"))


class TrainStep:
    """Training steps of a preset's network on one random batch."""

    def __init__(self, config: TrainConfig, precision: str) -> None:
        torch.manual_seed(0)
        self.network = build_network(config.model.name, _CLASSES, **config.model.options())
        self.network = self.network.to(memory_format=torch.channels_last).train()
        self.optimizer = torch.optim.SGD(self.network.parameters(), 0.01)
        self.precision = precision
        channels = next(module.in_channels for module in self.network.modules() if isinstance(module, nn.Conv2d))
        side = 224 if channels == 3 and not config.model.size_px else 48
        images = torch.rand(config.batch_size, channels, side, side)
        self.images = images.contiguous(memory_format=torch.channels_last)
        self.labels = torch.randint(0, _CLASSES, (config.batch_size,))

    def run(self, network: Any) -> float:
        """Run one step with `network`, eager or compiled, and return its seconds."""
        started = time.perf_counter()
        self.optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bf16"):
            outputs = network(self.images)
        F.cross_entropy(outputs.float(), self.labels).backward()
        self.optimizer.step()
        return time.perf_counter() - started


def _row(preset: str, precision: str, rounds: int) -> dict[str, Any]:
    torch._dynamo.reset()
    steps = TrainStep(load_config(preset_paths()[preset]), precision)
    compiled = torch.compile(steps.network)
    compile_s = steps.run(compiled)
    steps.run(steps.network)
    pairs = [(steps.run(steps.network), steps.run(compiled)) for _ in range(rounds)]
    return {
        "preset": preset,
        "precision": precision,
        "compile_s": round(compile_s, 1),
        "eager_ms": round(1e3 * statistics.median(eager_s for eager_s, _ in pairs), 1),
        "compiled_ms": round(1e3 * statistics.median(compiled_s for _, compiled_s in pairs), 1),
        "speedup": round(statistics.median(eager_s / compiled_s for eager_s, compiled_s in pairs), 2),
    }


def main() -> None:
    """Time each case and print the table."""
    parser = argument_parser(__doc__, rounds=25)
    arguments = parser.parse_args()
    restart_with_malloc_settings("bench.compile")
    rows = [_row(preset, precision, arguments.rounds) for preset, precision in _CASES]
    print_table(f"torch.compile on {torch.get_num_threads()} threads", rows, as_json=arguments.json)


if __name__ == "__main__":
    main()
