"""Detect the processor's name and the instruction sets that matter for neural networks, without torch."""

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

_DISPLAY_NAMES = {
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
"""Instruction sets that matter for networks: flag in Linux's /proc/cpuinfo to display name."""

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
    """A processor; `flags` are named as in Linux's /proc/cpuinfo."""

    name: str
    flags: frozenset[str]

    @property
    def instruction_sets(self) -> tuple[str, ...]:
        """Display names of the instruction sets that matter for networks, oldest first."""
        return tuple(name for flag, name in _DISPLAY_NAMES.items() if flag in self.flags)

    @property
    def has_bf16(self) -> bool:
        """Whether it has bf16 multiplication; without it PyTorch emulates bf16, slower than fp32."""
        return bool(self.flags & {"amx_bf16", "avx512_bf16"})

    def __str__(self) -> str:
        """Name and instruction sets, such as `AMD EPYC 7763 (AVX, AVX2)`."""
        return f"{self.name} ({', '.join(self.instruction_sets) or 'no AVX'})"


@lru_cache(maxsize=1)
def processor() -> Processor:
    """Detect the processor, within the limits of ATEN_CPU_CAPABILITY and ONEDNN_MAX_CPU_ISA."""
    name, flags = (
        _read_cpuinfo() if _CPUINFO.is_file() else _read_sysctl() if sys.platform == "darwin" else _read_numpy()
    )
    return Processor(name or platform.machine() or "unknown processor", limit_flags(flags, os.environ))


def limit_flags(flags: frozenset[str], environment: Mapping[str, str]) -> frozenset[str]:
    """Remove the flags that environment variables of PyTorch and oneDNN disable."""
    aten = _ATEN_LIMITS.get(environment.get("ATEN_CPU_CAPABILITY", "").lower())
    onednn = _ONEDNN_LIMITS.get(environment.get("ONEDNN_MAX_CPU_ISA", "").upper())
    for last in (aten, onednn):
        if last is not None:
            flags -= frozenset(_LEVELS[_LEVELS.index(last) + 1 if last else 0 :])
    return flags


def _read_cpuinfo() -> tuple[str, frozenset[str]]:
    """Name and flags of the first core in /proc/cpuinfo."""
    lines = (line.partition(":") for line in _CPUINFO.read_text(errors="replace").partition("\n\n")[0].splitlines())
    fields = {key.strip(): value.strip() for key, _, value in lines}
    flags = fields.get("flags") or fields.get("Features") or ""
    return fields.get("model name", ""), frozenset(flags.lower().split())


def _read_sysctl() -> tuple[str, frozenset[str]]:
    """Name and flags from sysctl; an Apple processor has NEON with dot products."""
    keys = ["machdep.cpu.brand_string", "machdep.cpu.features", "machdep.cpu.leaf7_features"]
    values = [subprocess.run(["sysctl", "-n", key], capture_output=True, text=True).stdout.strip() for key in keys]
    flags = {flag.replace("avx1.0", "avx") for flag in " ".join(values[1:]).lower().split()}
    return values[0], frozenset(flags | ({"asimd", "asimddp"} if platform.machine() == "arm64" else set()))


def _read_numpy() -> tuple[str, frozenset[str]]:
    """Flags that NumPy detected, which do not include bf16."""
    # NumPy has no public name for them.
    from numpy._core._multiarray_umath import __cpu_features__ as features  # type: ignore[import-not-found]

    names = {"AVX": "avx", "AVX2": "avx2", "AVX512F": "avx512f", "AVX512VNNI": "avx512_vnni", "ASIMD": "asimd"}
    names |= {"ASIMDDP": "asimddp"}
    return platform.processor(), frozenset(flag for name, flag in names.items() if features.get(name))


def usable_cores() -> int:
    """Count the cores of this process, in a container possibly fewer than the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
