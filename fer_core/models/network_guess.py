"""Guess the network of a file of weights from its tensors' names and shapes. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from fer_core.errors import InputError
from fer_core.labels import LABEL_SETS
from fer_core.models.catalog import MODELS
from fer_core.models.tensor_shapes import Shapes

_T = TypeVar("_T")

_HEAD = "head"
_MULTI_TASK_CLASSES, _MULTI_TASK_AFFECT = ".classes.", ".affect."
_RESNET18_WIDTH, _VGG_WIDTH, _VGG_DOWNSAMPLING, _CNN_DOWNSAMPLING = 64, 512, 32, 16


@dataclass(frozen=True, slots=True)
class NetworkGuess:
    """The network that a file of weights fits.

    Attributes:
        network: its name in the catalog.
        classes: outputs of its last layer.
        options: its options that the shapes tell, such as the width.
        torchvision_head: name of the last layer where the tensors are named as in torchvision; "" otherwise.
    """

    network: str
    classes: int
    options: Mapping[str, int] = field(default_factory=dict)
    torchvision_head: str = ""

    @property
    def label_set(self) -> str:
        """The label set of this many classes; "" if there is none."""
        return next((name for name, labels in LABEL_SETS.items() if len(labels) == self.classes), "")

    def options_of(self, network: str) -> dict[str, int]:
        """The options that another network has as well."""
        return {name: value for name, value in self.options.items() if MODELS[network].option(name)}

    def rename(self, state: Mapping[str, _T]) -> dict[str, _T]:
        """Rename a state dict as FERscope's networks name it, without a second head for valence and arousal."""
        renamed: dict[str, _T] = {}
        for name, value in state.items():
            if _MULTI_TASK_AFFECT in name:
                continue
            new = name.replace(_MULTI_TASK_CLASSES, ".")
            if self.torchvision_head:
                layer, _, kind = new.rpartition(".")
                new = f"{_HEAD}.{kind}" if layer == self.torchvision_head else f"features.{new}"
            renamed[new] = value
        return renamed


def guess_network(file_name: str, shapes: Shapes) -> NetworkGuess:
    """Guess the network.

    Args:
        file_name: for the message.
        shapes: of `tensor_shapes.read_shapes`.
    Raises:
        InputError: no network fits; the message says what the file seems to have, and which networks there are.
    """
    plain = {name.replace(_MULTI_TASK_CLASSES, "."): s for name, s in shapes.items() if _MULTI_TASK_AFFECT not in name}
    for guess_one in _GUESSES:
        if (guess := guess_one(plain)) is not None:
            return guess
    last = next((name for name in reversed(plain) if name.endswith(".weight") and len(plain[name]) == 2), "")
    count = "1 tensor" if len(plain) == 1 else f"{len(plain):,} tensors"
    outputs = f", its last layer {last.removesuffix('.weight')} has {plain[last][0]:,} outputs" if last else ""
    raise InputError(
        f"{file_name} is of no network that FERscope knows: it has {count}{outputs}. Known are "
        f"{', '.join(MODELS)}; the names are those of FERscope or of torchvision."
    )


def _residual(shapes: Shapes) -> NetworkGuess | None:
    """Small residual networks: a stem, blocks and a head."""
    if not _has(shapes, "stem.weight", "blocks.0.conv1.weight", "head.weight"):
        return None
    width, blocks = shapes["stem.weight"][0], _count(shapes, "blocks")
    excites = "blocks.0.excite.down.weight" in shapes
    if blocks == 6 and excites:
        return NetworkGuess("halved-se-resnet", shapes["head.weight"][0], {"width": width})
    if blocks != 8:
        return None
    if not excites and width == _RESNET18_WIDTH:
        return NetworkGuess("resnet18-48", shapes["head.weight"][0], {"width": width})
    return NetworkGuess("small-se-resnet" if excites else "small-resnet", shapes["head.weight"][0], {"width": width})


