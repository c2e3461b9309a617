"""Flip test-time augmentation inside an ONNX file, and the same network without it.

A network trained with `flip_tta` answers with the mean of what it says of a face and of its mirror image, and its
export holds both passes: the faces and their mirror images become one batch, and the answers are averaged at the end. A
live view has many pictures of one face and averages over time, so there a pass a picture is enough.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import onnx

_BATCH_AXIS = 0


def without_flip_tta(path: Path, input_name: str, output_name: str) -> bytes | None:
    """The network of an ONNX file without its pass over the mirror images.

    Args:
        path: an ONNX file as `models.onnx_export` writes it, or the INT8 file made of one.
        input_name: of the faces.
        output_name: of the answers.
    Returns:
        an ONNX file's content with the same input and output; None where the network has no such pass.
    """
    import onnx

    model = onnx.load(path)
    both, mean = _concatenation(model.graph, input_name), _mean_of_both(model.graph, output_name)
    if both is None or mean is None:
        return None
    last, doubled = mean
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            if name == both.output[0]:
                node.input[place] = input_name
        for place, name in enumerate(node.output):
            if name == doubled:
                node.output[place] = output_name
    model.graph.node.remove(both)
    model.graph.node.remove(last)
    _remove_unused(model.graph, output_name)
    del model.graph.value_info[:]  # shapes of the doubled batch
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _concatenation(graph: onnx.GraphProto, input_name: str) -> Any:
    """The node that joins the faces with their mirror images; None where there is none."""
    makers = {name: node for node in graph.node for name in node.output}
    for node in graph.node:
        if node.op_type == "Concat" and len(node.input) == 2 and node.input[0] == input_name:
            flip = makers.get(node.input[1])
            if flip is not None and flip.op_type == "Slice" and flip.input[0] == input_name:
                return node
    return None


def _mean_of_both(graph: onnx.GraphProto, output_name: str) -> tuple[Any, str] | None:
    """The node that averages the two answers, and the name of what it averages; None where there is none."""
    makers = {name: node for node in graph.node for name in node.output}
    mean = makers.get(output_name)
    if mean is None or mean.op_type != "ReduceMean":
        return None
    halves = makers.get(mean.input[0])
    if halves is None or halves.op_type != "Reshape" or _constant(graph, halves.input[1])[:1] != [2]:
        return None
    return (mean, halves.input[0]) if _constant(graph, mean.input[1]) == [_BATCH_AXIS] else None


def _constant(graph: onnx.GraphProto, name: str) -> list[int]:
    """The numbers of a constant; empty where the name is none."""
    from onnx import numpy_helper

    found = [each for each in graph.initializer if each.name == name]
    return np.asarray(numpy_helper.to_array(found[0])).reshape(-1).tolist() if found else []


def _remove_unused(graph: onnx.GraphProto, output_name: str) -> None:
    """Drop the nodes and weights that no output depends on any more."""
    wanted = {output.name for output in graph.output} | {output_name}
    for node in reversed(list(graph.node)):  # nodes come after what they take
        if wanted.isdisjoint(node.output):
            graph.node.remove(node)
        else:
            wanted.update(node.input)
    for weights in [each for each in graph.initializer if each.name not in wanted]:
        graph.initializer.remove(weights)
