from __future__ import annotations

import os
from pathlib import Path

import pytest

from fer_core.system import processor as module
from fer_core.system.processor import Processor, limit_flags, processor

SAPPHIRE = frozenset(
    ["fma", "avx", "avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8"]
)

EPYC = """processor\t: 0
vendor_id\t: AuthenticAMD
model name\t: AMD EPYC 7763 64-Core Processor
flags\t\t: fpu sse2 fma avx avx2 sha_ni

processor\t: 1
model name\t: another
flags\t\t: fpu avx512f
"""

GRAVITON = """processor\t: 0
BogoMIPS\t: 2100.00
Features\t: fp asimd asimddp bf16 i8mm
"""


@pytest.mark.parametrize(
    ("cpuinfo", "name", "expected"),
    [
        (EPYC, "AMD EPYC 7763 64-Core Processor", ("AVX", "AVX2")),
        (GRAVITON, "", ("NEON", "dot product", "I8MM", "BF16")),
    ],
)
def test_name_and_instruction_sets_are_read_from_cpuinfo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cpuinfo: str, name: str, expected: tuple[str, ...]
) -> None:
    (tmp_path / "cpuinfo").write_text(cpuinfo)
    monkeypatch.setattr(module, "_CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.delenv("ATEN_CPU_CAPABILITY", raising=False)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    detected = processor.__wrapped__()
    assert detected.name.startswith(name)
    assert detected.name
    assert detected.instruction_sets == expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, SAPPHIRE),
        ({"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_VNNI"}, SAPPHIRE - {"avx512_bf16", "amx_bf16", "amx_int8"}),
        ({"ONEDNN_MAX_CPU_ISA": "avx2"}, {"fma", "avx", "avx2"}),
        ({"ATEN_CPU_CAPABILITY": "avx2"}, {"fma", "avx", "avx2", "avx_vnni"}),
        ({"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}, {"fma", "avx", "avx2"}),
        ({"ATEN_CPU_CAPABILITY": "default"}, {"fma"}),
        ({"ONEDNN_MAX_CPU_ISA": "ALL"}, SAPPHIRE),
    ],
)
def test_environment_variables_limit_the_instruction_sets(environment: dict[str, str], expected: set[str]) -> None:
    assert limit_flags(SAPPHIRE, environment) == expected


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"avx", "avx2", "avx_vnni"}, False),
        ({"avx2", "avx512f", "avx512_vnni"}, False),
        (SAPPHIRE, True),
    ],
)
def test_bf16_support(flags: set[str], expected: bool) -> None:
    assert Processor("any", frozenset(flags)).has_bf16 == expected


def test_a_processor_is_formatted_with_its_instruction_sets() -> None:
    assert str(Processor("AMD EPYC", frozenset({"avx2", "avx", "sse2"}))) == "AMD EPYC (AVX, AVX2)"
    assert str(Processor("Old one", frozenset())) == "Old one (no AVX)"


@pytest.mark.skipif("ONEDNN_MAX_CPU_ISA" in os.environ and "ATEN_CPU_CAPABILITY" not in os.environ, reason="One limit.")
def test_pytorch_detects_the_same_instruction_sets() -> None:
    import torch

    assert ("avx512f" in processor().flags) == (torch.backends.cpu.get_cpu_capability() == "AVX512")
