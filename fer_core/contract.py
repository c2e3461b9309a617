"""The preprocessing contract: the one recipe that turns a face into a model's input.

Training, upload, video, live and exports all go through this object, and every run and bundle carries
its own, so that a model can't be parted from its preprocessing.
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

_DEVIATION_MIN = 1.0
"""Gray levels: a flat image is divided by this instead of by its own deviation of nearly nothing."""


class Contract(JsonModel):
    """How a face becomes a tensor, and what the outputs mean.

    `crop_margin_01` is what the model wants to see around a face beyond its `faces.AlignedCrop`, which is how the
    pictures of FER2013 are cut: a share of the side, on each side. A model taught on wider pictures has more.

    `normalization` is one of: `byte` (0..255 as it is, study A's), `unit` (divided by 255), `image` (each
    image minus its mean, divided by its standard deviation), `channel` (unit, then minus `mean`, divided
    by `std`, a figure a channel, as ImageNet models want).
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
    def _consistent(self) -> Contract:
        wanted = self.channels if self.normalization == "channel" else 0
        if len(self.mean) != wanted or len(self.std) != wanted:
            raise ValueError(f"mean and std need {wanted} values each for normalization {self.normalization!r}")
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
        """What a packed dataset depends on: contracts with the same key share the packed images."""
        return f"{self.color}-{self.size_px}"

    def fit(self, face: RgbImage) -> NDArray[np.uint8]:
        """A face crop in the contract's color and size, still bytes.

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
            shrinks = min(face.shape[:2]) > self.size_px
            how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            face = cv2.resize(face, (self.size_px, self.size_px), interpolation=how).astype(np.uint8)
        planes = face[None] if face.ndim == 2 else face.transpose(2, 0, 1)
        return np.ascontiguousarray(planes)

    def normalize(self, planes: Any) -> Any:
        """Bytes as floats to what the network sees; the same code for numpy arrays and torch tensors.

        Args:
            planes: float32, shape (N, channels, size_px, size_px), 0..255.
        Returns:
            float32, the same shape and kind.
        """
        if self.normalization == "byte":
            return planes
        if self.normalization == "unit":
            return planes / 255.0
        if self.normalization == "image":
            centered = planes - planes.mean((1, 2, 3))[:, None, None, None]
            deviation = (centered * centered).mean((1, 2, 3)) ** 0.5
            return centered / deviation.clip(_DEVIATION_MIN)[:, None, None, None]
        mean, std = (_like(planes, values) for values in (self.mean, self.std))
        return (planes / 255.0 - mean[None, :, None, None]) / std[None, :, None, None]

    def apply(self, face: RgbImage) -> NDArray[np.float32]:
        """One face crop to the network's input; float32, shape (channels, size_px, size_px)."""
        return self.apply_batch([face])[0]

    def apply_batch(self, faces: Sequence[RgbImage]) -> NDArray[np.float32]:
        """Face crops to the network's input; float32, shape (N, channels, size_px, size_px)."""
        planes = np.zeros((len(faces), self.channels, self.size_px, self.size_px), np.float32)
        for place, face in enumerate(faces):
            planes[place] = self.fit(face)
        normalized: NDArray[np.float32] = self.normalize(planes)
        return normalized

    @classmethod
    def load(cls, path: Path) -> Contract:
        """Read a contract that `save` wrote.

        Raises:
            BundleError: there is none, or it does not hold together.
        """
        if not path.is_file():
            raise BundleError(
                f"{path.parent.name} has no {path.name}: without its preprocessing contract a model can't be "
                "used. Give one, or import the weights with a preset that has one."
            )
        return load_json_model(cls, path, whole="contract")


def _like(planes: Any, values: tuple[float, ...]) -> Any:
    """`values` as an array of the kind (and on the device) of `planes`."""
    if isinstance(planes, np.ndarray):
        return np.asarray(values, np.float32)
    return planes.new_tensor(values)
