from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from fer_core.bundles.bundle import INPUT_NAME, MODEL_FILE, OUTPUT_NAME, Bundle
from fer_core.bundles.flip_tta import without_flip_tta
from fer_core.bundles.quantization import quantize
from fer_core.errors import BundleError
from fer_core.labels import label_set
from fer_core.models.catalog import model_info
from fer_core.models.onnx_export import torch_logits
from tests.support.exported_networks import build_small_network, write_small_bundle

FOUR = label_set("four")
SHIPPED = Path(__file__).resolve().parents[3] / "fer_core" / "weights" / "webcam"


def faces(count: int, size: int = 32) -> NDArray[np.float32]:
    levels = np.random.default_rng(count).uniform(0, 255, (count, 1, size, size)).astype(np.float32)
    normalized: NDArray[np.float32] = model_info("small-resnet").contract(FOUR, size).normalize(levels)
    return normalized


@pytest.fixture(scope="module", params=[True, False], ids=["flip_tta", "plain"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export with flip TTA, and one without."""
    bundle_folder = write_small_bundle(
        tmp_path_factory.mktemp("flip") / ("flip_tta" if request.param else "plain"), "four", flip_tta=request.param
    )
    np.save(bundle_folder / "single.npy", torch_logits(build_small_network("four"), faces(5)))
    return bundle_folder


def test_the_single_pass_matches_the_trained_network(folder: Path) -> None:
    bundle = Bundle.open(folder, flip_tta=False)
    assert bundle.flip_tta_removed == (folder.name == "flip_tta")
    np.testing.assert_allclose(bundle.logits(faces(5)), np.load(folder / "single.npy"), atol=1e-5)


def test_the_average_of_both_passes_matches_the_file(folder: Path) -> None:
    inputs = faces(7)
    with_tta, single = Bundle.open(folder), Bundle.open(folder, flip_tta=False)
    average = (single.logits(inputs) + single.logits(np.ascontiguousarray(inputs[..., ::-1]))) / 2
    expected = with_tta.logits(inputs)
    if folder.name == "flip_tta":
        np.testing.assert_allclose(average, expected, atol=1e-5)
        assert np.abs(single.logits(inputs) - expected).max() > 1e-3
    else:
        np.testing.assert_array_equal(single.logits(inputs), expected)


def test_flip_tta_is_removed_from_an_int8_file(folder: Path) -> None:
    (folder / "int8.onnx").write_bytes(quantize(folder, faces(16)))
    inputs = faces(3)
    with_tta = Bundle.open(folder, model_file="int8.onnx")
    single = Bundle.open(folder, model_file="int8.onnx", flip_tta=False)
    assert single.flip_tta_removed == (folder.name == "flip_tta")
    if single.flip_tta_removed:
        average = (single.logits(inputs) + single.logits(np.ascontiguousarray(inputs[..., ::-1]))) / 2
        np.testing.assert_allclose(average, with_tta.logits(inputs), atol=1e-5)


@pytest.mark.parametrize("name", ["model.onnx", "model-int8.onnx"])
def test_flip_tta_is_removed_from_the_shipped_model(name: str) -> None:
    content = without_flip_tta(SHIPPED / name, INPUT_NAME, OUTPUT_NAME)
    assert content is not None
    op_types = [node.op_type for node in onnx.load_from_string(content).graph.node]
    assert "Slice" not in op_types and "Concat" not in op_types
    original_op_types = [node.op_type for node in onnx.load(SHIPPED / name).graph.node]
    assert op_types.count("Conv") == original_op_types.count("Conv")
    bundle = Bundle.open(SHIPPED, model_file=name, flip_tta=False)
    inputs = np.random.default_rng(0).standard_normal((4, 1, 48, 48)).astype(np.float32)
    average = (bundle.logits(inputs) + bundle.logits(np.ascontiguousarray(inputs[..., ::-1]))) / 2
    np.testing.assert_allclose(average, Bundle.open(SHIPPED, model_file=name).logits(inputs), atol=1e-3)


def test_a_broken_file_is_refused(folder: Path, tmp_path: Path) -> None:
    for name in ("contract.json", "calibration.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / MODEL_FILE).write_bytes(b"\xff" * 100)
    with pytest.raises(BundleError, match="can't be loaded"):
        Bundle.open(tmp_path, flip_tta=False)
