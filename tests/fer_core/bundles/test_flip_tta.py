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
    made = write_small_bundle(
        tmp_path_factory.mktemp("flip") / ("flip_tta" if request.param else "plain"), "four", flip_tta=request.param
    )
    np.save(made / "single.npy", torch_logits(build_small_network("four"), faces(5)))
    return made


def test_the_single_pass_is_the_network_that_was_trained(folder: Path) -> None:
    bundle = Bundle.open(folder, flip_tta=False)
    assert bundle.flip_tta_removed == (folder.name == "flip_tta")
    np.testing.assert_allclose(bundle.logits(faces(5)), np.load(folder / "single.npy"), atol=1e-5)


def test_both_passes_averaged_are_what_the_file_answers(folder: Path) -> None:
    asked = faces(7)
    whole, single = Bundle.open(folder), Bundle.open(folder, flip_tta=False)
    both = (single.logits(asked) + single.logits(np.ascontiguousarray(asked[..., ::-1]))) / 2
    expected = whole.logits(asked)
    if folder.name == "flip_tta":
        np.testing.assert_allclose(both, expected, atol=1e-5)
        assert np.abs(single.logits(asked) - expected).max() > 1e-3
    else:
        np.testing.assert_array_equal(single.logits(asked), expected)


def test_an_int8_file_loses_its_second_pass_as_well(folder: Path) -> None:
    (folder / "int8.onnx").write_bytes(quantize(folder, faces(16)))
    asked = faces(3)
    whole = Bundle.open(folder, model_file="int8.onnx")
    single = Bundle.open(folder, model_file="int8.onnx", flip_tta=False)
    assert single.flip_tta_removed == (folder.name == "flip_tta")
    if single.flip_tta_removed:
        both = (single.logits(asked) + single.logits(np.ascontiguousarray(asked[..., ::-1]))) / 2
        np.testing.assert_allclose(both, whole.logits(asked), atol=1e-5)


@pytest.mark.parametrize("name", ["model.onnx", "model-int8.onnx"])
def test_the_model_that_ships_computes_half_as_much_in_one_pass(name: str) -> None:
    content = without_flip_tta(SHIPPED / name, INPUT_NAME, OUTPUT_NAME)
    assert content is not None
    kinds = [node.op_type for node in onnx.load_from_string(content).graph.node]
    assert "Slice" not in kinds and "Concat" not in kinds
    before = [node.op_type for node in onnx.load(SHIPPED / name).graph.node]
    assert kinds.count("Conv") == before.count("Conv")
    bundle = Bundle.open(SHIPPED, model_file=name, flip_tta=False)
    asked = np.random.default_rng(0).standard_normal((4, 1, 48, 48)).astype(np.float32)
    both = (bundle.logits(asked) + bundle.logits(np.ascontiguousarray(asked[..., ::-1]))) / 2
    np.testing.assert_allclose(both, Bundle.open(SHIPPED, model_file=name).logits(asked), atol=1e-3)


def test_a_broken_file_is_still_refused_in_words(folder: Path, tmp_path: Path) -> None:
    for name in ("contract.json", "calibration.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / MODEL_FILE).write_bytes(b"\xff" * 100)
    with pytest.raises(BundleError, match="can't be loaded"):
        Bundle.open(tmp_path, flip_tta=False)
