"""Training steps in the channels-last memory format against the contiguous one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

from bench.support.report import argument_parser, print_table, restart_with_malloc_settings
from fer_core.models.catalog import model_info
from fer_core.models.registry import build_network
from fer_core.training.config.train_config import load_config, preset_paths
from fer_core.training.precision import resolve_precision

_PRESETS = ("small-soft", "webcam", "B-baseline", "A-cnn")
_CLASSES, _BATCH = 8, 32
_FORMATS = {"channels last": torch.channels_last, "contiguous": torch.contiguous_format}


def _step(preset: str, memory_format: torch.memory_format, precision: str) -> Callable[[], None]:
    """Return a training step of a preset's network on a random batch, in one memory format."""
    torch.manual_seed(0)
    model = load_config(preset_paths()[preset], ["dataset=any"]).model
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
    """Compare the formats by CPU time, which other processes affect less than wall time."""
    steps = {name: _step(preset, memory_format, precision) for name, memory_format in _FORMATS.items()}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 2):
        for name, step in steps.items():
            started = time.process_time()
            step()
            if number >= 2:  # the first two are the warm-up
                seconds[name].append(time.process_time() - started)
    ratios = [b / a for a, b in zip(*seconds.values(), strict=True)]
    speeds = {f"{name}, images/s": round(_BATCH / statistics.median(values), 1) for name, values in seconds.items()}
    return {
        "preset": preset,
        "precision": precision,
        **speeds,
        "speedup": round(statistics.median(ratios), 2),
    }


def main() -> None:
    """Time each preset and print the table."""
    parser = argument_parser(__doc__, rounds=9, rounds_help="steps in each format")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    restart_with_malloc_settings("bench.memory_format")
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
