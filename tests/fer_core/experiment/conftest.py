"""One small experiment, which the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from fer_core.data.catalog import import_dataset
from fer_core.data.synthetic.dataset import SyntheticFacesConfig
from fer_core.errors import CancelledError
from fer_core.experiment import run_experiment
from fer_core.runs.folder import create_run
from fer_core.settings import Settings
from fer_core.training.config.train_config import dump_config, parse_config
from tests.support.experiment_store import CONFIG, World, stop_in_epoch_2
from tests.support.synthetic_datasets import write_ferplus_like


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    here = Settings(home=folder / "store", offline=True, threads=1)
    archive = folder / "faces.zip"
    write_ferplus_like(archive, SyntheticFacesConfig(total=300, identities=40, seed=2))
    dataset = import_dataset(archive, here, dataset_id="tiny")
    text = dump_config(parse_config(CONFIG))
    before = torch.get_num_threads()
    messages: list[tuple[float, str]] = []
    whole = run_experiment(
        create_run("whole", text, here), here, progress=lambda done, message: messages.append((done, message))
    )
    cut = create_run("cut", text, here)
    with pytest.raises(CancelledError):
        run_experiment(cut, here, progress=stop_in_epoch_2)
    state = cut.state
    with pytest.MonkeyPatch.context() as patch:  # the export takes longest, and the weights are the same
        patch.setattr("fer_core.experiment.export_onnx", lambda *_: whole.path("model.onnx").read_bytes())
        run_experiment(cut, here, resume=True)
    yield World(here, dataset, whole, cut, state, messages)
    torch.set_num_threads(before)
