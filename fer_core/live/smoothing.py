"""Faces followed from frame to frame, their probabilities smoothed over time so that labels don't flicker."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fer_core.faces import FaceBox
from fer_core.inference.abstention import REASON_TEXTS, AbstainReason, abstain_reasons, top_two
from fer_core.inference.face_quality import FaceQuality
from fer_core.inference.predictor import FacePrediction
from fer_core.labels import Expression

TIME_CONSTANT_S = 0.4
"""A change of expression is 63 % there after this, 95 % after three times as long: an expression lasts from half a
second to four (Ekman 2003, "Emotions Revealed"), a flicker of the model a frame or two."""

LOST_AFTER_S = 0.5
"""A face that was missed in a frame or two stays; one that is gone for longer is forgotten."""

_OVERLAP_MIN_01 = 0.2
"""Boxes of one face overlap more than this from one analysis to the next, even when the person moves quickly."""


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """How a followed face is read, over the last moments.

    `track` stays with a face while it can be followed. `box` is in pixels of the analyzed frame, as it was seen
    last. `probabilities` are smoothed and sum to 1; `label` and `confidence` follow from them. `reason` says in a few
    words why the reading is uncertain, nothing when it is not.
    """

    track: int
    box: FaceBox
    label: Expression
    confidence: float
    reason: str
    probabilities: Mapping[Expression, float]

    @property
    def uncertain(self) -> bool:
        """Whether the model abstains from reading this face."""
        return bool(self.reason)


@dataclass(slots=True)
class _Track:
    number: int
    box: FaceBox
    probabilities: dict[Expression, float]
    seen_s: float
    seen: FaceQuality


class FaceTracker:
    """The faces that are followed at the moment. Not thread-safe: one thread updates it."""

    def __init__(self, *, time_constant_s: float = TIME_CONSTANT_S, lost_after_s: float = LOST_AFTER_S) -> None:
        """Start with nobody in view.

        Args:
            time_constant_s: of the exponential smoothing; 0 smooths nothing.
            lost_after_s: a face that is not seen for longer is forgotten.
        """
        self._time_constant_s = time_constant_s
        self._lost_after_s = lost_after_s
        self._tracks: list[_Track] = []
        self._count = 0

    def update(
        self, predictions: Sequence[FacePrediction], at_s: float, *, confidence_threshold: float = 0.0
    ) -> tuple[TrackedFace, ...]:
        """Take in what was read in one frame.

        Args:
            predictions: the frame's faces.
            at_s: when the frame was taken; never earlier than the one before.
            confidence_threshold: the probability below which the model abstains.
        Returns:
            Every face in view, those that were missed for a moment included, the largest first.
        """
        self._tracks = [track for track in self._tracks if at_s - track.seen_s <= self._lost_after_s]
        matched = match_boxes([track.box for track in self._tracks], [prediction.box for prediction in predictions])
        for place, prediction in enumerate(predictions):
            if place in matched:
                self._smooth(self._tracks[matched[place]], prediction, at_s)
            else:
                self._count += 1
                self._tracks.append(
                    _Track(self._count, prediction.box, dict(prediction.probabilities), at_s, _quality(prediction))
                )
        largest_first = sorted(self._tracks, key=lambda track: (-track.box.width * track.box.height, track.number))
        return tuple(_tracked_face(track, confidence_threshold) for track in largest_first)

    def _smooth(self, track: _Track, prediction: FacePrediction, at_s: float) -> None:
        """Move a track's probabilities towards the reading's, by how much time went by."""
        elapsed_s = max(0.0, at_s - track.seen_s)
        weight = 1 - math.exp(-elapsed_s / self._time_constant_s) if self._time_constant_s else 1.0
        if track.probabilities.keys() != prediction.probabilities.keys():
            weight = 1.0  # another model, with other expressions
        track.probabilities = {
            label: value * weight + track.probabilities.get(label, 0.0) * (1 - weight)
            for label, value in prediction.probabilities.items()
        }
        track.box, track.seen_s, track.seen = prediction.box, at_s, _quality(prediction)


def _quality(prediction: FacePrediction) -> FaceQuality:
    """How the face is seen in its newest frame."""
    return prediction.quality or FaceQuality(min(prediction.box.width, prediction.box.height))


def match_boxes(tracks: Sequence[FaceBox], boxes: Sequence[FaceBox]) -> dict[int, int]:
    """Which box continues which track, by its place: the pairs that overlap most first, each used once."""
    overlaps = ((old.iou(new), place, track) for place, new in enumerate(boxes) for track, old in enumerate(tracks))
    matched: dict[int, int] = {}
    for overlap, place, track in sorted(overlaps, reverse=True):
        if overlap > _OVERLAP_MIN_01 and place not in matched and track not in matched.values():
            matched[place] = track
    return matched


def _tracked_face(track: _Track, confidence_threshold: float) -> TrackedFace:
    (label, first), (second_label, _) = top_two(track.probabilities)
    words = {
        **REASON_TEXTS,
        AbstainReason.LOW_CONFIDENCE: f"below the limit of {confidence_threshold:.0%}".replace("%", " %"),
        AbstainReason.SMALL_MARGIN: f"too close to {second_label}",
    }
    found = abstain_reasons(track.seen, track.probabilities, confidence_threshold)
    reason = words[found[0]] if found else ""
    return TrackedFace(track.number, track.box, label, first, reason, dict(track.probabilities))
