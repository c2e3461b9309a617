"""Facts about a run's latest start, `facts.json`: machine, precision, network and data. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FACTS_FILE = "facts.json"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a training ran on and with, as of its latest start.

    Attributes:
        resumed: whether it continued from a checkpoint.
        device: "cpu" or "cuda".
        environment: what affects the resulting weights: torch's version, the device's name, processor, instructions
            and threads.
        precision: "fp32", "bf16" or "fp16".
        precision_reason: why it was chosen.
        keeps_memory: whether the allocator retains memory between steps.
        parameters: number of trainable parameters.
        multiply_adds: for one image.
        images: number of images by split, including excluded ones.
    """

    resumed: bool
    device: str
    environment: Mapping[str, str]
    precision: str
    precision_reason: str
    keeps_memory: bool
    image_source: str
    architecture: str
    parameters: int
    multiply_adds: int
    images: Mapping[str, int]

    @property
    def machine_lines(self) -> list[str]:
        """Log lines about the machine and the images."""
        return [
            f"{'resumed' if self.resumed else 'started'} on {self.device}, torch {self.environment['torch']}",
            f"memory kept between steps: {'yes' if self.keeps_memory else 'no'}",
            f"images come from {self.image_source}",
        ]

    @property
    def log_lines(self) -> list[str]:
        """All log lines."""
        environment = ", ".join(f"{name} {value}" for name, value in self.environment.items() if name != "torch")
        images = ", ".join(f"{n:,} {split.replace('_', ' ')}" for split, n in self.images.items() if n)
        return [
            *self.machine_lines,
            f"computed with {environment}, precision {self.precision}; other values of these give other weights",
            f"images: {images}; near-duplicates of validation and test images are excluded",
            f"{self.architecture}: {self.parameters:,} parameters, {self.multiply_adds:,} multiply-adds per image",
        ]
