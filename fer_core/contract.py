"""Preprocessing of a face crop into a model's input: color, size, normalization, labels.

Training, photos, live video and exports all use this object, and every run and bundle has its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from fer_core.errors import BundleError
from fer_core.faces import RgbImage
from fer_core.files.json_file import JsonModel, load_json_model
from fer_core.labels import Expression, LabelSet

CONTRACT_FILE = "contract.json"
"""In the folder of a bundle or run."""

_DEVIATION_MIN = 1.0
"""Smallest standard deviation, in gray levels, that an image is divided by."""

NO_CONTRACT = (
    "Without the preprocessing contract the model can't be used. Import a file of weights with `models import` and "
    "--preset, or export the bundle again."
)


class Contract(JsonModel):
    """Preprocessing and labels of a model.

    Attributes:
        crop_margin_01: context around the aligned crop (framed as in FER2013), as a share of its side on each side;
            models trained on wider crops need more.
        normalization: `byte` (0..255, as in study A), `unit` (divided by 255), `image` (each image standardized by its
            mean and standard deviation), or `channel` (unit, then standardized by `mean` and `std` of each channel, as
            for ImageNet models).
        labels: in the order of the outputs.
    """

    version: Literal[1] = 1
    color: Literal["gray", "rgb"]
    size_px: int = Field(ge=16, le=512)
    crop_margin_01: float = Field(0.0, ge=-0.3, le=1.0)
    normalization: Literal["byte", "unit", "image", "channel"]
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    labels: tuple[Expression, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _check_consistency(self) -> Contract:
        count = self.channels if self.normalization == "channel" else 0
        if len(self.mean) != count or len(self.std) != count:
            raise ValueError(f"mean and std need {count} values each for normalization {self.normalization!r}")
        if any(value <= 0 for value in self.std):
            raise ValueError("std must be above 0")
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels must be different from each other")
        return self

    @property
    def channels(self) -> int:
        """1 for gray, 3 for RGB."""
        return 1 if self.color == "gray" else 3

    @property
    def label_set(self) -> LabelSet:
        """The labels in the order of the model's outputs."""
        return LabelSet("model", self.labels)

    @property
    def pack_key(self) -> str:
        """Contracts with the same key share cached images."""
        return f"{self.color}-{self.size_px}"

    def resize(self, face: RgbImage) -> NDArray[np.uint8]:
        """Convert a face crop to the contract's color and size, as uint8.

        Args:
            face: uint8, shape (H, W, 3) RGB or (H, W) gray.
        Returns:
            uint8, shape (channels, size_px, size_px).
        """
        import cv2

        if face.ndim == 3 and self.color == "gray":
            face = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.uint8)
        elif face.ndim == 2 and self.color == "rgb":
            face = np.repeat(face[:, :, None], 3, axis=2)
        if face.shape[:2] != (self.size_px, self.size_px):
            interpolation = cv2.INTER_AREA if min(face.shape[:2]) > self.size_px else cv2.INTER_LINEAR
            face = cv2.resize(face, (self.size_px, self.size_px), interpolation=interpolation).astype(np.uint8)
        return np.ascontiguousarray(face[None] if face.ndim == 2 else face.transpose(2, 0, 1))

    def normalize(self, images: Any) -> Any:
        """Normalize pixel values for the network; works on NumPy arrays and torch tensors.

        Args:
            images: float32, shape (N, channels, size_px, size_px), 0..255.
        Returns:
            the same shape and type.
        """
        if self.normalization == "byte":
            return images
        if self.normalization == "unit":
            return images / 255.0
        if self.normalization == "image":
            centered = images - images.mean((1, 2, 3))[:, None, None, None]
            deviation = (centered * centered).mean((1, 2, 3)) ** 0.5
            return centered / deviation.clip(_DEVIATION_MIN)[:, None, None, None]
        mean, std = (_array_like(images, values) for values in (self.mean, self.std))
        return (images / 255.0 - mean[None, :, None, None]) / std[None, :, None, None]

    def apply(self, face: RgbImage) -> NDArray[np.float32]:
        """Preprocess one face crop; float32, shape (channels, size_px, size_px)."""
        return self.apply_batch([face])[0]

    def apply_batch(self, faces: Sequence[RgbImage]) -> NDArray[np.float32]:
        """Preprocess face crops; float32, shape (N, channels, size_px, size_px)."""
        images = np.zeros((len(faces), self.channels, self.size_px, self.size_px), np.float32)
        for number, face in enumerate(faces):
            images[number] = self.resize(face)
        normalized: NDArray[np.float32] = self.normalize(images)
        return normalized

    @classmethod
    def load(cls, path: Path) -> Contract:
        """Read a contract that `save` wrote.

        Raises:
            BundleError: the file is missing or inconsistent.
        """
        if not path.is_file():
            raise BundleError(f"{path.parent.name} has no {path.name}. {NO_CONTRACT}")
        return load_json_model(cls, path, whole="contract")


def _array_like(images: Any, values: tuple[float, ...]) -> Any:
    """Convert `values` to the type (and device) of `images`."""
    if isinstance(images, np.ndarray):
        return np.asarray(values, np.float32)
    return images.new_tensor(values)
