from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from fer_core.contract import Contract
from fer_core.data.training_images import TRAINING_IMAGES_FILE, TrainingImages, truncate_hashes
from fer_core.errors import ConfigError, InputError
from fer_core.labels import label_set
from fer_core.models.catalog import model_info
from fer_core.models.registry import build_network
from fer_core.runs.folder import Run
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig, parse_config
from fer_core.training.distillation.eligible_teachers import open_teachers
from fer_core.training.distillation.teachers import TeacherEnsemble
from fer_core.training.leakage import collect_training_images
from tests.support.runs import make_run

CPU = torch.device("cpu")
MODEL = {"name": "small-resnet", "width": 4, "size_px": 32}
CONTRACT = model_info("small-resnet").contract(label_set("eight"), 32)
TRAINED_ON, EVALUATED_ON = ["a", "b", "c"], ["x", "y"]


def _teacher(name: str, store: Settings, seed: int = 0, contract: Contract = CONTRACT) -> Run:
    """Make a finished run with random weights, trained on `TRAINED_ON`."""
    torch.manual_seed(seed)
    run = make_run(name, store, model=MODEL)
    contract.save(run.path("contract.json"))
    network = build_network("small-resnet", 8, width=4)
    save_file(network.state_dict(), run.path("weights.safetensors"))
    ids = [*TRAINED_ON, *EVALUATED_ON]
    run.write_table("split.parquet", pd.DataFrame({"id": ids, "split": ["train"] * 3 + ["valid", "test"]}))
    return run


def _evaluation_index(*ids: str) -> pd.DataFrame:
    """Index of validation (`x`) and test images whose hashes are derived from their names."""
    split = ["valid" if name == "x" else "test" for name in ids]
    return pd.DataFrame({"id": ids, "sha256": [_sha256(name) for name in ids], "split": split}, dtype="str")


