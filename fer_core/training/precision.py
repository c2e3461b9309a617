"""Resolve the training precision (`auto`, fp32, bf16, fp16).

Mixed precision (Micikevicius et al., 2018) keeps the weights in 32 bits and computes mostly in 16 bits, which is faster
only if the hardware has 16-bit multiplication.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fer_core.models.memory_estimate import Precision
from fer_core.system.processor import Processor, processor

PrecisionChoice = Literal["auto", "fp32", "bf16", "fp16"]

_BF16_COMPUTE_CAPABILITY = (8, 0)
"""NVIDIA's first generation with bf16 (Ampere)."""

_FP16_COMPUTE_CAPABILITY = (7, 0)
"""The first with fp16 several times faster than fp32 (Volta)."""

EMULATED = "as configured; this processor emulates it, which can take many times as long as fp32"


@dataclass(frozen=True, slots=True)
class ResolvedPrecision:
    """A precision and why it was chosen."""

    precision: Precision
    reason: str

    def __str__(self) -> str:
        """Such as `fp32 (auto: this processor has no bf16 instructions)`."""
        return f"{self.precision} ({self.reason})"


def resolve_precision(configured: PrecisionChoice, *, on_gpu: bool) -> ResolvedPrecision:
    """Resolve the precision when a run starts or is estimated. Imports torch only with a GPU."""
    if not on_gpu:
        return resolve_on_cpu(configured, processor())
    if configured != "auto":
        return ResolvedPrecision(configured, "as configured")
    import torch

    return resolve_on_gpu(torch.cuda.get_device_capability())


def preview_precision(configured: PrecisionChoice, *, on_gpu: bool) -> ResolvedPrecision:
    """Predict the result of `resolve_precision` without torch, for pages: on a GPU, `auto` is half precision."""
    if on_gpu and configured == "auto":
        return ResolvedPrecision("bf16", "auto: the GPU decides when training starts")
    return resolve_precision(configured, on_gpu=on_gpu)


def resolve_on_cpu(configured: PrecisionChoice, here: Processor) -> ResolvedPrecision:
    """Resolve the precision on a processor: bf16 if it has bf16 instructions, otherwise fp32."""
    if configured == "auto":
        if here.has_bf16:
            return ResolvedPrecision("bf16", "auto: this processor has bf16 instructions")
        return ResolvedPrecision("fp32", "auto: this processor has no bf16 instructions")
    if configured == "bf16" and not here.has_bf16:
        return ResolvedPrecision("bf16", EMULATED)
    return ResolvedPrecision(configured, "as configured")


def resolve_on_gpu(capability: tuple[int, int]) -> ResolvedPrecision:
    """Resolve `auto` on an NVIDIA GPU with a compute capability such as (8, 0)."""
    generation = ".".join(map(str, capability))
    if capability >= _BF16_COMPUTE_CAPABILITY:
        return ResolvedPrecision("bf16", f"auto: a GPU of compute capability {generation} has bf16")
    if capability >= _FP16_COMPUTE_CAPABILITY:
        return ResolvedPrecision("fp16", f"auto: a GPU of compute capability {generation} has fp16, not bf16")
    return ResolvedPrecision("fp32", f"auto: a GPU of compute capability {generation} has neither bf16 nor fast fp16")
