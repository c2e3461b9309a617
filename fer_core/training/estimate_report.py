"""Estimated time and memory of a run, and its text. Needs no torch."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass

from fer_core.text import format_duration, format_size


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Fastest, median and slowest time, in seconds."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, seconds: list[float]) -> TimeRange:
        """Summarize measured times."""
        return cls(min(seconds), statistics.median(seconds), max(seconds))

    def scale(self, factor: float, more_s: float = 0.0) -> TimeRange:
        """Multiply by `factor` and add `more_s`."""
        return TimeRange(self.low * factor + more_s, self.middle * factor + more_s, self.high * factor + more_s)

    def __str__(self) -> str:
        """Such as `3.1 min (from 2.9 min to 4 min)`."""
        return f"{format_duration(self.middle)} (from {format_duration(self.low)} to {format_duration(self.high)})"


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run needs on this machine under its current load.

    Attributes:
        device: "cpu" or "cuda".
        threads: CPU threads used.
        precision: "fp32", "bf16" or "fp16".
        parameters: all parameters of the network.
        learned: the trainable ones.
        multiply_adds: for one image.
        train_images, valid_images: of an epoch.
        batches: of an epoch.
        timed_batches: measured batches, without the two of the warm-up.
        batch_s: time per batch, without reading.
        epoch_s: time per epoch, with validation.
        run_s: time of all epochs and packing.
        images_per_s: training images, at the median.
        memory_bytes: peak of the GPU or the process.
        free_bytes: memory that is available for it.
        pack_bytes: disk space of the packed images.
        pack_s: time to pack them; 0 if they are packed already or will not be.
        packed: "already", "first", or "streamed" if they exceed the limit.
    """

    device: str
    threads: int
    precision: str
    parameters: int
    learned: int
    multiply_adds: int
    train_images: int
    valid_images: int
    batches: int
    timed_batches: int
    batch_s: TimeRange
    epoch_s: TimeRange
    run_s: TimeRange
    images_per_s: float
    memory_bytes: int
    free_bytes: int
    pack_bytes: int
    pack_s: float
    packed: str

    @classmethod
    def from_json(cls, text: str) -> Estimate:
        """Parse the output of `train --estimate --json`.

        Raises:
            ValueError: it is not an estimate.
        """
        content = json.loads(text)
        try:
            return cls(**content | {name: TimeRange(**content[name]) for name in ("batch_s", "epoch_s", "run_s")})
        except (TypeError, KeyError, AttributeError) as exc:
            raise ValueError(f"not an estimate: {exc}") from exc

    @property
    def fits(self) -> bool:
        """Whether there is enough memory."""
        return self.memory_bytes < self.free_bytes

    def total_s(self, epochs: int) -> TimeRange:
        """Time of `epochs` epochs and packing."""
        return self.epoch_s.scale(epochs, self.pack_s)

    def describe(self, epochs: int) -> str:
        """Describe the estimate in a few lines."""
        disk = {
            "already": "the images are packed already",
            "first": f"packing takes {format_duration(self.pack_s)} and {format_size(self.pack_bytes)} of disk",
            "streamed": "the images exceed the limit for packs and are decoded again in every epoch",
        }[self.packed]
        return (
            f"network: {self.parameters:,} parameters ({self.learned:,} trainable), "
            f"{self.multiply_adds / 1e6:,.1f} million multiply-adds per image\n"
            f"memory: {format_size(self.memory_bytes)} on {self.device} of {format_size(self.free_bytes)} free, "
            f"{self.threads} threads\n"
            f"data: {self.train_images:,} training images in {self.batches:,} batches, {self.valid_images:,} "
            f"validation images; {disk}\n"
            f"speed: {self.images_per_s:,.0f} images/s (batches timed: {self.timed_batches}, "
            f"{self.batch_s.low:.3f} to {self.batch_s.high:.3f} s each)\n"
            f"per epoch: {self.epoch_s}\n"
            f"{epochs} epochs: {self.total_s(epochs)}"
        )