def _sha256(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def _config(*teachers: str, dataset: str = "ferplus", share_01: float = 0.5) -> TrainConfig:
    distillation = {"teachers": teachers, "share_01": share_01}
    return parse_config({"dataset": dataset, "model": MODEL, "distillation": distillation})


def _faces(n: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """Targets and images."""
    generator = torch.Generator().manual_seed(1)
    targets = torch.rand(n, 8, generator=generator)
    return targets / targets.sum(1, keepdim=True), torch.randn(n, 1, 32, 32, generator=generator)


@pytest.fixture
def store(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, offline=True)


def test_a_config_without_teachers_opens_none(store: Settings) -> None:
    assert TeacherEnsemble.open(_config(), CONTRACT, _evaluation_index(*EVALUATED_ON), store, CPU) is None


def test_targets_mix_the_mean_of_the_teachers_with_the_labels(store: Settings) -> None:
    networks = []
    for seed, name in enumerate(("first", "second")):
        run = _teacher(name, store, seed)
        network = build_network("small-resnet", 8, width=4).eval()
        network.load_state_dict(load_file(run.path("weights.safetensors")))
        networks.append(network)
    targets, images = _faces()
    teachers = TeacherEnsemble.open(
        _config("first", "second", share_01=0.7), CONTRACT, _evaluation_index(*EVALUATED_ON), store, CPU
    )
    assert teachers is not None
    mixed = teachers.mix_targets(targets, images)
    with torch.inference_mode():
        mean = sum(network(images).softmax(1) for network in networks) / 2
    torch.testing.assert_close(mixed, 0.3 * targets + 0.7 * mean)
    torch.testing.assert_close(mixed.sum(1), torch.ones(6))


def test_teachers_in_bf16_give_nearly_the_same_targets(store: Settings) -> None:
    _teacher("first", store)
    fp32, bf16 = (
        TeacherEnsemble.open(
            _config("first", share_01=1.0).model_copy(update={"precision": kind}), CONTRACT, None, store, CPU
        )
        for kind in ("fp32", "bf16")
    )
    assert fp32 is not None
    assert bf16 is not None
    first, second = (teachers.mix_targets(*_faces()) for teachers in (fp32, bf16))
    assert second.dtype == torch.float32
    torch.testing.assert_close(first, second, rtol=0, atol=0.02)
    assert not torch.equal(first, second)


def test_a_teacher_is_frozen_and_in_evaluation_mode(store: Settings) -> None:
    network: nn.Module = build_network("small-resnet", 8, width=4).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    teachers = TeacherEnsemble([network], 1.0, CPU)
    first, second = (teachers.mix_targets(*_faces()) for _ in range(2))
    assert not first.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_a_teacher_must_be_a_finished_run(store: Settings) -> None:
    with pytest.raises(InputError, match="gone"):
        TeacherEnsemble.open(_config("gone"), CONTRACT, _evaluation_index(*EVALUATED_ON), store, CPU)
    make_run("half", store, finished=False)
    with pytest.raises(InputError, match=r"distillation\.teachers: the run half is unfinished"):
        TeacherEnsemble.open(_config("half"), CONTRACT, _evaluation_index(*EVALUATED_ON), store, CPU)


def test_a_teacher_must_share_the_students_preprocessing(store: Settings) -> None:
    _teacher("larger", store, contract=CONTRACT.model_copy(update={"size_px": 48}))
    with pytest.raises(InputError, match=r"larger preprocesses faces differently \(size_px\)"):
        TeacherEnsemble.open(_config("larger"), CONTRACT, _evaluation_index(*EVALUATED_ON), store, CPU)


def test_a_teacher_trained_on_evaluation_images_is_refused(store: Settings) -> None:
    _teacher("first", store)
    with pytest.raises(InputError, match="the run first was trained on 2 of this run's validation or test images"):
        TeacherEnsemble.open(_config("first"), CONTRACT, _evaluation_index("a", "b", "x"), store, CPU)
    # Image ids of different datasets are not comparable.
    assert (
        TeacherEnsemble.open(_config("first", dataset="other"), CONTRACT, _evaluation_index("a", "b", "x"), store, CPU)
        is not None
    )


@pytest.mark.parametrize("dataset", ["ferplus", "other"])
def test_leakage_is_detected_by_content_hash_across_datasets(dataset: str, store: Settings) -> None:
    run = _teacher("first", store)
    hashes = [_sha256(name) for name in ("p", "q", "r")]
    TrainingImages.from_split(hashes, np.array(["train", "valid", "test"])).save(run.path(TRAINING_IMAGES_FILE))
    config = _config("first", dataset=dataset)
    # The id "a" matches a training image, but the images differ.
    assert open_teachers(config, CONTRACT, _evaluation_index("a", "r"), store) == [run]
    with pytest.raises(InputError, match="was trained on 1 of this run's validation or test images"):
        open_teachers(config, CONTRACT, _evaluation_index("p", "r"), store)
    with pytest.raises(InputError, match="was selected on 1 of this run's test images"):
        open_teachers(config, CONTRACT, _evaluation_index("q"), store)
    assert open_teachers(config, CONTRACT, _evaluation_index("q").assign(split="valid"), store) == [run]


def test_training_images_include_those_of_teachers_and_initial_run(store: Settings) -> None:
    for name, image in (("first", "p"), ("second", "q")):
        run = _teacher(name, store)
        TrainingImages.from_split([_sha256(image)], np.array(["train"])).save(run.path(TRAINING_IMAGES_FILE))
    index, splits = _evaluation_index("a", "b", "c"), np.array(["train", "valid", "test"])
    config = _config("first").model_copy(update={"init_from": "second"})
    training_images = collect_training_images(index, splits, config, store)
    trained, selected, _ = training_images.match(truncate_hashes([_sha256(name) for name in ("a", "p", "q", "b", "c")]))
    assert trained.tolist() == [True, True, True, False, False]
    assert selected.tolist() == [False, False, False, True, False]
    assert training_images.complete
    unknown = config.model_copy(update={"init_from": "/some/weights.pt"})
    assert not collect_training_images(index, splits, unknown, store).complete


def test_a_teacher_can_not_be_listed_twice(store: Settings) -> None:
    with pytest.raises(ConfigError, match=r"distillation\.teachers: a run is listed twice"):
        _config("first", "first")
