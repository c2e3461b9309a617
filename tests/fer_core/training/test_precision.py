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
    ("here", "auto"), [(AVX2, "fp32"), (VNNI, "fp32"), (COOPER, "bf16"), (SAPPHIRE, "bf16")], ids=str
)
def test_auto_takes_bf16_only_where_the_processor_has_it(here: Processor, auto: str) -> None:
    assert resolve_on_cpu("auto", here).precision == auto


@pytest.mark.parametrize("asked", ["fp32", "bf16"])
@pytest.mark.parametrize("here", [AVX2, SAPPHIRE], ids=str)
def test_what_is_asked_for_is_done(asked: PrecisionChoice, here: Processor) -> None:
    assert resolve_on_cpu(asked, here).precision == asked


def test_an_emulated_precision_is_told() -> None:
    assert resolve_on_cpu("bf16", AVX2).reason == EMULATED
    assert resolve_on_cpu("bf16", SAPPHIRE).reason != EMULATED
    assert "fp32" in EMULATED, "what to take instead"


@pytest.mark.parametrize(
    ("capability", "auto"), [((6, 1), "fp32"), ((7, 0), "fp16"), ((7, 5), "fp16"), ((8, 0), "bf16"), ((9, 0), "bf16")]
)
def test_auto_takes_what_the_gpu_computes_fastest(capability: tuple[int, int], auto: str) -> None:
    assert resolve_on_gpu(capability).precision == auto


@pytest.mark.parametrize("here", [AVX2, SAPPHIRE], ids=str)
@pytest.mark.parametrize("asked", ["auto", "fp32", "bf16"])
def test_pages_expect_what_training_does(
    monkeypatch: pytest.MonkeyPatch, here: Processor, asked: PrecisionChoice
) -> None:
    monkeypatch.setattr(module, "processor", lambda: here)
    assert preview_precision(asked, on_gpu=False) == resolve_precision(asked, on_gpu=False)


def test_every_preset_leaves_it_to_the_hardware() -> None:
    assert TrainConfig(dataset="any").precision == "auto"
    assert {load_config(path, ["dataset=any"]).precision for path in preset_paths().values()} == {"auto"}


def test_auto_must_be_resolved_before_the_first_step() -> None:
    config, cpu = TrainConfig(dataset="any"), torch.device("cpu")
    assert with_resolved_precision(config, cpu).precision in {"fp32", "bf16"}
    with pytest.raises(ValueError, match="must be resolved"):
        TrainStep(torch.nn.Linear(2, 2), None, config, torch.zeros(2, 2).numpy(), 1, cpu)
