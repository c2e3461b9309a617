from __future__ import annotations

import pytest
import torch

from fer_core.system.processor import Processor
from fer_core.training import precision as module
from fer_core.training.config.train_config import TrainConfig, load_config, preset_paths
from fer_core.training.precision import (
    EMULATED,
    PrecisionChoice,
    preview_precision,
    resolve_on_cpu,
    resolve_on_gpu,
    resolve_precision,
)
from fer_core.training.train_step import TrainStep, with_resolved_precision

AVX2 = Processor("AVX2 only", frozenset({"avx", "avx2"}))
VNNI = Processor("AVX-512 and VNNI, no bf16", frozenset({"avx", "avx2", "avx512f", "avx512_vnni"}))
COOPER = Processor("AVX512-BF16", VNNI.flags | {"avx512_bf16"})
SAPPHIRE = Processor("AMX", COOPER.flags | {"amx_bf16"})


@pytest.mark.parametrize(
    ("cpu", "expected"), [(AVX2, "fp32"), (VNNI, "fp32"), (COOPER, "bf16"), (SAPPHIRE, "bf16")], ids=str
)
def test_auto_takes_bf16_only_with_native_support(cpu: Processor, expected: str) -> None:
    assert resolve_on_cpu("auto", cpu).precision == expected


@pytest.mark.parametrize("choice", ["fp32", "bf16"])
@pytest.mark.parametrize("cpu", [AVX2, SAPPHIRE], ids=str)
def test_an_explicit_precision_is_used(choice: PrecisionChoice, cpu: Processor) -> None:
    assert resolve_on_cpu(choice, cpu).precision == choice


def test_emulation_is_the_reason_given() -> None:
    assert resolve_on_cpu("bf16", AVX2).reason == EMULATED
    assert resolve_on_cpu("bf16", SAPPHIRE).reason != EMULATED
    assert "fp32" in EMULATED, "the alternative is named"


@pytest.mark.parametrize(
    ("capability", "expected"),
    [((6, 1), "fp32"), ((7, 0), "fp16"), ((7, 5), "fp16"), ((8, 0), "bf16"), ((9, 0), "bf16")],
)
def test_auto_takes_the_fastest_precision_of_the_gpu(capability: tuple[int, int], expected: str) -> None:
    assert resolve_on_gpu(capability).precision == expected


@pytest.mark.parametrize("cpu", [AVX2, SAPPHIRE], ids=str)
@pytest.mark.parametrize("choice", ["auto", "fp32", "bf16"])
def test_pages_preview_the_precision_of_training(
    monkeypatch: pytest.MonkeyPatch, cpu: Processor, choice: PrecisionChoice
) -> None:
    monkeypatch.setattr(module, "processor", lambda: cpu)
    assert preview_precision(choice, on_gpu=False) == resolve_precision(choice, on_gpu=False)


def test_every_preset_uses_auto() -> None:
    assert TrainConfig(dataset="any").precision == "auto"
    assert {load_config(path, ["dataset=any"]).precision for path in preset_paths().values()} == {"auto"}


def test_auto_must_be_resolved_before_the_first_step() -> None:
    config, cpu = TrainConfig(dataset="any"), torch.device("cpu")
    assert with_resolved_precision(config, cpu).precision in {"fp32", "bf16"}
    with pytest.raises(ValueError, match="must be resolved"):
        TrainStep(torch.nn.Linear(2, 2), None, config, torch.zeros(2, 2).numpy(), 1, cpu)
