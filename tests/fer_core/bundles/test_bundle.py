from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_core.bundles.bundle import Bundle, BundleInfo, read_bundle_info
from fer_core.contract import Contract
from fer_core.errors import BundleError
from fer_core.labels import Expression

MakeBundle = Callable[..., Path]
WriteNetwork = Callable[..., None]
EYE = np.eye(3, dtype=np.float32)


def faces(count: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((count, 3, 16, 16)).astype(np.float32)


@pytest.mark.parametrize("count", [0, 1, 5, 256, 600])
def test_logits_match_the_network(make_bundle: MakeBundle, count: int) -> None:
    batch = faces(count)
    logits = Bundle.open(make_bundle()).logits(batch)
    assert logits.shape == (count, 3)
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, 8 * batch.mean((2, 3)), atol=1e-4)


def test_predictions_do_not_depend_on_the_batch(make_bundle: MakeBundle) -> None:
    bundle = Bundle.open(make_bundle())
    batch = faces(300)
    batch_probabilities = bundle.probabilities(batch)
    np.testing.assert_allclose(
        batch_probabilities[[0, 255, 256, 299]], bundle.probabilities(batch[[0, 255, 256, 299]]), atol=1e-6
    )


def test_probabilities_are_calibrated_at_the_point(make_bundle: MakeBundle) -> None:
    bundle = Bundle.open(make_bundle(tau=1.0))
    adjusted = np.exp(bundle.logits(faces(4)) - np.log([0.6, 0.3, 0.1]))
    np.testing.assert_allclose(
        bundle.probabilities(faces(4), "balanced"), adjusted / adjusted.sum(1, keepdims=True), atol=1e-6
    )


def test_other_outputs_can_be_computed(make_bundle: MakeBundle) -> None:
    bundle = Bundle.open(make_bundle())
    assert bundle.output_names == ("logits", "means")
    np.testing.assert_allclose(bundle.run(faces(3), "means"), faces(3).mean((2, 3)), atol=1e-5)
    with pytest.raises(BundleError, match="no output 'cam'; it has: logits, means"):
        bundle.run(faces(1), "cam")


def test_threads_can_share_a_bundle(make_bundle: MakeBundle) -> None:
    bundle = Bundle.open(make_bundle(), threads=1)
    matches: list[bool] = []

    def compare_logits(seed: int) -> None:
        batch = faces(9, seed)
        matches.extend(np.allclose(bundle.logits(batch), 8 * batch.mean((2, 3)), atol=1e-4) for _ in range(20))

    threads = [threading.Thread(target=compare_logits, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert matches == [True] * 80


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 1, 16, 16), (1, 3, 16, 17)])
def test_faces_of_another_shape_are_refused(make_bundle: MakeBundle, shape: tuple[int, ...]) -> None:
    with pytest.raises(BundleError, match="takes faces of shape"):
        Bundle.open(make_bundle()).logits(np.zeros(shape, np.float32))


def test_non_finite_outputs_are_refused(make_bundle: MakeBundle, write_network: WriteNetwork) -> None:
    folder = make_bundle()
    write_network(folder / "model.onnx", np.float32(np.nan) * EYE, np.zeros(3))
    with pytest.raises(BundleError, match="not finite"):
        Bundle.open(folder).logits(faces(1))


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="There is no model folder"):
        Bundle.open(tmp_path / "nothing")


def test_a_checkpoint_file_is_refused_with_the_command_that_imports_it(tmp_path: Path) -> None:
    (tmp_path / "weights.pt").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"weights\.pt is a file.*contract.*models import.*--preset"):
        Bundle.open(tmp_path / "weights.pt")


def test_a_folder_of_weights_without_a_contract_is_refused(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    (folder / "contract.json").unlink()
    (folder / "weights.safetensors").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"Without the preprocessing contract .* --preset"):
        Bundle.open(folder)


def test_another_network_file_can_be_opened(make_bundle: MakeBundle, write_network: WriteNetwork) -> None:
    folder = make_bundle()
    write_network(folder / "other.onnx", EYE * 2, np.zeros(3))
    default, other = Bundle.open(folder), Bundle.open(folder, model_file="other.onnx")
    assert not np.allclose(default.logits(faces(2)), other.logits(faces(2)))
    with pytest.raises(BundleError, match=r"tiny has no int8\.onnx"):
        Bundle.open(folder, model_file="int8.onnx")


