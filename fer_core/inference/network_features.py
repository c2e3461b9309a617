"""What a network computes before its answer, from its ONNX file: the last feature map, the embedding, and the weights.

Most networks here end with global average pooling and one linear layer, of which class activation maps are exact.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from fer_core.bundles.bundle import INPUT_NAME, MODEL_FILE, OUTPUT_NAME
from fer_core.bundles.flip_tta import without_flip_tta
from fer_core.calibration import CALIBRATION_FILE, Calibration
from fer_core.contract import CONTRACT_FILE, Contract
from fer_core.errors import BundleError

if TYPE_CHECKING:
    import onnx

_CHUNK_FACES = 256
_THREADS = 2
_PASSED_ON = {"Identity", "Dropout", "Flatten", "Reshape", "Squeeze", "Cast"}
"""Nodes that change no values."""

_SPATIAL_AXES = ([2, 3], [-2, -1], [-1, -2])


class Features(NamedTuple):
    """What the network computes for N faces.

    Attributes:
        logits: float32, shape (N, classes).
        embedding: the input of the last linear layer, float32, shape (N, channels).
        maps: of which the embedding is the mean, float32, shape (N, channels, h, w); None if it is not a mean.
    """

    logits: NDArray[np.float32]
    embedding: NDArray[np.float32]
    maps: NDArray[np.float32] | None


class FeatureNetwork:
    """A network whose intermediate values can be read. Immutable and thread-safe.

    Attributes:
        weights: of the last linear layer, float32, shape (classes, channels).
        bias: float32, shape (classes,).
        has_maps: whether the embedding is the mean of a feature map.
    """

    def __init__(
        self,
        contract: Contract,
        calibration: Calibration,
        weights: NDArray[np.float32],
        bias: NDArray[np.float32],
        outputs: list[str],
        session: Any,
    ) -> None:
        self.contract = contract
        self.calibration = calibration
        self.weights = weights
        self.bias = bias
        self._outputs = outputs
        self._session = session

    @property
    def has_maps(self) -> bool:
        """Whether class activation maps are exact for this network."""
        return len(self._outputs) > 2

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the network of a bundle or finished run, without flip test-time augmentation.

        Raises:
            BundleError: a file is missing or damaged, or the network does not end with a linear layer.
        """
        import onnx
        import onnxruntime

        contract = Contract.load(folder / CONTRACT_FILE)
        calibration = Calibration.load(folder / CALIBRATION_FILE, contract.labels)
        try:
            content = without_flip_tta(folder / MODEL_FILE, INPUT_NAME, OUTPUT_NAME)
            model = onnx.load(folder / MODEL_FILE) if content is None else onnx.load_from_string(content)
        except (OSError, ValueError) as exc:
            raise BundleError(f"The network of {folder.name} can't be read: {exc}") from exc
        ending = _find_ending(model.graph)
        if ending is None:
            raise BundleError(
                f"The network of {folder.name} does not end with a linear layer, so what it computes before its answer "
                "can't be read."
            )
        outputs = [OUTPUT_NAME, ending.embedding, *([ending.maps] if ending.maps else [])]
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in outputs[1:])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = _THREADS
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return cls(contract, calibration, ending.weights, ending.bias, outputs, session)

    def run(self, faces: NDArray[np.float32]) -> Features:
        """Compute the features of normalized faces.

        Args:
            faces: see `Contract.apply_batch`; shape (N, channels, size_px, size_px), N > 0.
        """
        chunks = [
            self._session.run(self._outputs, {INPUT_NAME: faces[start : start + _CHUNK_FACES]})
            for start in range(0, len(faces), _CHUNK_FACES)
        ]
        logits, embedding, *maps = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
        return Features(logits, embedding.reshape(len(embedding), -1), maps[0] if maps else None)


class _Ending(NamedTuple):
    embedding: str
    maps: str
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


def _find_ending(graph: onnx.GraphProto) -> _Ending | None:
    """Find the last linear layer, and the feature map whose mean is its input ("" if that is not one)."""
    producers = {name: node for node in graph.node for name in node.output}
    linear = _skip(producers, OUTPUT_NAME)
    if linear is None:
        return None
    if linear.op_type == "Gemm":
        attributes = {each.name: each for each in linear.attribute}
        weights = _constant(graph, producers, linear.input[1])
        bias = _constant(graph, producers, linear.input[2]) if len(linear.input) > 2 else None
        if weights is not None and not ("transB" in attributes and attributes["transB"].i):
            weights = weights.T
        source = linear.input[0]
    elif linear.op_type == "Add":
        product = next((producers[name] for name in linear.input if _is(producers, name, "MatMul")), None)
        if product is None:
            return None
        bias = next((value for name in linear.input if (value := _constant(graph, producers, name)) is not None), None)
        weights, source = _constant(graph, producers, product.input[1]), product.input[0]
        weights = None if weights is None else weights.T
    else:
        return None
    if weights is None:
        return None
    classes = len(weights)
    bias = np.zeros(classes, np.float32) if bias is None else bias.reshape(-1)
    pooling = _skip(producers, source)
    maps = pooling.input[0] if pooling is not None and _is_global_mean(graph, producers, pooling) else ""
    return _Ending(source, maps, weights.astype(np.float32), bias.astype(np.float32))


def _skip(producers: dict[str, Any], name: str) -> Any:
    """Find the node that computes a value, before nodes that only pass it on; None for an input."""
    node = producers.get(name)
    while node is not None and node.op_type in _PASSED_ON:
        node = producers.get(node.input[0])
    return node


def _is(producers: dict[str, Any], name: str, kind: str) -> bool:
    node = producers.get(name)
    return node is not None and bool(node.op_type == kind)


def _is_global_mean(graph: onnx.GraphProto, producers: dict[str, Any], node: Any) -> bool:
    if node.op_type == "GlobalAveragePool":
        return True
    if node.op_type != "ReduceMean":
        return False
    axes = next((list(each.ints) for each in node.attribute if each.name == "axes"), None)
    if axes is None and len(node.input) > 1:
        constant = _constant(graph, producers, node.input[1])
        axes = None if constant is None else constant.astype(int).reshape(-1).tolist()
    return axes in _SPATIAL_AXES


def _constant(graph: onnx.GraphProto, producers: dict[str, Any], name: str) -> NDArray[Any] | None:
    """Read an initializer or the output of a Constant node; None for a computed value."""
    from onnx import numpy_helper

    for each in graph.initializer:
        if each.name == name:
            return np.asarray(numpy_helper.to_array(each))
    if _is(producers, name, "Constant"):
        return np.asarray(numpy_helper.to_array(producers[name].attribute[0].t))
    return None
