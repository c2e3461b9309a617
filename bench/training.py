"""Training speed: study A's loop as published, ours, and the limit, which is the same network on tensors in memory."""

from __future__ import annotations

import argparse
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

from bench.support.table import show
from fer_core.contract import RgbImage
from fer_core.data.catalog import import_dataset
from fer_core.data.synthetic.face import draw_face
from fer_core.data.synthetic.identities import Identity
from fer_core.labels import Expression
from fer_core.settings import Settings
from fer_core.system.allocator import MALLOC_SETTINGS

_DRAWN = 128
_TRAIN, _VALID = 192, 64
_TRAIN_ON_GPU = 4096
_PUBLISHED = "A, its loop"
_LIMITS = {
    "A, its loop": "A, limit bf16",
    "A, ours fp32": "A, limit fp32",
    "A, ours bf16": "A, limit bf16",
    "small-soft, ours": "small-soft, limit",
    "small-soft, ours without augmentation": "small-soft, limit",
    "small-soft, ours bf16": "small-soft, limit",
}
_SIDES = {
    "A": ("A, its loop", "A, limit fp32", "A, ours fp32", "A, limit bf16", "A, ours bf16"),
    "small-soft": (
        "small-soft, limit",
        "small-soft, ours",
        "small-soft, ours without augmentation",
        "small-soft, ours bf16",
    ),
}


@dataclass(frozen=True, slots=True)
class Side:
    """One process; a line in is a round, a line out is how many images a second it learned from."""

    name: str
    process: subprocess.Popen[str]
    told: IO[str]
    heard: IO[str]

    @classmethod
    def start(cls, name: str, folder: Path) -> Side:
        """Begin it. Ours and the limit keep their memory; study A's loop has the allocator as it comes."""
        environment = os.environ if name == _PUBLISHED else {**os.environ, **MALLOC_SETTINGS}
        command = [sys.executable, "-m", "bench.support.training_methods", name, str(folder)]
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin
        assert process.stdout
        return cls(name, process, process.stdin, process.stdout)

    def hear(self) -> Any:
        """What it says next."""
        line = self.heard.readline()
        if not line:
            raise SystemExit(f"The side {self.name!r} ended with exit code {self.process.wait()}.")
        return json.loads(line)

    def round(self) -> float:
        """Have it learn for a while; images a second."""
        print(file=self.told, flush=True)
        return float(self.hear())

    def end(self) -> None:
        """It ends when nothing more can come."""
        self.told.close()
        self.process.wait(timeout=60)


def main() -> None:
    """Write the files, run the sides in turn, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    parser.add_argument("--rounds", type=int, default=5, help="how often each side is timed")
    parser.add_argument("--only", choices=list(_SIDES), help="one network alone")
    parser.add_argument("--images", type=int, default=0, help="training images in the files")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_affectnet(folder / "source", asked.images or (_TRAIN_ON_GPU if _has_gpu() else _TRAIN))
        import_dataset(folder / "source", Settings(home=folder / "store"), dataset_id="affectnet-layout")
        speeds: dict[str, list[float]] = {}
        for network in [asked.only] if asked.only else _SIDES:
            speeds |= _speeds(_SIDES[network], folder, asked.rounds)
    show(f"Training on {_device()}, batch 64, {asked.rounds} rounds", [_row(side, speeds) for side in speeds])


def _speeds(names: tuple[str, ...], folder: Path, rounds: int) -> dict[str, list[float]]:
    """Images a second of each side in each round; all are ready before the first, and only one works at a time."""
    sides = []
    for name in names:
        sides.append(Side.start(name, folder))
        sides[-1].hear()
    speeds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for side in sides:
            speeds[side.name].append(side.round())
    for side in sides:
        side.end()
    return speeds


def _row(side: str, speeds: dict[str, list[float]]) -> dict[str, Any]:
    mine = speeds[side]
    return {
        "side": side,
        "images_per_s": round(statistics.median(mine)),
        "from": round(min(mine)),
        "to": round(max(mine)),
        "times_study_a": _ratio(mine, speeds.get(_PUBLISHED if side.startswith("A,") else "")),
        "of_its_limit": _ratio(mine, speeds.get(_LIMITS.get(side, ""))),
    }


def _ratio(mine: list[float], others: list[float] | None) -> float | str:
    """The median of the ratios in each round: what else the machine did then was nearly the same for both."""
    if others is None:
        return ""
    return round(statistics.median(a / b for a, b in zip(mine, others, strict=True)), 2)


def write_affectnet(folder: Path, train: int) -> None:
    """Drawn faces as AffectNet is laid out: `train_set/images/0.jpg`, `train_set/annotations/0_exp.npy`, and so on."""
    drawn = [_drawn(seed) for seed in range(_DRAWN)]
    for split, total in (("train_set", train), ("val_set", _VALID)):
        for inner in ("images", "annotations"):
            (folder / split / inner).mkdir(parents=True)
        for number, (jpeg, code) in enumerate(islice(cycle(drawn), total)):
            (folder / split / "images" / f"{number}.jpg").write_bytes(jpeg)
            for what, value in (("exp", str(code)), ("val", "0.1"), ("aro", "0.2")):
                np.save(folder / split / "annotations" / f"{number}_{what}.npy", value)


def _drawn(seed: int) -> tuple[bytes, int]:
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
