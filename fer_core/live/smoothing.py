"""Track faces from frame to frame and smooth their probabilities over time, so that labels don't flicker."""

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
"""Time constant of the exponential smoothing: a change reaches 63 % after it. An expression lasts from half a second to
four (Ekman 2003, "Emotions Revealed"), a flicker of the model a frame or two."""

LOST_AFTER_S = 0.5
"""A track ends if its face is not detected for longer."""

_IOU_MIN_01 = 0.2
"""IoU above which boxes of successive analyses belong to one face; quick movements stay above it."""


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """A tracked face.

    Attributes:
        track_id: stays the same while the face is tracked.
        box: last known, in pixels of the analyzed frame.
        reason: why the prediction is uncertain; empty if it is not.
        probabilities: smoothed; `label` and `confidence` follow from them.
    """

    track_id: int
    box: FaceBox
    label: Expression
    confidence: float
    reason: str
    probabilities: Mapping[Expression, float]

    @property
    def uncertain(self) -> bool:
        """Whether the model abstains."""
        return bool(self.reason)


@dataclass(slots=True)
class _Track:
    id: int
    box: FaceBox
    probabilities: dict[Expression, float]
    last_seen_s: float
    quality: FaceQuality


class FaceTracker:
    """Tracks the faces of a video. Not thread-safe."""

    def __init__(self, *, time_constant_s: float = TIME_CONSTANT_S, lost_after_s: float = LOST_AFTER_S) -> None:
        """Start without faces.

        Args:
            time_constant_s: of the exponential smoothing; 0 is off.
            lost_after_s: a track ends if its face is not detected for longer.
        """
        self._time_constant_s = time_constant_s
        self._lost_after_s = lost_after_s
        self._tracks: list[_Track] = []
        self._count = 0

    def update(
        self, predictions: Sequence[FacePrediction], at_s: float, *, confidence_threshold: float = 0.0
    ) -> tuple[TrackedFace, ...]:
        """Update the tracks with the predictions of a frame.

        Args:
            predictions: the frame's faces.
            at_s: time of the frame, not before the previous one.
            confidence_threshold: the probability below which the model abstains.
        Returns:
            all tracked faces, the largest first.
        """
        self._tracks = [track for track in self._tracks if at_s - track.last_seen_s <= self._lost_after_s]
        matched = match_boxes([track.box for track in self._tracks], [prediction.box for prediction in predictions])
        for number, prediction in enumerate(predictions):
            if number in matched:
                self._smooth(self._tracks[matched[number]], prediction, at_s)
            else:
                self._count += 1
                self._tracks.append(
                    _Track(self._count, prediction.box, dict(prediction.probabilities), at_s, _quality(prediction))
                )
        largest_first = sorted(self._tracks, key=lambda track: (-track.box.area, track.id))
        return tuple(_tracked_face(track, confidence_threshold) for track in largest_first)

    def _smooth(self, track: _Track, prediction: FacePrediction, at_s: float) -> None:
        """Move a track's probabilities towards the prediction's, depending on the elapsed time."""
        elapsed_s = max(0.0, at_s - track.last_seen_s)
        weight = 1 - math.exp(-elapsed_s / self._time_constant_s) if self._time_constant_s else 1.0
        if track.probabilities.keys() != prediction.probabilities.keys():
            weight = 1.0  # another model, with other expressions
        track.probabilities = {
            label: value * weight + track.probabilities.get(label, 0.0) * (1 - weight)
            for label, value in prediction.probabilities.items()
        }
        track.box, track.last_seen_s, track.quality = prediction.box, at_s, _quality(prediction)


def _quality(prediction: FacePrediction) -> FaceQuality:
    return prediction.quality or FaceQuality(min(prediction.box.width, prediction.box.height))


def match_boxes(tracks: Sequence[FaceBox], boxes: Sequence[FaceBox]) -> dict[int, int]:
    """Match boxes to tracks greedily by IoU; returns the index of the track for that of the box."""
    ious = ((old.iou(new), number, track) for number, new in enumerate(boxes) for track, old in enumerate(tracks))
    matched: dict[int, int] = {}
    for iou, number, track in sorted(ious, reverse=True):
        if iou > _IOU_MIN_01 and number not in matched and track not in matched.values():
            matched[number] = track
    return matched


def _tracked_face(track: _Track, confidence_threshold: float) -> TrackedFace:
    (label, first), (second_label, _) = top_two(track.probabilities)
    texts = {
        **REASON_TEXTS,
        AbstainReason.LOW_CONFIDENCE: f"below the {confidence_threshold:.1%} needed".replace("%", " %"),
        AbstainReason.SMALL_MARGIN: f"too close to {second_label}",
    }
    reasons = abstain_reasons(track.quality, track.probabilities, confidence_threshold)
    reason = texts[reasons[0]] if reasons else ""
    return TrackedFace(track.id, track.box, label, first, reason, dict(track.probabilities))
