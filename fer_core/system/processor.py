"""The processor of this machine: its name, and the instruction sets that decide how fast networks compute on it.

Needs no torch, so that pages and `doctor` can say it too. PyTorch and ONNX Runtime look at the same flags.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")

_SHOWN = {
    "avx": "AVX",
    "avx2": "AVX2",
    "avx_vnni": "AVX-VNNI",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX512-VNNI",
    "avx512_bf16": "AVX512-BF16",
    "amx_bf16": "AMX-BF16",
    "amx_int8": "AMX-INT8",
    "asimd": "NEON",
    "asimddp": "dot product",
    "i8mm": "I8MM",
    "bf16": "BF16",
}
"""The instruction sets that matter to a network, by the flag that Linux gives them, and how they are written."""

_LEVELS = ("avx", "avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")

_ATEN_LIMITS = {"default": "", "avx2": "avx_vnni", "avx512": "amx_int8"}
"""The last instruction set that PyTorch uses under a value of ATEN_CPU_CAPABILITY."""

_ONEDNN_LIMITS = {
    "SSE41": "",
    "AVX": "avx",
    "AVX2": "avx2",
    "AVX2_VNNI": "avx_vnni",
    "AVX512_CORE": "avx512f",
    "AVX512_CORE_VNNI": "avx512_vnni",
    "AVX512_CORE_BF16": "avx512_bf16",
}
"""The last instruction set that oneDNN uses under a value of ONEDNN_MAX_CPU_ISA."""


@dataclass(frozen=True, slots=True)
class Processor:
    """A processor as networks see it; `flags` are named as in Linux's /proc/cpuinfo."""

    name: str
    flags: frozenset[str]

    @property
    def instruction_sets(self) -> tuple[str, ...]:
        """Those that matter to a network, oldest first, as people write them."""
        return tuple(shown for flag, shown in _SHOWN.items() if flag in self.flags)

    @property
    def has_avx512(self) -> bool:
        """Whether it computes with 512-bit vectors."""
        return "avx512f" in self.flags

    @property
    def has_bf16(self) -> bool:
        """Whether it multiplies bf16 numbers itself; elsewhere PyTorch emulates them, slower than fp32."""
        return bool(self.flags & {"amx_bf16", "avx512_bf16"})

    @property
    def has_int8(self) -> bool:
        """Whether one instruction multiplies and adds 8-bit integers; without it INT8 gains little or nothing."""
        return bool(self.flags & {"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"})

    def __str__(self) -> str:
        """The name with the instruction sets, such as `AMD EPYC 7763 (AVX, AVX2)`."""
        return f"{self.name} ({', '.join(self.instruction_sets) or 'no AVX'})"


@lru_cache(maxsize=1)
def processor() -> Processor:
    """The processor of this process, within the limits of ATEN_CPU_CAPABILITY and ONEDNN_MAX_CPU_ISA."""
    name, flags = _linux() if _CPUINFO.is_file() else _mac() if sys.platform == "darwin" else _elsewhere()
    return Processor(name or platform.machine() or "unknown processor", limit_flags(flags, os.environ))


def limit_flags(flags: frozenset[str], environment: Mapping[str, str]) -> frozenset[str]:
    """The flags that are left when PyTorch or oneDNN is told to use an older instruction set."""
    aten = _ATEN_LIMITS.get(environment.get("ATEN_CPU_CAPABILITY", "").lower())
    onednn = _ONEDNN_LIMITS.get(environment.get("ONEDNN_MAX_CPU_ISA", "").upper())
    for last in (aten, onednn):
        if last is not None:
            flags -= frozenset(_LEVELS[_LEVELS.index(last) + 1 if last else 0 :])
    return flags


def _linux() -> tuple[str, frozenset[str]]:
    """Name and flags from /proc/cpuinfo, which has a block a core; the first is read."""
    lines = (line.partition(":") for line in _CPUINFO.read_text(errors="replace").partition("\n\n")[0].splitlines())
    fields = {key.strip(): value.strip() for key, _, value in lines}
    flags = fields.get("flags") or fields.get("Features") or ""
    return fields.get("model name", ""), frozenset(flags.lower().split())


def _mac() -> tuple[str, frozenset[str]]:
    """Name and flags from sysctl; an Apple processor has NEON with dot products."""
    keys = ["machdep.cpu.brand_string", "machdep.cpu.features", "machdep.cpu.leaf7_features"]
    found = [subprocess.run(["sysctl", "-n", key], capture_output=True, text=True).stdout.strip() for key in keys]
    flags = {flag.replace("avx1.0", "avx") for flag in " ".join(found[1:]).lower().split()}
    return found[0], frozenset(flags | ({"asimd", "asimddp"} if platform.machine() == "arm64" else set()))


def _elsewhere() -> tuple[str, frozenset[str]]:
    """What NumPy found out at its start: it has no bf16 flag, so bf16 is left alone there."""
    # NumPy has no public name for it.
    from numpy._core._multiarray_umath import __cpu_features__ as found  # type: ignore[import-not-found]

    names = {"AVX": "avx", "AVX2": "avx2", "AVX512F": "avx512f", "AVX512VNNI": "avx512_vnni", "ASIMD": "asimd"}
    names |= {"ASIMDDP": "asimddp"}
    return platform.processor(), frozenset(flag for name, flag in names.items() if found.get(name))
