"""Fits the network that detects covered mouths."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from sklearn.neural_network import MLPClassifier

from bench.mouth_occlusion.synthetic_covers import COVERS, Gray, eyes_covered, glasses, jitter
from fer_core.files.atomic import write_bytes
from fer_core.inference.mouth_occlusion import WEIGHTS, Features, MouthOcclusionNet, compute_features

_HIDDEN = 24
_COVERED_SHARE_01 = 0.26
"""So many of the faces are covered, each in every way."""

_NETWORKS = 3
"""Their logits are averaged: what one of them takes for a cover by chance, the others don't."""

_TIMES_COVERED = 30
"""How often a face whose mouth is really covered is shown, moved a little each time, as there are few of them."""


def fit(faces: Sequence[Gray], really_covered: Sequence[Gray], seed: int = 0) -> MouthOcclusionNet:
    """Fit the network on faces with free mouths, on the same with things drawn over the mouth, and on faces whose mouth
    is really covered, and write its file. Glasses and things over the eyes leave the mouth free."""
    rng = np.random.default_rng(seed)
    few = faces[: round(_COVERED_SHARE_01 * len(faces))]
    free = [*faces, *(jitter(face, rng) for face in faces)]
    free += [jitter(degrade(face, rng), rng) for degrade in (glasses, eyes_covered) for face in few]
    covered = [
        jitter(cover(face, rng), rng) if number % 2 else cover(face, rng)
        for cover in COVERS.values()
        for number, face in enumerate(few)
    ]
    covered += [
        jitter(np.ascontiguousarray(face[:, ::-1]) if turn % 2 else face, rng)
        for face in really_covered
        for turn in range(_TIMES_COVERED)
    ]
    features = compute_features(np.stack([*free, *covered]).astype(np.float32))
    network = average_networks([fit_network(features, len(free), seed + number) for number in range(_NETWORKS)])
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: value.astype(np.float16) for name, value in network._asdict().items()})
    write_bytes(WEIGHTS, buffer.getvalue())
    return network


def fit_network(features: Features, free: int, seed: int) -> MouthOcclusionNet:
    """The network for features of which the first `free` rows are of faces whose mouth is free."""
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-3
    covered = np.arange(len(features)) >= free
    classifier = MLPClassifier((_HIDDEN,), alpha=0.01, max_iter=14, batch_size=200, random_state=seed)
    classifier.fit((features - mean) / scale, covered)
    (hidden, output), (hidden_bias, output_bias) = classifier.coefs_, classifier.intercepts_
    return MouthOcclusionNet(mean, scale, hidden, hidden_bias, output, output_bias)


def average_networks(networks: Sequence[MouthOcclusionNet]) -> MouthOcclusionNet:
    """The network whose logit is the mean of the logits of networks for equally standardized features."""
    first = networks[0]
    return MouthOcclusionNet(
        first.mean,
        first.scale,
        np.concatenate([each.hidden for each in networks], axis=1),
        np.concatenate([each.hidden_bias for each in networks]),
        np.concatenate([each.output for each in networks]) / len(networks),
        np.mean([each.output_bias for each in networks], axis=0),
    )
