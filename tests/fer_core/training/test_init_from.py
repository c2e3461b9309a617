from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save, save_file

from fer_core.errors import InputError
from fer_core.labels import label_set
from fer_core.models.catalog import model_info
from fer_core.runs.folder import create_run
from fer_core.settings import Settings
from fer_core.training.config.train_config import dump_config, load_config, preset_paths
from fer_core.training.data_loader import TrainingSet
from fer_core.training.trainer import Trainer
from tests.support.tiny_training import assert_same_weights, copy_weights, make_trainer

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
def test_training_starts_from_the_weights_of_a_file_or_run(
    name: str, store: Settings, data: TrainingSet, tmp_path: Path
) -> None:
    first = make_trainer("first", store, data)
    path = tmp_path / name
    state = {name: value.contiguous() for name, value in copy_weights(first).items()}
    torch.save(state, path) if name == "weights.pt" else save_file(state, path)
    second = make_trainer("second", store, data, "seed=5", f"init_from={path}")
    assert_same_weights(copy_weights(first), copy_weights(second))
    first.run.write("weights.safetensors", save(state))
    assert_same_weights(
        copy_weights(first), copy_weights(make_trainer("third", store, data, "seed=6", "init_from=first"))
    )
    with pytest.raises(InputError, match=r"is not of this network: .* has the shape"):
        make_trainer("wider", store, data, "model.width=8", f"init_from={path}")
    with pytest.raises(InputError, match=r"no file .*gone"):
        make_trainer("none", store, data, f"init_from={tmp_path / 'gone.pt'}")


def test_training_starts_from_study_as_published_weights(store: Settings, tmp_path: Path) -> None:
    """A plain state dict with conv1 to conv5 and fc, and nothing else."""
    channels = (3, 12, 12, 24, 24, 24)
    state = {}
    for number, (inner, outer) in enumerate(pairwise(channels), 1):
        state |= {f"conv{number}.weight": torch.rand(outer, inner, 3, 3), f"conv{number}.bias": torch.rand(outer)}
    state |= {"fc.weight": torch.rand(8, 14 * 14 * 24), "fc.bias": torch.rand(8)}
    torch.save(state, tmp_path / "study-a.pt")
    config = load_config(preset_paths()["A-cnn"], [f"init_from={tmp_path / 'study-a.pt'}", "batch_size=4"])
    contract = model_info("shallow-cnn").contract(label_set("eight"))
    images, class_indices = np.zeros((8, 3, 224, 224), np.uint8), np.arange(8)
    faces = TrainingSet(images, np.eye(8, dtype=np.float32), class_indices, np.arange(4), np.arange(4, 8))
    trainer = Trainer(config, contract, faces, create_run("a", dump_config(config), store))
    for name, value in trainer.network.state_dict().items():
        torch.testing.assert_close(value, state[name], rtol=0, atol=0)
