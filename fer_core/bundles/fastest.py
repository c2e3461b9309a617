"""Which form of a model's network answers soonest on this processor: measured, once a model is opened for live views.

INT8 takes half of FP32's time where one instruction multiplies and adds 8-bit integers (VNNI) and two thirds with AVX2
alone; other processors are not known, so instruction sets don't tell (docs/adr/0012).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_core.bundles.bundle import INT8_FILE, MODEL_FILE, Bundle

PRECISIONS = {MODEL_FILE: "FP32", INT8_FILE: "INT8"}
"""How a network's file is called in words."""

_ROUNDS = 7
"""The best of so many counts, and the processor's time of the calling thread does: other work on the machine only ever
makes a call take longer."""


@dataclass(frozen=True, slots=True)
class FastestBundle:
    """The model in its fastest form, without flip TTA, and how many milliseconds a face each form took here."""

    bundle: Bundle
    ms_per_face: Mapping[str, float]

    @property
    def precision(self) -> str:
        """`INT8` or `FP32`."""
        return PRECISIONS[self.bundle.model_file]

    @property
    def reason(self) -> str:
        """Why this form was taken, in words that go on after its name."""
        mine = f"{self.ms_per_face[self.bundle.model_file]:.1f} ms a face on this processor"
        others = [
            f"{PRECISIONS[name]} {value:.1f} ms"
            for name, value in self.ms_per_face.items()
            if name != self.bundle.model_file
        ]
        return f"{mine}, {', '.join(others)}" if others else f"{mine}, the only form that this model has"


def open_fastest(
    folder: Path, *, threads: int | None = None, ms_per_face: Callable[[Bundle], float] | None = None
) -> FastestBundle:
    """Open each form of a bundle's network, time them in turn, and keep the fastest; takes about a tenth of a second.

    Flip TTA is left out: a live view has many pictures of one face.

    Args:
        folder: of a bundle or finished run.
        threads: see `Bundle.open`.
        ms_per_face: how long one call with one face takes; measured by default.
    Raises:
        BundleError: the model can't be opened in one of its forms.
    """
    names = [name for name in PRECISIONS if name == MODEL_FILE or (folder / name).is_file()]
    bundles = {name: Bundle.open(folder, threads=threads, model_file=name, flip_tta=False) for name in names}
    timed = ms_per_face or _ms_per_face
    took: dict[str, float] = {}
    for _ in range(_ROUNDS if ms_per_face is None else 1):
        for name, bundle in bundles.items():
            took[name] = min(took.get(name, float("inf")), timed(bundle))
    return FastestBundle(bundles[min(took, key=lambda name: took[name])], took)


def _ms_per_face(bundle: Bundle) -> float:
    contract = bundle.contract
    face = np.zeros((1, contract.channels, contract.size_px, contract.size_px), np.float32)
    started = time.thread_time()
    bundle.logits(face)
    return 1000 * (time.thread_time() - started)
