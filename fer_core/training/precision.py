"""The precision that a training computes in: what `auto` means on a machine, and why.

Micikevicius et al. (2018), "Mixed Precision Training": weights stay in 32 bits, most arithmetic is done in 16. That
pays only where the hardware multiplies 16-bit numbers itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fer_core.models.memory_estimate import Precision
from fer_core.system.processor import Processor, processor

PrecisionChoice = Literal["auto", "fp32", "bf16", "fp16"]

_BF16_COMPUTE_CAPABILITY = (8, 0)
"""NVIDIA's first generation that multiplies bf16 numbers (Ampere)."""

_FP16_COMPUTE_CAPABILITY = (7, 0)
"""The first that multiplies fp16 numbers several times faster than fp32 (Volta)."""

EMULATED = "as asked; this processor emulates it, which can take many times as long as fp32"


@dataclass(frozen=True, slots=True)
class ResolvedPrecision:
    """A precision, and in a few words why it is this one."""

    precision: Precision
    reason: str

    def __str__(self) -> str:
        """Such as `fp32 (auto: this processor has no bf16 instructions)`."""
        return f"{self.precision} ({self.reason})"


def resolve_precision(asked: PrecisionChoice, *, on_gpu: bool) -> ResolvedPrecision:
    """Decide the precision, once, when a run begins or is estimated. Loads torch where there is a GPU to ask."""
    if not on_gpu:
        return resolve_on_cpu(asked, processor())
    if asked != "auto":
        return ResolvedPrecision(asked, "as asked")
    import torch

    return resolve_on_gpu(torch.cuda.get_device_capability())


def preview_precision(asked: PrecisionChoice, *, on_gpu: bool) -> ResolvedPrecision:
    """What `resolve_precision` will say, for pages, which don't load torch: with a GPU, `auto` is half precision."""
    if on_gpu and asked == "auto":
        return ResolvedPrecision("bf16", "auto: settled by the GPU when training starts")
    return resolve_precision(asked, on_gpu=on_gpu)


def resolve_on_cpu(asked: PrecisionChoice, here: Processor) -> ResolvedPrecision:
    """The precision on a processor: bf16 where it multiplies such numbers itself, else fp32."""
    if asked == "auto":
        if here.has_bf16:
            return ResolvedPrecision("bf16", "auto: this processor has bf16 instructions")
        return ResolvedPrecision("fp32", "auto: this processor has no bf16 instructions")
    if asked == "bf16" and not here.has_bf16:
        return ResolvedPrecision("bf16", EMULATED)
    return ResolvedPrecision(asked, "as asked")


def resolve_on_gpu(capability: tuple[int, int]) -> ResolvedPrecision:
    """What `auto` means on an NVIDIA GPU of a compute capability, such as (8, 0)."""
    generation = ".".join(map(str, capability))
    if capability >= _BF16_COMPUTE_CAPABILITY:
        return ResolvedPrecision("bf16", f"auto: a GPU of compute capability {generation} has bf16")
    if capability >= _FP16_COMPUTE_CAPABILITY:
        return ResolvedPrecision("fp16", f"auto: a GPU of compute capability {generation} has fp16, not bf16")
    return ResolvedPrecision("fp32", f"auto: a GPU of compute capability {generation} has neither bf16 nor fast fp16")
