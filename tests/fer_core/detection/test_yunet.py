from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

import fer_core.detection.yunet as yunet_net
from fer_core.detection.yunet import YuNetModel
from fer_core.errors import DetectorError
from fer_core.images.photo import read_image
from fer_core.settings import Settings

SIZES = [(427, 640), (300, 450), (667, 1000), (64, 97)]


def load_people(test_data: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Load a photo of five people as BGR in this height and width."""
    pixels = read_image(test_data / "media" / "five_people_1000x667.jpg", Settings()).pixels
    small = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2BGR), np.uint8)


def sort_by_score(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows[np.argsort(-rows[:, 14])]


def open_with_opencv(path: Path, monkeypatch: pytest.MonkeyPatch) -> YuNetModel:
    with monkeypatch.context() as patch:
        patch.setattr(yunet_net, "_session", lambda _: None)
        return YuNetModel(path, 0.5)


def test_both_engines_find_the_same_faces(yunet_file: Path, test_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onnx_model, opencv_model = YuNetModel(yunet_file, 0.5), open_with_opencv(yunet_file, monkeypatch)
    assert (onnx_model.engine, opencv_model.engine) == ("onnxruntime", "opencv")
    for size in SIZES:
        image = load_people(test_data, size)
        detections = sort_by_score(onnx_model.detect(image))
        assert len(detections) >= (5 if size[0] > 200 else 0)
        np.testing.assert_allclose(detections, sort_by_score(opencv_model.detect(image)), atol=0.01)


def test_overlapping_faces_are_reported_once(yunet_file: Path, test_data: Path) -> None:
    assert len(YuNetModel(yunet_file, 0.05).detect(load_people(test_data, (427, 640)))) < 20
    rows = np.zeros((3, 15), np.float32)
    rows[:, :4] = [[0, 0, 10, 10], [1, 0, 10, 10], [50, 50, 10, 10]]
    rows[:, 14] = [0.8, 0.9, 0.7]
    remaining = yunet_net._non_max_suppression(rows, 0.5)
    assert remaining[:, 14].tolist() == pytest.approx([0.9, 0.7])


def test_a_fixed_size_network_accepts_other_sizes(yunet_file: Path, test_data: Path, tmp_path: Path) -> None:
    model = onnx.load(yunet_file)
    shape = model.graph.input[0].type.tensor_type.shape
    shape.dim[2].dim_value, shape.dim[3].dim_value = 640, 640
    for output in model.graph.output:
        stride = int(output.name.split("_")[1])
        output.type.tensor_type.shape.dim[1].dim_value = (640 // stride) ** 2
    fixed = tmp_path / "fixed.onnx"
    onnx.save(model, fixed)
    fixed_size, any_size = YuNetModel(fixed, 0.5), YuNetModel(yunet_file, 0.5)
    assert fixed_size.engine == "onnxruntime"
    for size in SIZES:
        image = load_people(test_data, size)
        np.testing.assert_allclose(fixed_size.detect(image), any_size.detect(image), atol=0.01)


@pytest.mark.parametrize("kind", ["no network", "another network"])
def test_another_network_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "other.onnx"
    if kind == "no network":
        path.write_bytes(b"text")
    else:
        node = helper.make_node("Relu", ["input"], ["output"])
        infos = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "h", "w"]) for name in ("input", "output")
        ]
        graph = helper.make_graph([node], "relu", infos[:1], infos[1:])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), path)
    with pytest.raises(DetectorError, match=r"other\.onnx can't be used as a YuNet face detector"):
        YuNetModel(path, 0.5)
