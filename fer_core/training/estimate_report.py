"""What an estimate of a run says, and its words; measuring it is `estimate`'s. Needs no torch."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Seconds: the fastest, the middle and the slowest that were seen."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, seconds: list[float]) -> TimeRange:
        """What was seen."""
        return cls(min(seconds), statistics.median(seconds), max(seconds))

    def scale(self, factor: float, more: float = 0.0) -> TimeRange:
        """So often, and something that is added once."""
        return TimeRange(self.low * factor + more, self.middle * factor + more, self.high * factor + more)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would take on this machine, as busy as it is now.

    Attributes:
        device: "cpu" or "cuda".
        threads: that computed.
        precision: that they computed in: "fp32", "bf16" or "fp16".
        parameters: the network's numbers.
        learned: those that training changes.
        multiply_adds: for one image.
        train_images: an epoch learns from so many,
        valid_images: and judges so many.
        batches: in an epoch.
        timed_batches: that the figures come from, after two that are not counted.
        batch_s: a batch, reading not included.
        epoch_s: an epoch, judging included.
        run_s: every epoch, and packing.
        images_per_s: learned from, in the middle.
        memory_bytes: the GPU's peak, or the process's, with a batch of this size.
        free_bytes: what the GPU, or the machine, had for it.
        pack_bytes: what the packed images take on disk.
        pack_s: how long packing takes; 0 where they are packed, or are not to be.
        packed: "already", "first", or "streamed" where they do not fit.
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
        """What `train --estimate --json` printed.

        Raises:
            ValueError: it is something else.
        """
        content = json.loads(text)
        try:
            return cls(**content | {name: TimeRange(**content[name]) for name in ("batch_s", "epoch_s", "run_s")})
        except (TypeError, KeyError, AttributeError) as exc:
            raise ValueError(f"not an estimate: {exc}") from exc

    @property
    def fits(self) -> bool:
        """Whether the memory is there."""
        return self.memory_bytes < self.free_bytes

    def total_s(self, epochs: int) -> TimeRange:
        """Seconds of so many epochs, and packing."""
        return self.epoch_s.scale(epochs, self.pack_s)

    def describe(self, epochs: int) -> str:
        """A few lines of text."""
        disk = {
            "already": "the images are packed already",
            "first": (
                f"packing them first takes about {self.pack_s:.0f} s and {self.pack_bytes / 2**20:,.0f} MiB of disk"
            ),
            "streamed": "the images do not fit the limit for packs and are decoded anew in every epoch",
        }[self.packed]
        return "\n".join(
            [
                (
                    f"network: {self.parameters:,} parameters ({self.learned:,} learned), "
                    f"{self.multiply_adds / 1e6:,.1f} million multiply-adds an image"
                ),
                (
                    f"memory: {self.memory_bytes / 2**20:,.0f} MiB on {self.device} of {self.free_bytes / 2**20:,.0f} "
                    f"MiB free, {self.threads} threads"
                ),
                f"data: {self.train_images:,} images in {self.batches:,} batches, {self.valid_images:,} judged; {disk}",
                (
                    f"speed: {self.images_per_s:,.0f} images/s ({self.timed_batches} timed batches, "
                    f"{self.batch_s.low:.3f} to {self.batch_s.high:.3f} s each)"
                ),
                f"an epoch: {format_time_range(self.epoch_s)}",
                f"{epochs} epochs: {format_time_range(self.total_s(epochs))}",
            ]
        )


def format_time_range(seconds: TimeRange) -> str:
    """ "3.1 min (from 2.9 min to 4.0 min)"."""
    return f"{format_duration(seconds.middle)} (from {format_duration(seconds.low)} to {format_duration(seconds.high)})"


def format_duration(seconds: float) -> str:
    """ "40.0 s", "3.1 min", "2.5 h"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
