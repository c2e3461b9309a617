"""Track faces from frame to frame and smooth their probabilities over time.

A track keeps its number while its face is out of sight for a second. What is shown of it is decided by
`stable_answer.StableAnswer`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fer_core.faces import FaceBox
from fer_core.inference.abstention import REASON_TEXTS, AbstainReason, top_two
from fer_core.inference.face_quality import FaceQuality
from fer_core.inference.predictor import FacePrediction
from fer_core.labels import Expression
from fer_core.live.motion import FaceMotion
from fer_core.live.stable_answer import HOLD_S, LEAD_01, StableAnswer

TIME_CONSTANT_S = 0.4
"""Time constant of the exponential smoothing: a change reaches 63 % after it. An expression lasts from half a second to
four (Ekman 2003, "Emotions Revealed"), a flicker of the model a frame or two."""

LOST_AFTER_S = 1.0
"""A track ends if its face is not detected for longer."""

HIDDEN_AFTER_S = 0.5
"""A face that is not detected for longer is not shown, although its track may go on."""

_IOU_MIN_01 = 0.2
"""IoU above which boxes of successive analyses belong to one face; quick movements stay above it."""

_DISTANCE_MAX = 1.0
"""A face that comes back into sight may have moved by so many of its sides."""

_SIZE_RATIO_MAX = 1.6
"""And its side may have changed by this factor."""


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """A tracked face.

    Attributes:
        track_id: stays the same while the face is tracked.
        box: last known, in pixels of the analyzed frame.
        label: the expression that is shown; for a moment another can be more likely.
        confidence: its probability.
        reason: why the prediction is uncertain; empty if it is not.
        probabilities: smoothed.
        main_reason: the same as `reason`, for what can be done about it; None if it is not uncertain.
    """

    track_id: int
    box: FaceBox
    label: Expression
    confidence: float
    reason: str
    probabilities: Mapping[Expression, float]
    main_reason: AbstainReason | None = None

    @property
    def uncertain(self) -> bool:
        """Whether the model abstains."""
        return bool(self.reason)


@dataclass(slots=True)
class _Track:
    id: int
    motion: FaceMotion
    probabilities: dict[Expression, float]
    last_seen_s: float
    quality: FaceQuality
    answer: StableAnswer


class FaceTracker:
    """Tracks the faces of a video. Not thread-safe."""

    def __init__(
        self,
        *,
        time_constant_s: float = TIME_CONSTANT_S,
        lost_after_s: float = LOST_AFTER_S,
        lead_01: float = LEAD_01,
        hold_s: float = HOLD_S,
    ) -> None:
        """Start without faces.

        Args:
            time_constant_s: of the exponential smoothing; 0 is off.
            lost_after_s: a track ends if its face is not detected for longer.
            lead_01, hold_s: see `stable_answer`; 0 shows the most likely expression at once.
        """
        self._time_constant_s = time_constant_s
        self._lost_after_s = lost_after_s
        self._lead_01, self._hold_s = lead_01, hold_s
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
            the tracked faces that are in sight, the largest first.
        """
        self._tracks = [track for track in self._tracks if at_s - track.last_seen_s <= self._lost_after_s]
        matched = _match(self._tracks, [prediction.box for prediction in predictions], at_s)
        for number, prediction in enumerate(predictions):
            if number in matched:
                self._smooth(self._tracks[matched[number]], prediction, at_s)
            else:
                self._start(prediction, at_s)
        shown = [track for track in self._tracks if at_s - track.last_seen_s <= HIDDEN_AFTER_S]
        largest_first = sorted(shown, key=lambda track: (-track.motion.box.area, track.id))
        return tuple(_tracked_face(track, confidence_threshold, at_s) for track in largest_first)

    def _start(self, prediction: FacePrediction, at_s: float) -> None:
        self._count += 1
        motion, answer = FaceMotion.start(prediction.box, at_s), StableAnswer(self._lead_01, self._hold_s)
        probabilities = dict(prediction.probabilities)
        self._tracks.append(_Track(self._count, motion, probabilities, at_s, _quality(prediction), answer))

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
        track.motion.update(prediction.box, at_s)
        track.last_seen_s, track.quality = at_s, _quality(prediction)


def _quality(prediction: FacePrediction) -> FaceQuality:
    return prediction.quality or FaceQuality(min(prediction.box.width, prediction.box.height))


def _match(tracks: Sequence[_Track], boxes: Sequence[FaceBox], at_s: float) -> dict[int, int]:
    """Match boxes to tracks where their faces should be by now; then the rest to the nearest of about the same size."""
    expected = [track.motion.predict(at_s) for track in tracks]
    matched = match_boxes(expected, boxes)
    near = sorted(
        (distance, number, place)
        for place, track in enumerate(expected)
        for number, box in enumerate(boxes)
        if number not in matched and place not in matched.values()
        if (distance := _distance(track, box)) <= _DISTANCE_MAX
    )
    for _, number, place in near:
        if number not in matched and place not in matched.values():
            matched[number] = place
    return matched


def _distance(track: FaceBox, box: FaceBox) -> float:
    """Distance of the centers in sides of the face; infinite if the sizes differ too much."""
    side, other = math.sqrt(track.area), math.sqrt(box.area)
    if max(side, other) > _SIZE_RATIO_MAX * min(side, other):
        return math.inf
    return math.dist(track.center, box.center) / side


def match_boxes(tracks: Sequence[FaceBox], boxes: Sequence[FaceBox]) -> dict[int, int]:
    """Match boxes to tracks greedily by IoU; returns the index of the track for that of the box."""
    ious = ((old.iou(new), number, track) for number, new in enumerate(boxes) for track, old in enumerate(tracks))
    matched: dict[int, int] = {}
    for iou, number, track in sorted(ious, reverse=True):
        if iou > _IOU_MIN_01 and number not in matched and track not in matched.values():
            matched[number] = track
    return matched


def _tracked_face(track: _Track, confidence_threshold: float, at_s: float) -> TrackedFace:
    label, reasons = track.answer.update(track.probabilities, track.quality, confidence_threshold, at_s)
    others = [each for each, _ in top_two(track.probabilities) if each is not label]
    texts = {
        **REASON_TEXTS,
        AbstainReason.LOW_CONFIDENCE: f"below the {confidence_threshold:.1%} needed".replace("%", " %"),
        AbstainReason.SMALL_MARGIN: f"too close to {others[0]}",
    }
    main = reasons[0] if reasons else None
    confidence, reason = track.probabilities[label], texts[main] if main else ""
    return TrackedFace(track.id, track.motion.box, label, confidence, reason, dict(track.probabilities), main)
