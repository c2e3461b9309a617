"""Class activation maps: which places of a face raise or lower the score of an expression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_core.errors import InputError
from fer_core.faces import RgbImage
from fer_core.inference.network_features import FeatureNetwork
from fer_core.labels import Expression

NO_MAPS = (
    "This network does not end with global average pooling and a linear layer, so it has no exact class activation map."
)

_RAISES, _LOWERS = (230, 120, 0), (0, 90, 200)
_SHARE_MAX = 0.65
"""Of the color, so that the face stays visible."""


def class_activation_maps(network: FeatureNetwork, faces: Sequence[RgbImage], label: Expression) -> NDArray[np.float32]:
    """Compute the class activation maps of faces for one expression.

    Zhou et al. (2016), "Learning Deep Features for Discriminative Localization", eq. 2, minus the mean map of all
    classes, which no softmax sees. The mean of a map, plus the bias likewise, is the logit minus the mean logit: exact,
    for the network without flip test-time augmentation.

    Args:
        faces: uint8, shape (H, W, 3) RGB or (H, W) gray, any sizes; at least one.
    Returns:
        float32, shape (N, h, w); positive where the face raises the score.
    Raises:
        InputError: the network has no such maps, or not this expression.
    """
    if not network.has_maps:
        raise InputError(NO_MAPS)
    if label not in network.contract.labels:
        known = ", ".join(network.contract.labels)
        raise InputError(f"The model has no expression {label.value!r}. It has: {known}.")
    maps = network.run(network.contract.apply_batch(faces)).maps
    assert maps is not None
    weights = network.weights[network.contract.labels.index(label)] - network.weights.mean(0)
    return np.asarray(np.einsum("nchw,c->nhw", maps, weights), np.float32)


def mean_activation_map(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average the maps of faces, each divided by its largest absolute value, so that all count alike; shape (h, w)."""
    largest = np.abs(maps).max(axis=(1, 2), keepdims=True)
    return np.asarray((maps / np.maximum(largest, 1e-12)).mean(0), np.float32)


def overlay_activation(face: RgbImage, activation: NDArray[np.float32], size_px: int = 192) -> NDArray[np.uint8]:
    """Lay a map over a face: orange where it raises the score, blue where it lowers it, gray where it does neither.

    The two colors are told apart by people who confuse red and green.

    Args:
        face: uint8, shape (H, W, 3) RGB or (H, W) gray.
        activation: shape (h, w); its largest absolute value has the full color.
    Returns:
        uint8, shape (size_px, size_px, 3), RGB.
    """
    import cv2

    gray = face if face.ndim == 2 else cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    base = cv2.resize(gray, (size_px, size_px), interpolation=cv2.INTER_LINEAR).astype(np.float32)[:, :, None]
    wide = cv2.resize(activation.astype(np.float32), (size_px, size_px), interpolation=cv2.INTER_CUBIC)
    strength = np.clip(wide / max(float(np.abs(activation).max()), 1e-12), -1, 1)[:, :, None]
    color = np.where(strength > 0, np.array(_RAISES, np.float32), np.array(_LOWERS, np.float32))
    share = _SHARE_MAX * np.abs(strength)
    return np.asarray(np.clip(base * (1 - share) + color * share, 0, 255), np.uint8)
