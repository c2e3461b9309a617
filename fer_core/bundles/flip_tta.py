"""Remove flip test-time augmentation from an ONNX file.

The export of a network trained with `flip_tta` runs on the faces and their mirror images as one batch and averages the
logits. Live video averages over time, so one pass per frame is enough.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import onnx

_BATCH_AXIS = 0


def without_flip_tta(path: Path, input_name: str, output_name: str) -> bytes | None:
    """Remove the pass on the mirror images from a network.

    Args:
        path: an ONNX file of `models.onnx_export`, or the INT8 file made from one.
    Returns:
        the content of an ONNX file with the same input and output; None if the network has no flip TTA.
    """
    import onnx

    model = onnx.load(path)
    both, mean = _concatenation(model.graph, input_name), _mean_of_both(model.graph, output_name)
    if both is None or mean is None:
        return None
    last, doubled = mean
    for node in model.graph.node:
        for index, name in enumerate(node.input):
            if name == both.output[0]:
                node.input[index] = input_name
        for index, name in enumerate(node.output):
            if name == doubled:
                node.output[index] = output_name
    model.graph.node.remove(both)
    model.graph.node.remove(last)
    _remove_unused(model.graph, output_name)
    del model.graph.value_info[:]  # shapes of the doubled batch
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _concatenation(graph: onnx.GraphProto, input_name: str) -> Any:
    """Find the node that concatenates the faces and their mirror images."""
    producers = {name: node for node in graph.node for name in node.output}
    for node in graph.node:
        if node.op_type == "Concat" and len(node.input) == 2 and node.input[0] == input_name:
            flip = producers.get(node.input[1])
            if flip is not None and flip.op_type == "Slice" and flip.input[0] == input_name:
                return node
    return None


def _mean_of_both(graph: onnx.GraphProto, output_name: str) -> tuple[Any, str] | None:
    """Find the node that averages the two passes, and the name of its input."""
    producers = {name: node for node in graph.node for name in node.output}
    mean = producers.get(output_name)
    if mean is None or mean.op_type != "ReduceMean":
        return None
    halves = producers.get(mean.input[0])
    if halves is None or halves.op_type != "Reshape" or _constant(graph, halves.input[1])[:1] != [2]:
        return None
    return (mean, halves.input[0]) if _constant(graph, mean.input[1]) == [_BATCH_AXIS] else None


def _constant(graph: onnx.GraphProto, name: str) -> list[int]:
    """Read the values of a constant; empty if there is none of that name."""
    from onnx import numpy_helper

    constant = next((each for each in graph.initializer if each.name == name), None)
    return [] if constant is None else np.asarray(numpy_helper.to_array(constant)).reshape(-1).tolist()


def _remove_unused(graph: onnx.GraphProto, output_name: str) -> None:
    """Remove the nodes and weights that no output depends on."""
    used = {output.name for output in graph.output} | {output_name}
    for node in reversed(list(graph.node)):  # nodes come after their inputs
        if used.isdisjoint(node.output):
            graph.node.remove(node)
        else:
            used.update(node.input)
    for weights in [each for each in graph.initializer if each.name not in used]:
        graph.initializer.remove(weights)
