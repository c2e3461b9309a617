"""Estimate parameters, multiply-adds and training memory of a network without building it. Needs no torch.

The catalog has parameters and multiply-adds of the defaults; the rest follows from how convolutions grow: with the
square of the width, and with the area of the input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fer_core.models.catalog import CLASSES, ModelInfo

Precision = Literal["fp32", "bf16", "fp16"]

_FLOAT_BYTES = 4
_HALF_01 = 0.55
"""What autocast keeps of the activations' bytes: 0.50 to 0.64 over the networks here."""

_OPTIMIZER_COPIES = {"sgd": 1, "adam": 2, "adamw": 2}
"""Numbers kept beside each learned parameter; sgd without momentum keeps none."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Measurements of a network with its defaults and eight classes.

    Attributes:
        activation_bytes: kept for the backward pass, an image, in fp32, with every layer learned.
        features: that the last linear layer sees.
        frozen_activation_bytes: kept an image where only the last layers are learned.
        layer_io_bytes: the largest input and output of a layer together, an image: what frozen layers, which keep
            nothing, hold while they pass features on.
        flatten_parameters: of a linear layer on the flattened last map, which grows with the input's area.
        flatten_outputs: of that layer.
        stem_multiply_adds: of a first convolution that is no small part of the whole; they grow with the width alone.
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
"""By the names of the catalog; tests measure them again."""


@dataclass(frozen=True, slots=True)
class NetworkCost:
    """Cost of training a network; exact for its defaults, near the truth for other options.

    Attributes:
        parameters: all of them.
        trainable: those that training changes.
        multiply_adds: for one face.
        step_bytes: what a training step holds at once: weights, gradients, the optimizer's and averaging's copies,
            and activations. Judging, and what libraries need while they work, come on top.
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
    """Estimate what training the network takes with these options.

    Args:
        copies: numbers kept beside each learned parameter, as `optimizer_state_copies` counts them.
    Raises:
        ConfigError: an option that the network does not have, or a value out of its limits.
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
    """Count the numbers that optimizer and averaged weights keep beside each trainable parameter."""
    own = 0 if optimizer == "sgd" and not momentum else _OPTIMIZER_COPIES[optimizer]
    return own + averaged
