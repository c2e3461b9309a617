"""One small experiment that the tests of this folder share."""

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
from tests.support.experiment_store import CONFIG, Experiment, stop_in_epoch_2
from tests.support.synthetic_datasets import write_ferplus_like


@pytest.fixture(scope="package")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Experiment]:
    folder = tmp_path_factory.mktemp("experiment")
    settings = Settings(home=folder / "store", offline=True, threads=1)
    archive = folder / "faces.zip"
    write_ferplus_like(archive, SyntheticFacesConfig(total=300, identities=40, seed=2))
    dataset = import_dataset(archive, settings, dataset_id="tiny")
    text = dump_config(parse_config(CONFIG))
    before = torch.get_num_threads()
    messages: list[tuple[float, str]] = []
    uninterrupted = run_experiment(
        create_run("whole", text, settings), settings, progress=lambda done, message: messages.append((done, message))
    )
    interrupted = create_run("cut", text, settings)
    with pytest.raises(CancelledError):
        run_experiment(interrupted, settings, progress=stop_in_epoch_2)
    state = interrupted.state
    with pytest.MonkeyPatch.context() as patch:  # skips the slow export; the weights are the same
        patch.setattr("fer_core.experiment.export_onnx", lambda *_: uninterrupted.path("model.onnx").read_bytes())
        run_experiment(interrupted, settings, resume=True)
    yield Experiment(settings, dataset, uninterrupted, interrupted, state, messages)
    torch.set_num_threads(before)
