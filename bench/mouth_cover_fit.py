"""Fitting the network that sees covered mouths."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from sklearn.neural_network import MLPClassifier

from bench.mouth_covers import COVERS, Gray, eyes_covered, glasses, jittered
from fer_core.atomic import write_bytes
from fer_core.inference.mouth_cover import WEIGHTS, Features, MouthCover, features_of

_HIDDEN = 24
_COVERED_SHARE_01 = 0.43
"""So many of the faces are covered, each in every way."""


def fit(faces: Sequence[Gray], seed: int = 0) -> MouthCover:
    """Fit the network on clean faces and on the same with covered mouths, and write its file. Glasses and things over
    the eyes count as clean: the mouth is free."""
    rng = np.random.default_rng(seed)
    few = faces[: round(_COVERED_SHARE_01 * len(faces))]
    free = [*faces, *(jittered(face, rng) for face in faces)]
    free += [jittered(spoil(face, rng), rng) for spoil in (glasses, eyes_covered) for face in few]
    covered = [
        jittered(cover(face, rng), rng) if number % 2 else cover(face, rng)
        for cover in COVERS.values()
        for number, face in enumerate(few)
    ]
    features = features_of(np.stack([*free, *covered]).astype(np.float32))
    network = fitted(features, len(free), seed)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: value.astype(np.float16) for name, value in network._asdict().items()})
    write_bytes(WEIGHTS, buffer.getvalue())
    return network


def fitted(features: Features, free: int, seed: int) -> MouthCover:
    """The network for features of which the first `free` rows are of faces whose mouth is free."""
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-3
    covered = np.arange(len(features)) >= free
    classifier = MLPClassifier((_HIDDEN,), alpha=0.01, max_iter=14, batch_size=200, random_state=seed)
    classifier.fit((features - mean) / scale, covered)
    (hidden, output), (hidden_bias, output_bias) = classifier.coefs_, classifier.intercepts_
    return MouthCover(mean, scale, hidden, hidden_bias, output, output_bias)
