"""Catalog of networks: input, options, parameters and multiply-adds. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fer_core.contract import Contract
from fer_core.errors import ConfigError
from fer_core.labels import LabelSet
from fer_core.models.options import (
    DROP_BLOCK,
    DROPOUT,
    FROZEN,
    LARGE_SIZE,
    PRETRAINED,
    SMALL_SIZE,
    WIDTH,
    Option,
    Value,
    resolve_options,
)

CLASSES = 8
"""Number of classes for which the parameters and multiply-adds below hold."""

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_ADDRESS = "https://download.pytorch.org/models/"


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A file of pretrained weights; its name ends with the first hex digits of its SHA-256."""

    name: str
    size_mib: float

    @property
    def url(self) -> str:
        """Download URL."""
        return _ADDRESS + self.name

    @property
    def sha256_prefix(self) -> str:
        """First hex digits of its SHA-256."""
        return self.name.removesuffix(".pth").rpartition("-")[2]


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A network that can be trained.

    Attributes:
        name: its name in configs.
        summary: one sentence.
        source: paper, or the study that used it.
        color, size_px, normalization: of the input, see `Contract`.
        parameters: with the default options and eight classes, including frozen ones.
        multiply_adds: for one face, with the same.
        weights: the pretrained weights, if any.
    """

    name: str
    title: str
    summary: str
    source: str
    color: Literal["gray", "rgb"]
    size_px: int
    normalization: Literal["byte", "unit", "image", "channel"]
    options: tuple[Option, ...]
    parameters: int
    multiply_adds: int
    weights: WeightsFile | None = None

    @property
    def channels(self) -> int:
        """Channels of the input: 1 for gray, 3 for RGB."""
        return 1 if self.color == "gray" else 3

    def option(self, name: str) -> Option | None:
        """Get an option by name; None if the network does not have it."""
        return next((option for option in self.options if option.name == name), None)

    def resolve_options(self, given: Mapping[str, object]) -> dict[str, Value]:
        """Fill in the defaults of the options that are not given.

        Raises:
            ConfigError: an unknown option, or a value out of range.
        """
        return resolve_options(self.name, self.options, given)

    def contract(self, labels: LabelSet, size_px: int | None = None) -> Contract:
        """Build the preprocessing contract; `size_px` only if the network has that option.

        Raises:
            ConfigError: the network does not support that size.
        """
        side = self.resolve_options({"size_px": size_px}).get("size_px", self.size_px)
        scaled = self.normalization == "channel"
        return Contract(
            color=self.color,
            size_px=int(side),
            normalization=self.normalization,
            mean=_IMAGENET_MEAN if scaled else (),
            std=_IMAGENET_STD if scaled else (),
            labels=labels.expressions,
        )


def model_info(name: str) -> ModelInfo:
    """Get a network by name.

    Raises:
        ConfigError: there is no such network; the message lists the choices.
    """
    try:
        return MODELS[name]
    except KeyError:
        raise ConfigError(f"There is no model {name!r}. Choose one of: {', '.join(MODELS)}.") from None


def _small_network(
    name: str, title: str, summary: str, source: str, options: tuple[Option, ...], costs: tuple[int, int]
) -> ModelInfo:
    """48x48 gray; each image is standardized, because webcams differ mostly in light."""
    return ModelInfo(name, title, summary, source, "gray", 48, "image", (*options, SMALL_SIZE), *costs)


def _torchvision_network(
    name: str, title: str, summary: str, dropout_01: float, costs: tuple[int, int], weights: WeightsFile
) -> ModelInfo:
    """224x224 RGB, normalized as for torchvision's ImageNet weights."""
    options = (PRETRAINED, FROZEN, DROPOUT.with_default(dropout_01), LARGE_SIZE)
    return ModelInfo(name, title, summary, "torchvision", "rgb", 224, "channel", options, *costs, weights)


