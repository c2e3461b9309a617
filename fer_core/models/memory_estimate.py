"""Estimate parameters, multiply-adds and training memory of a network without building it. Needs no torch.

The catalog has parameters and multiply-adds of the defaults. With other options, convolutions grow with the square of
the width and with the area of the input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fer_core.models.catalog import CLASSES, ModelInfo

Precision = Literal["fp32", "bf16", "fp16"]

_FLOAT_BYTES = 4
_HALF_01 = 0.55
"""Activation memory under autocast relative to fp32; 0.50 to 0.64 for these networks."""

_OPTIMIZER_COPIES = {"sgd": 1, "adam": 2, "adamw": 2}
"""Optimizer states per trainable parameter; sgd without momentum has none."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Measurements of a network with its defaults and eight classes.

    Attributes:
        activation_bytes: kept for the backward pass per image, in fp32, without frozen layers.
        features: inputs of the last linear layer.
        frozen_activation_bytes: kept per image if only the last layers are trained.
        layer_io_bytes: the largest input and output of a layer per image, which is what frozen layers need.
        flatten_parameters: of a linear layer on the flattened last map, which grow with the input's area.
        flatten_outputs: of that layer.
        stem_multiply_adds: of a first convolution with a large share of the total; they grow only with the width.
    """

    activation_bytes: int
    features: int
    frozen_activation_bytes: int = 0
    layer_io_bytes: int = 0
    flatten_parameters: int = 0
    flatten_outputs: int = CLASSES
    stem_multiply_adds: int = 0


MEASURED: dict[str, Measured] = {
    "small-resnet": Measured(3_964_641, 192),
    "small-se-resnet": Measured(4_800_209, 192),
    "halved-se-resnet": Measured(3_447_232, 256),
    "unet-classifier": Measured(3_116_248, 144),
    "shallow-cnn": Measured(6_566_784, 4_704),
    "regularized-cnn": Measured(10_160_652, 4_704, flatten_parameters=37_632, stem_multiply_adds=16_257_024),
    "vgg19-48": Measured(6_303_408, 512),
    "resnet18-48": Measured(10_557_016, 512),
    "vgg16": Measured(73_158_144, 128, 101_888, 25_690_112, flatten_parameters=3_211_264, flatten_outputs=128),
    "resnet18": Measured(22_180_440, 512, 2_048, 6_422_528),
    "resnet34": Measured(32_216_104, 512, 2_048, 6_422_528),
    "resnet50": Measured(85_912_824, 2_048, 8_192, 6_422_528),
    "mobilenet-v3-small": Measured(16_170_581, 1_024, 4_096, 1_806_336),
    "mobilenet-v3-large": Measured(44_115_477, 1_280, 5_120, 6_422_528),
    "efficientnet-b0": Measured(88_196_678, 1_280, 5_120, 9_633_792),
    "convnext-tiny": Measured(109_155_876, 768, 3_072, 9_633_792),
}
"""By network name; tests repeat the measurements."""


@dataclass(frozen=True, slots=True)
class NetworkCost:
    """Cost of training a network; exact for its defaults, approximate for other options.

    Attributes:
        parameters: all parameters.
        trainable: the trainable ones.
        multiply_adds: for one face.
        step_bytes: memory of a training step: weights, averaged weights, gradients, optimizer states and activations,
            without evaluation and temporary memory of libraries.
    """

    parameters: int
    trainable: int
    multiply_adds: int
    step_bytes: int


def estimate_cost(
    info: ModelInfo,
    options: Mapping[str, object],
    *,
    classes: int = CLASSES,
    batch_size: int = 64,
    precision: Precision = "fp32",
    copies: int = 1,
) -> NetworkCost:
    """Estimate the cost of training a network with these options.

    Args:
        copies: states per trainable parameter, see `optimizer_state_copies`.
    Raises:
        ConfigError: an unknown option, or a value out of range.
    """
    values, measured = info.resolve_options(options), MEASURED[info.name]
    area = (float(values.get("size_px", info.size_px)) / info.size_px) ** 2
    width = info.option("width")
    wider = float(values["width"]) / float(width.default) if width else 1.0
    flat = measured.flatten_parameters * area * wider
    features = measured.features * wider * (area if measured.flatten_outputs == CLASSES and flat else 1)
    fewer = (CLASSES - classes) * (features + 1)
    parameters = (info.parameters - measured.flatten_parameters) * wider**2 + flat - fewer
    frozen = bool(values.get("frozen"))
    last = classes * (features + 1)
    hidden = flat + measured.flatten_outputs if measured.flatten_outputs != CLASSES else 0
    trainable = last + hidden if frozen else parameters
    work = (info.multiply_adds - measured.stem_multiply_adds) * wider + measured.stem_multiply_adds
    kept = (
        (measured.frozen_activation_bytes + measured.layer_io_bytes) * area
        if frozen
        else measured.activation_bytes * area * wider
    )
    share = 1.0 if precision == "fp32" else _HALF_01
    held = _FLOAT_BYTES * (parameters + (1 + copies) * trainable)
    return NetworkCost(
        parameters=round(parameters),
        trainable=round(trainable),
        multiply_adds=round(work * wider * area),
        step_bytes=round(held + kept * share * batch_size),
    )


def optimizer_state_copies(optimizer: str, *, momentum: bool, averaged: bool) -> int:
    """Count the states per trainable parameter of the optimizer and the averaged weights."""
    own = 0 if optimizer == "sgd" and not momentum else _OPTIMIZER_COPIES[optimizer]
    return own + averaged
