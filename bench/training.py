"""Training speed: FERscope against study A's published loop and the limit, the same network on tensors in memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np

from bench.support.report import argument_parser, print_table
from fer_core.contract import RgbImage
from fer_core.data.catalog import import_dataset
from fer_core.data.synthetic.face import draw_face
from fer_core.data.synthetic.identities import Identity
from fer_core.labels import Expression
from fer_core.settings import Settings
from fer_core.system.allocator import MALLOC_SETTINGS

_N_DISTINCT = 128
_TRAIN, _VALID = 192, 64
_TRAIN_ON_GPU = 4096
_STUDY_LOOP = "A, published loop"
_LIMITS = {
    "A, published loop": "A, limit bf16",
    "A, FERscope fp32": "A, limit fp32",
    "A, FERscope bf16": "A, limit bf16",
    "small-soft, FERscope": "small-soft, limit",
    "small-soft, FERscope without augmentation": "small-soft, limit",
    "small-soft, FERscope bf16": "small-soft, limit",
}
_METHODS = {
    "A": ("A, published loop", "A, limit fp32", "A, FERscope fp32", "A, limit bf16", "A, FERscope bf16"),
    "small-soft": (
        "small-soft, limit",
        "small-soft, FERscope",
        "small-soft, FERscope without augmentation",
        "small-soft, FERscope bf16",
    ),
}


@dataclass(frozen=True, slots=True)
class MethodProcess:
    """A process that trains with one method and answers each input line with images per second."""

    name: str
    process: subprocess.Popen[str]
    stdin: IO[str]
    stdout: IO[str]

    @classmethod
    def start(cls, name: str, folder: Path) -> MethodProcess:
        """Start the process; all methods but study A's loop use the allocator settings of a training."""
        environment = os.environ if name == _STUDY_LOOP else {**os.environ, **MALLOC_SETTINGS}
        command = [sys.executable, "-m", "bench.support.training_methods", name, str(folder)]
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin
        assert process.stdout
        return cls(name, process, process.stdin, process.stdout)

    def receive(self) -> Any:
        """Read the next reply."""
        line = self.stdout.readline()
        if not line:
            raise SystemExit(f"The method {self.name!r} ended with exit code {self.process.wait()}.")
        return json.loads(line)

    def round(self) -> float:
        """Train for one round and return images per second."""
        print(file=self.stdin, flush=True)
        return float(self.receive())

    def stop(self) -> None:
        """Close the input, which ends the process."""
        self.stdin.close()
        self.process.wait(timeout=60)


def main() -> None:
    """Write the files, run the methods alternately and print the table."""
    parser = argument_parser(__doc__, rounds=5, rounds_help="how often each method is timed")
    parser.add_argument("--only", choices=list(_METHODS), help="only one network")
    parser.add_argument("--images", type=int, default=0, help="training images in the files")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_affectnet(folder / "source", arguments.images or (_TRAIN_ON_GPU if _has_gpu() else _TRAIN))
        import_dataset(folder / "source", Settings(home=folder / "store"), dataset_id="affectnet-layout")
        speeds: dict[str, list[float]] = {}
        for network in [arguments.only] if arguments.only else _METHODS:
            speeds |= _speeds(_METHODS[network], folder, arguments.rounds)
    print_table(
        f"Training on {_device()}, batch 64, {arguments.rounds} rounds",
        [_row(method, speeds) for method in speeds],
        as_json=arguments.json,
    )


def _speeds(names: tuple[str, ...], folder: Path, rounds: int) -> dict[str, list[float]]:
    """Measure images per second of each method and round; only one trains at a time."""
    methods = []
    for name in names:
        methods.append(MethodProcess.start(name, folder))
        methods[-1].receive()
    speeds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for method in methods:
            speeds[method.name].append(method.round())
    for method in methods:
        method.stop()
    return speeds


def _row(method: str, speeds: dict[str, list[float]]) -> dict[str, Any]:
    values = speeds[method]
    return {
        "method": method,
        "images_per_s": round(statistics.median(values)),
        "min": round(min(values)),
        "max": round(max(values)),
        "speedup": _ratio(values, speeds.get(_STUDY_LOOP if method.startswith("A,") else "")),
        "share_of_limit": _ratio(values, speeds.get(_LIMITS.get(method, ""))),
    }


def _ratio(speeds: list[float], baseline: list[float] | None) -> float | str:
    """Median ratio over the rounds, as other load is nearly the same within a round."""
    if baseline is None:
        return ""
    return round(statistics.median(a / b for a, b in zip(speeds, baseline, strict=True)), 2)


def write_affectnet(folder: Path, train: int) -> None:
    """Write synthetic faces in AffectNet's layout: `train_set/images/0.jpg`, `train_set/annotations/0_exp.npy`, …"""
    encoded = [_synthetic_face(seed) for seed in range(_N_DISTINCT)]
    for split, total in (("train_set", train), ("val_set", _VALID)):
        for inner in ("images", "annotations"):
            (folder / split / inner).mkdir(parents=True)
        for number, (jpeg, code) in enumerate(islice(cycle(encoded), total)):
            (folder / split / "images" / f"{number}.jpg").write_bytes(jpeg)
            for key, value in (("exp", str(code)), ("val", "0.1"), ("aro", "0.2")):
                np.save(folder / split / "annotations" / f"{number}_{key}.npy", value)


def _synthetic_face(seed: int) -> tuple[bytes, int]:
    rng = np.random.default_rng(seed)
    code = seed % len(Expression)
    face: RgbImage = draw_face(list(Expression)[code], Identity.sample(rng), rng, 224)
    return cv2.imencode(".jpg", face[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes(), code


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _device() -> str:
    import torch

    return torch.cuda.get_device_name() if _has_gpu() else f"{torch.get_num_threads()} cores"


if __name__ == "__main__":
    main()