@pytest.mark.parametrize("name", ["model.onnx", "contract.json", "calibration.json"])
def test_each_required_file_is_named_when_missing(make_bundle: MakeBundle, name: str) -> None:
    folder = make_bundle()
    (folder / name).unlink()
    with pytest.raises(BundleError, match=f"tiny has no {name}"):
        Bundle.open(folder)


@pytest.mark.parametrize("content", [b"", b"not a network" * 40])
def test_a_corrupted_network_is_an_error(make_bundle: MakeBundle, content: bytes) -> None:
    folder = make_bundle()
    (folder / "model.onnx").write_bytes(content)
    with pytest.raises(BundleError, match=r"model\.onnx of tiny can't be loaded(?!.*/tiny/)"):
        Bundle.open(folder)


def test_a_truncated_network_is_an_error(make_bundle: MakeBundle) -> None:
    path = make_bundle() / "model.onnx"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(BundleError, match=r"model\.onnx of tiny"):
        Bundle.open(path.parent)


@pytest.mark.parametrize(
    "options",
    [{"size": 32}, {"input_name": "image"}, {"output_name": "scores"}, {"batch": 1}],
    ids=["size", "input", "output", "fixed batch"],
)
def test_a_network_that_does_not_fit_its_contract_is_refused(
    make_bundle: MakeBundle, write_network: WriteNetwork, options: dict[str, object]
) -> None:
    folder = make_bundle()
    write_network(folder / "model.onnx", EYE, np.zeros(3), **options)
    with pytest.raises(BundleError, match=r"model\.onnx of tiny .*Export it again"):
        Bundle.open(folder)


def test_a_network_with_other_colors_is_refused(make_bundle: MakeBundle, write_network: WriteNetwork) -> None:
    folder = make_bundle()
    write_network(folder / "model.onnx", np.ones((3, 1)), np.zeros(3))
    with pytest.raises(BundleError, match=r"shape \('n', 1, 16, 16\)"):
        Bundle.open(folder)


def test_a_network_with_other_labels_is_refused(make_bundle: MakeBundle, write_network: WriteNetwork) -> None:
    folder = make_bundle()
    write_network(folder / "model.onnx", np.ones((4, 3)), np.zeros(4))
    with pytest.raises(BundleError, match="contract has 3 labels"):
        Bundle.open(folder)


def test_a_calibration_for_other_labels_is_refused(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    labels = (Expression.NEUTRAL, Expression.FEAR)
    Contract(color="rgb", size_px=16, normalization="unit", labels=labels).save(folder / "contract.json")
    with pytest.raises(BundleError, match="for 3 classes, but the contract has 2 labels"):
        Bundle.open(folder)


def test_weights_outside_the_bundle_are_not_read(make_bundle: MakeBundle, tmp_path: Path) -> None:
    import onnx
    from onnx.external_data_helper import set_external_data

    folder = make_bundle()
    network = onnx.load(folder / "model.onnx")
    weights = network.graph.initializer[0]
    (tmp_path / "secret").write_bytes(weights.raw_data)
    set_external_data(weights, "../secret", offset=0, length=len(weights.raw_data))
    weights.ClearField("raw_data")
    (folder / "model.onnx").write_bytes(network.SerializeToString())
    with pytest.raises(BundleError, match="can't be loaded"):
        Bundle.open(folder)


def test_a_run_is_named_by_its_folder(make_bundle: MakeBundle) -> None:
    bundle = Bundle.open(make_bundle("20260131-small"))
    assert (bundle.id, bundle.info.title) == ("20260131-small", "20260131-small")


def test_bundle_info_round_trips(tmp_path: Path) -> None:
    info = BundleInfo(id="small", title="Small", license="MIT", parameters=7, metrics={"accuracy": 0.8, "n": [1, 2]})
    info.save_in(tmp_path)
    assert read_bundle_info(tmp_path) == info


def test_an_unknown_key_in_bundle_json_is_an_error(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    (folder / "bundle.json").write_text(json.dumps({"id": "x", "licens": "MIT"}))
    with pytest.raises(BundleError, match=r"bundle\.json of tiny is not valid at licens"):
        Bundle.open(folder)
