from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.errors import ConfigError, DatasetError
from fer_core.jobs.submit import submit_training
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig


@pytest.fixture
def store(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path / "store", offline=True)
    (settings.datasets_dir / "faces").mkdir(parents=True)
    (settings.datasets_dir / "faces" / "dataset.json").write_text("{}")
    return settings


def test_a_training_that_can_not_start_creates_no_run(store: Settings, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no dataset 'gone'"):
        submit_training(TrainConfig(dataset="gone"), store)
    absent = tmp_path / "absent.pt"
    with pytest.raises(ConfigError, match=r"init_from: there is no run and no file .*absent\.pt"):
        submit_training(TrainConfig(dataset="faces", init_from=str(absent)), store)
    assert not store.runs_dir.exists()