_ALL = (
    _small_network(
        "small-resnet",
        "Small residual network",
        "Eight plain residual blocks at 48 pixels, for training from scratch on a CPU.",
        "He et al. 2016",
        (WIDTH.with_default(24), DROPOUT),
        (1_574_384, 175_676_928),
    ),
    _small_network(
        "small-se-resnet",
        "Small residual network with SE",
        "The small residual network with squeeze and excitation (SE), a gate on each channel, at almost no cost.",
        "Hu et al. 2018",
        (WIDTH.with_default(24), DROPOUT),
        (1_599_772, 175_701_504),
    ),
    _small_network(
        "halved-se-resnet",
        "Residual network of half the side",
        "Squeeze and excitation in three stages that start at half resolution: more parameters in the same time.",
        "after Hu et al. 2018",
        (WIDTH.with_default(32), DROPOUT),
        (2_803_416, 227_201_024),
    ),
    _small_network(
        "unet-classifier",
        "U-shaped classifier",
        "An encoder and decoder with skip connections; the finest features are pooled for the classes.",
        "after Ronneberger et al. 2015",
        (WIDTH, DROPOUT),
        (488_856, 93_230_208),
    ),
    ModelInfo(
        "shallow-cnn",
        "Study A's CNN",
        "Five convolutions and one linear layer, exactly as published.",
        "study A",
        "rgb",
        224,
        "byte",
        (),
        52_316,
        45_760_512,
    ),
    ModelInfo(
        "regularized-cnn",
        "Study A's CNN, regularized",
        "Study A's CNN with batch norm, DropBlock and dropout, against overfitting.",
        "as suggested by study A; Ghiasi et al. 2018",
        "rgb",
        224,
        "byte",
        (
            WIDTH.with_default(12),
            DROPOUT.with_default(0.3),
            DROP_BLOCK,
            Option("size_px", "side of the input", 224, 48, 224, 16),
        ),
        52_412,
        45_760_512,
    ),
    ModelInfo(
        "vgg19-48",
        "VGG19 at 48 pixels",
        "Sixteen convolutions with batch norm and one linear layer, from the FER2013 code base of study C.",
        "study C's code base",
        "gray",
        48,
        "unit",
        (DROPOUT.with_default(0.5), SMALL_SIZE),
        20_038_344,
        893_145_088,
    ),
    ModelInfo(
        "resnet18-48",
        "ResNet18 at 48 pixels",
        "ResNet18 with a 3x3 stem without pooling, from the FER2013 code base of study C.",
        "study C's code base",
        "gray",
        48,
        "unit",
        (DROPOUT.with_default(0.5), SMALL_SIZE),
        11_171_784,
        1_247_039_488,
    ),
    ModelInfo(
        "vgg16",
        "Study C's VGG16",
        "VGG16's convolutions, frozen, with a hidden layer of 128.",
        "study C",
        "rgb",
        224,
        "unit",
        (PRETRAINED, FROZEN.with_default(True), DROPOUT.with_default(0.1), LARGE_SIZE),
        17_927_112,
        15_349_842_944,
        WeightsFile("vgg16-397923af.pth", 527.796),
    ),
    _torchvision_network(
        "resnet18",
        "ResNet18",
        "The residual network that study A used, frozen and fine-tuned.",
        0.0,
        (11_180_616, 1_813_565_440),
        WeightsFile("resnet18-f37072fd.pth", 44.661),
    ),
    _torchvision_network(
        "resnet34",
        "ResNet34",
        "ResNet18 with twice the blocks.",
        0.0,
        (21_288_776, 3_663_253_504),
        WeightsFile("resnet34-b627a593.pth", 83.275),
    ),
    _torchvision_network(
        "resnet50",
        "ResNet50",
        "A deep residual network with bottleneck blocks.",
        0.0,
        (23_524_424, 4_087_152_640),
        WeightsFile("resnet50-11ad3fa6.pth", 97.79),
    ),
    _torchvision_network(
        "mobilenet-v3-small",
        "MobileNetV3 small",
        "A network for phones; the fewest multiply-adds of the pretrained ones.",
        0.2,
        (1_526_056, 55_494_592),
        WeightsFile("mobilenet_v3_small-047dcff4.pth", 9.829),
    ),
    _torchvision_network(
        "mobilenet-v3-large",
        "MobileNetV3 large",
        "A network for phones, more accurate than the small one.",
        0.2,
        (4_212_280, 215_320_000),
        WeightsFile("mobilenet_v3_large-5c1a4163.pth", 21.107),
    ),
    _torchvision_network(
        "efficientnet-b0",
        "EfficientNet-B0",
        "Depth, width and size scaled together, with few multiply-adds.",
        0.2,
        (4_017_796, 384_544_992),
        WeightsFile("efficientnet_b0_rwightman-7f5810bc.pth", 20.451),
    ),
    _torchvision_network(
        "convnext-tiny",
        "ConvNeXt-Tiny",
        "A modern convolutional network with large kernels and the most parameters here.",
        0.0,
        (27_826_280, 4_454_769_408),
        WeightsFile("convnext_tiny-983f1562.pth", 109.119),
    ),
)

MODELS: dict[str, ModelInfo] = {info.name: info for info in _ALL}
