from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from fer_core.contract import Contract
from fer_core.errors import ConfigError, InputError
from fer_core.labels import label_set
from fer_core.models.registry import architecture, build_network
from fer_core.runs.folder import Run
from fer_core.settings import Settings
from fer_core.training.config import TrainConfig, parse_config
from fer_core.training.teachers import Teachers
from tests.made_runs import made_run

CPU = torch.device("cpu")
MODEL = {"name": "small-resnet", "width": 4, "size_px": 32}
CONTRACT = architecture("small-resnet").contract(label_set("eight"), 32)
LEARNED, JUDGED = ["a", "b", "c"], ["x", "y"]


def _teacher(name: str, store: Settings, seed: int = 0, contract: Contract = CONTRACT) -> Run:
    """A finished run with random weights, which has learned from `LEARNED`."""
    torch.manual_seed(seed)
    run = made_run(name, store, model=MODEL)
    contract.save(run.path("contract.json"))
    network = build_network("small-resnet", 8, width=4)
    save_file(network.state_dict(), run.path("weights.safetensors"))
    ids = [*LEARNED, *JUDGED]
    run.write_table("split.parquet", pd.DataFrame({"id": ids, "split": ["train"] * 3 + ["valid", "test"]}))
    return run


def _config(*teachers: str, dataset: str = "ferplus", share_01: float = 0.5) -> TrainConfig:
    distil = {"teachers": teachers, "share_01": share_01}
    return parse_config({"dataset": dataset, "model": MODEL, "distil": distil})


def _faces(n: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """Targets and images."""
    chance = torch.Generator().manual_seed(1)
    targets = torch.rand(n, 8, generator=chance)
    return targets / targets.sum(1, keepdim=True), torch.randn(n, 1, 32, 32, generator=chance)


@pytest.fixture
def store(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, offline=True)


def test_without_teachers_there_are_none(store: Settings) -> None:
    assert Teachers.open(_config(), CONTRACT, JUDGED, store, CPU) is None


def test_targets_are_the_teachers_mean_answer_for_a_share_and_their_own_for_the_rest(store: Settings) -> None:
    networks = []
    for seed, name in enumerate(("first", "second")):
        run = _teacher(name, store, seed)
        network = build_network("small-resnet", 8, width=4).eval()
        network.load_state_dict(load_file(run.path("weights.safetensors")))
        networks.append(network)
    targets, images = _faces()
    teachers = Teachers.open(_config("first", "second", share_01=0.7), CONTRACT, JUDGED, store, CPU)
    assert teachers is not None
    joined = teachers.joined(targets, images)
    with torch.inference_mode():
        mean = sum(network(images).softmax(1) for network in networks) / 2
    torch.testing.assert_close(joined, 0.3 * targets + 0.7 * mean)
    torch.testing.assert_close(joined.sum(1), torch.ones(6))


def test_teachers_of_a_run_of_half_the_digits_answer_with_half_the_digits(store: Settings) -> None:
    _teacher("first", store)
    whole, half = (
        Teachers.open(_config("first", share_01=1.0).model_copy(update={"precision": kind}), CONTRACT, (), store, CPU)
        for kind in ("fp32", "bf16")
    )
    assert whole is not None
    assert half is not None
    first, second = (teachers.joined(*_faces()) for teachers in (whole, half))
    assert second.dtype == torch.float32
    torch.testing.assert_close(first, second, rtol=0, atol=0.02)
    assert not torch.equal(first, second)


def test_a_teacher_learns_nothing_itself_and_keeps_its_statistics(store: Settings) -> None:
    network: nn.Module = build_network("small-resnet", 8, width=4).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    teachers = Teachers([network], 1.0, CPU)
    first, second = (teachers.joined(*_faces()) for _ in range(2))
    assert not first.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_a_teacher_is_a_finished_run(store: Settings) -> None:
    with pytest.raises(InputError, match="gone"):
        Teachers.open(_config("gone"), CONTRACT, JUDGED, store, CPU)
    made_run("half", store, finished=False)
    with pytest.raises(InputError, match=r"distil\.teachers: the run half is unfinished"):
        Teachers.open(_config("half"), CONTRACT, JUDGED, store, CPU)


def test_a_teacher_takes_faces_as_the_student_does(store: Settings) -> None:
    _teacher("larger", store, contract=CONTRACT.model_copy(update={"size_px": 48}))
    with pytest.raises(InputError, match=r"larger takes faces in another way \(size_px\)"):
        Teachers.open(_config("larger"), CONTRACT, JUDGED, store, CPU)


def test_a_teacher_has_not_learned_from_what_the_student_is_judged_by(store: Settings) -> None:
    _teacher("first", store)
    with pytest.raises(InputError, match="the run first has learned from 2 images that this one is judged by"):
        Teachers.open(_config("first"), CONTRACT, ["a", "b", "x"], store, CPU)
    # Names say nothing where the teacher learned from another dataset.
    assert Teachers.open(_config("first", dataset="other"), CONTRACT, ["a", "b", "x"], store, CPU) is not None


def test_a_run_teaches_once(store: Settings) -> None:
    with pytest.raises(ConfigError, match=r"distil\.teachers: a run is named twice"):
        _config("first", "first")
