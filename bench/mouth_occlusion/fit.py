"""Fit the network that detects mouth occlusions."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from sklearn.neural_network import MLPClassifier

from bench.mouth_occlusion.synthetic_occlusions import OCCLUSIONS, Gray, add_glasses, jitter, occlude_eyes
from fer_core.files.atomic import write_bytes
from fer_core.inference.mouth_occlusion import WEIGHTS, Features, MouthOcclusionNet, compute_features

_HIDDEN = 24
_OCCLUDED_SHARE_01 = 0.26
"""Share of the faces that get each synthetic occlusion."""

_NETWORKS = 3
"""Size of the ensemble, whose logits are averaged."""

_REAL_REPEATS = 30
"""How often each of the few real occlusions is repeated, with random jitter."""


def fit(faces: Sequence[Gray], real_occlusions: Sequence[Gray], seed: int = 0) -> MouthOcclusionNet:
    """Fit the network and write its file.

    Negatives are faces with a visible mouth, also with glasses or covered eyes; positives are faces with synthetic and
    real occlusions of the mouth.
    """
    rng = np.random.default_rng(seed)
    occluded_faces = faces[: round(_OCCLUDED_SHARE_01 * len(faces))]
    unoccluded = [*faces, *(jitter(face, rng) for face in faces)]
    unoccluded += [
        jitter(degrade(face, rng), rng) for degrade in (add_glasses, occlude_eyes) for face in occluded_faces
    ]
    occluded = [
        jitter(occlude(face, rng), rng) if number % 2 else occlude(face, rng)
        for occlude in OCCLUSIONS.values()
        for number, face in enumerate(occluded_faces)
    ]
    occluded += [
        jitter(np.ascontiguousarray(face[:, ::-1]) if repeat % 2 else face, rng)
        for face in real_occlusions
        for repeat in range(_REAL_REPEATS)
    ]
    features = compute_features(np.stack([*unoccluded, *occluded]).astype(np.float32))
    network = average_networks([fit_network(features, len(unoccluded), seed + number) for number in range(_NETWORKS)])
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: value.astype(np.float16) for name, value in network._asdict().items()})
    write_bytes(WEIGHTS, buffer.getvalue())
    return network


def fit_network(features: Features, unoccluded: int, seed: int) -> MouthOcclusionNet:
    """Fit a network on features whose first `unoccluded` rows are faces with a visible mouth."""
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-3
    occluded = np.arange(len(features)) >= unoccluded
    classifier = MLPClassifier((_HIDDEN,), alpha=0.01, max_iter=14, batch_size=200, random_state=seed)
    classifier.fit((features - mean) / scale, occluded)
    (hidden, output), (hidden_bias, output_bias) = classifier.coefs_, classifier.intercepts_
    return MouthOcclusionNet(mean, scale, hidden, hidden_bias, output, output_bias)


def average_networks(networks: Sequence[MouthOcclusionNet]) -> MouthOcclusionNet:
    """Merge networks with the same standardization into one whose logit is the mean of theirs."""
    first = networks[0]
    return MouthOcclusionNet(
        first.mean,
        first.scale,
        np.concatenate([network.hidden for network in networks], axis=1),
        np.concatenate([network.hidden_bias for network in networks]),
        np.concatenate([network.output for network in networks]) / len(networks),
        np.mean([network.output_bias for network in networks], axis=0),
    )
