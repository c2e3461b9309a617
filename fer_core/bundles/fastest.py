"""Choose the faster of a model's FP32 and INT8 networks by timing both on this processor.

INT8 takes half of FP32's time with VNNI and two thirds with AVX2 alone; other processors are not known, so instruction
sets don't tell (docs/adr/0012).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_core.bundles.bundle import INT8_FILE, MODEL_FILE, Bundle

PRECISIONS = {MODEL_FILE: "FP32", INT8_FILE: "INT8"}
"""By network file."""

_ROUNDS = 7
"""Timed calls of each network; the fastest counts, in CPU time of the thread, as other load only slows calls down."""


@dataclass(frozen=True, slots=True)
class FastestBundle:
    """The model with its fastest network, without flip TTA, and the times of its networks."""

    bundle: Bundle
    ms_per_face: Mapping[str, float]

    @property
    def precision(self) -> str:
        """`INT8` or `FP32`."""
        return PRECISIONS[self.bundle.model_file]

    @property
    def reason(self) -> str:
        """Explain the choice, as the end of a sentence: "0.8 ms a face …"."""
        chosen = f"{self.ms_per_face[self.bundle.model_file]:.1f} ms a face on this processor"
        others = [
            f"{PRECISIONS[name]} {value:.1f} ms"
            for name, value in self.ms_per_face.items()
            if name != self.bundle.model_file
        ]
        return f"{chosen}, {', '.join(others)}" if others else f"{chosen}, its only network"


def open_fastest(
    folder: Path, *, threads: int | None = None, ms_per_face: Callable[[Bundle], float] | None = None
) -> FastestBundle:
    """Open the networks of a bundle without flip TTA, time them alternately, and return the fastest; takes about 0.1 s.

    Args:
        threads: see `Bundle.open`.
        ms_per_face: measures one call with one face.
    Raises:
        BundleError: a network can't be opened.
    """
    names = [name for name in PRECISIONS if name == MODEL_FILE or (folder / name).is_file()]
    bundles = {name: Bundle.open(folder, threads=threads, model_file=name, flip_tta=False) for name in names}
    measure = ms_per_face or _ms_per_face
    times: dict[str, float] = {}
    for _ in range(_ROUNDS if ms_per_face is None else 1):
        for name, bundle in bundles.items():
            times[name] = min(times.get(name, float("inf")), measure(bundle))
    return FastestBundle(bundles[min(times, key=lambda name: times[name])], times)


def _ms_per_face(bundle: Bundle) -> float:
    contract = bundle.contract
    face = np.zeros((1, contract.channels, contract.size_px, contract.size_px), np.float32)
    started = time.thread_time()
    bundle.logits(face)
    return 1000 * (time.thread_time() - started)
