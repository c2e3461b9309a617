"""Training steps in the channels-last and the contiguous memory format, in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

from bench.support.report import argument_parser, keep_memory, print_table
from fer_core.models.catalog import model_info
from fer_core.models.registry import build_network
from fer_core.training.config.train_config import load_config, presets
from fer_core.training.precision import resolve_precision

_PRESETS = ("small-soft", "webcam", "B-baseline", "A-cnn")
_CLASSES, _BATCH = 8, 32
_FORMATS = {"channels last": torch.channels_last, "contiguous": torch.contiguous_format}


def _step(preset: str, memory_format: torch.memory_format, precision: str) -> Callable[[], None]:
    """One step of a preset's network on a random batch, with everything in one memory format."""
    torch.manual_seed(0)
    model = load_config(presets()[preset], ["dataset=any"]).model
    info = model_info(model.name)
    network = build_network(model.name, _CLASSES, **model.options()).to(memory_format=memory_format).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    side = model.size_px or info.size_px
    images = torch.rand(_BATCH, info.channels, side, side).contiguous(memory_format=memory_format)
    labels = torch.randint(0, _CLASSES, (_BATCH,))

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            outputs = network(images)
        F.cross_entropy(outputs.float(), labels).backward()
        optimizer.step()

    return step


def _row(preset: str, rounds: int, precision: str) -> dict[str, object]:
    """Images a second of both, by processor time, which other processes disturb less than the clock's."""
    steps = {name: _step(preset, memory_format, precision) for name, memory_format in _FORMATS.items()}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 2):
        for name, step in steps.items():
            started = time.process_time()
            step()
            if number >= 2:  # caches, and kernels that are compiled at the first step
                seconds[name].append(time.process_time() - started)
    ratios = [b / a for a, b in zip(*seconds.values(), strict=True)]
    speeds = {f"{name}, images/s": round(_BATCH / statistics.median(each), 1) for name, each in seconds.items()}
    return {
        "preset": preset,
        "precision": precision,
        **speeds,
        "channels last is faster by": round(statistics.median(ratios), 2),
    }


def main() -> None:
    """Print the table."""
    parser = argument_parser(__doc__, rounds=9, rounds_help="steps of each side")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    keep_memory("bench.memory_format")
    torch.set_num_threads(arguments.threads)
    precision = resolve_precision("auto", on_gpu=False).precision
    rows = [_row(preset, arguments.rounds, precision) for preset in _PRESETS]
    print_table(
        f"Training steps, batch {_BATCH}, {arguments.threads} threads, {arguments.rounds} rounds",
        rows,
        as_json=arguments.json,
    )


if __name__ == "__main__":
    main()