def _unet(shapes: Shapes) -> NetworkGuess | None:
    if not _has(shapes, "down.0.conv1.weight", "up.0.conv1.weight", "head.weight"):
        return None
    return NetworkGuess("unet-classifier", shapes["head.weight"][0], {"width": shapes["down.0.conv1.weight"][0]})


def _study_cnn(shapes: Shapes) -> NetworkGuess | None:
    """Study A's CNN, as published and regularized."""
    if not _has(shapes, "conv1.weight", "conv5.weight", "fc.weight"):
        return None
    width, (classes, features) = shapes["conv1.weight"][0], shapes["fc.weight"]
    if "norm1.weight" not in shapes:
        return NetworkGuess("shallow-cnn", classes) if (width, features) == (12, 4704) else None
    side = round((features / (2 * width)) ** 0.5)
    return NetworkGuess("regularized-cnn", classes, {"width": width, "size_px": side * _CNN_DOWNSAMPLING})


def _vgg(shapes: Shapes) -> NetworkGuess | None:
    if shapes.get("features.0.weight", ())[:1] != (_RESNET18_WIDTH,):
        return None
    if _has(shapes, "hidden.weight", "head.weight"):
        side = round((shapes["hidden.weight"][1] / _VGG_WIDTH) ** 0.5)
        return NetworkGuess("vgg16", shapes["head.weight"][0], {"size_px": side * _VGG_DOWNSAMPLING})
    if _has(shapes, "features.1.running_mean", "classifier.weight"):
        return NetworkGuess("vgg19-48", shapes["classifier.weight"][0])
    return None


def _torchvision(shapes: Shapes) -> NetworkGuess | None:
    """torchvision's networks, by its own names or by those of FERscope's wrapper."""
    wrapped = "head.weight" in shapes and all(name.startswith(("features.", "head.")) for name in shapes)
    inner = {name.removeprefix("features."): shape for name, shape in shapes.items()} if wrapped else shapes
    found = _torchvision_resnet(inner) or _torchvision_other(inner)
    if found is None:
        return None
    network, head = found
    last = shapes.get(f"{_HEAD if wrapped else head}.weight")
    return None if last is None else NetworkGuess(network, last[0], {}, "" if wrapped else head)


def _torchvision_resnet(shapes: Shapes) -> tuple[str, str] | None:
    if shapes.get("conv1.weight") != (64, 3, 7, 7):
        return None
    bottleneck, blocks = "layer1.0.conv3.weight" in shapes, _count(shapes, "layer3")
    name = {(False, 2): "resnet18", (False, 6): "resnet34", (True, 6): "resnet50"}.get((bottleneck, blocks))
    return (name, "fc") if name else None


def _torchvision_other(shapes: Shapes) -> tuple[str, str] | None:
    first, last = shapes.get("features.0.0.weight"), _count(shapes, "features")
    known: dict[tuple[tuple[int, ...], int], tuple[str, str]] = {
        ((16, 3, 3, 3), 13): ("mobilenet-v3-small", "classifier.3"),
        ((16, 3, 3, 3), 17): ("mobilenet-v3-large", "classifier.3"),
        ((32, 3, 3, 3), 9): ("efficientnet-b0", "classifier.1"),
        ((96, 3, 4, 4), 8): ("convnext-tiny", "classifier.2"),
    }
    found = known.get((first, last)) if first else None
    if found == ("convnext-tiny", "classifier.2") and _count(shapes, "features.5") != 9:
        return None  # a larger ConvNeXt
    return found


def _has(shapes: Shapes, *names: str) -> bool:
    return all(name in shapes for name in names)


def _count(shapes: Shapes, prefix: str) -> int:
    """Count the numbered layers below a prefix: one more than the largest number."""
    starts = (name.removeprefix(f"{prefix}.").split(".")[0] for name in shapes if name.startswith(f"{prefix}."))
    return max((int(start) + 1 for start in starts if start.isdigit()), default=0)


_GUESSES: tuple[Callable[[Shapes], NetworkGuess | None], ...] = (_residual, _unet, _study_cnn, _vgg, _torchvision)
