"""A small archive and a tiny model for tests of commands."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fer_core.calibration import Calibration
from fer_core.contract import Contract
from fer_core.data.synthetic.dataset import SyntheticFacesConfig
from fer_core.labels import Expression, label_set
from fer_core.settings import Settings
from tests.support.synthetic_datasets import write_ferplus_like

EIGHT = label_set("eight").expressions


@pytest.fixture(scope="session")
def synthetic_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "faces.zip"
    write_ferplus_like(path, SyntheticFacesConfig(total=60, identities=20, seed=4))
    return path


@pytest.fixture
def archive(synthetic_archive: Path, tmp_path: Path) -> Path:
    return shutil.copy(synthetic_archive, tmp_path / "faces.zip")


@pytest.fixture
def bundle(store: Settings) -> Path:
    """A model in the store that predicts happiness for every face, more confidently for brighter ones."""
    folder = store.models_dir / "tiny"
    folder.mkdir(parents=True)
    Contract(color="gray", size_px=16, normalization="unit", labels=EIGHT).save(folder / "contract.json")
    Calibration.identity(EIGHT).save(folder / "calibration.json")
    weights = np.zeros((8, 1), np.float32)
    weights[EIGHT.index(Expression.HAPPINESS)] = 5
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["faces"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["means"]),
            helper.make_node("Gemm", ["means", "weights"], ["logits"], transB=1),
        ],
        "tiny",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["n", 1, 16, 16])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 8])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, folder / "model.onnx")
    return folder
