"""Predict expressions on live video: full-frame detection at intervals, tracking in between, inference on changes.

Each face's crop is compared with the last predicted one. Passes alternate between the crop and its mirror image, and
the last two logits are averaged: flip test-time augmentation with one pass per frame.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_core.calibration import OperatingPoint
from fer_core.detection.detector import DetectedFace
from fer_core.detection.multi_scale import is_rotated
from fer_core.errors import DetectorError
from fer_core.faces import RgbImage
from fer_core.inference.face_quality import FaceQuality, face_quality
from fer_core.inference.predictor import FacePrediction, Predictor
from fer_core.live.crop_change import is_same, thumbnail
from fer_core.live.region_search import detect_in_regions
from fer_core.live.scene_change import SceneChangeDetector
from fer_core.live.smoothing import match_boxes

SEARCH_EVERY_S = 0.2
"""Interval of full-frame detection; it runs at once if a face is lost, none is known, or the scene has changed."""

PREDICT_EVERY_S = 0.5
"""Interval of predictions for an unchanged face."""

ROTATION_CHECKED_EVERY_S = 1.0
"""Interval of the rotation check for faces with a low detection score."""

TTA_WITHIN_S = 0.2
"""Logits are averaged with those of the other orientation if these are not older; on slower machines the smoothing
over time averages them."""

FACES_PER_FRAME_MAX = 4
"""Faces predicted in one frame; others follow in the next frames, longest waiting first."""

_Input = NDArray[np.uint8]
"""A crop in the contract's color and size; shape (channels, size_px, size_px)."""


@dataclass(slots=True)
class _Face:
    """A visible face.

    Attributes:
        crop: last predicted aligned crop.
        quality: of that crop.
        input: that crop as the network's input.
        n_passes: predictions of that input.
        thumbnail: of the box while the face is unchanged, else None; comparing it is ten times faster than an aligned
            crop.
        logits: newest ones by whether the input was flipped.
    """

    face: DetectedFace
    crop: RgbImage | None = None
    quality: FaceQuality | None = None
    input: _Input | None = None
    thumbnail: _Input | None = None
    n_passes: int = 0
    logits: dict[bool, NDArray[np.float32]] = field(default_factory=dict)
    predicted_s: float = float("-inf")
    flip_next: bool = False
    is_rotated: bool = False
    rotation_checked_s: float = float("-inf")

    @property
    def mean_logits(self) -> NDArray[np.float32]:
        """Mean logits; shape (classes,)."""
        mean: NDArray[np.float32] = np.mean(list(self.logits.values()), axis=0)
        return mean


class _Request(NamedTuple):
    """A face to be predicted; `crop` is None for a second, flipped pass on the same input."""

    face: _Face
    input: _Input
    crop: RgbImage | None


class FaceLogits(NamedTuple):
    """What the network says of a visible face; logits of shape (classes,)."""

    face: DetectedFace
    crop: RgbImage
    quality: FaceQuality
    logits: NDArray[np.float32]


class LivePredictor:
    """Predicts the faces of a video with one model. Not thread-safe.

    Attributes:
        found: faces in the last frame that was searched as a whole, also those beyond the largest `faces_max`.
        times_ms: of the last frame, by detector and classifier.
    """

    def __init__(self, predictor: Predictor) -> None:
        """Start without faces.

        Raises:
            DetectorError: the predictor has no face detector.
        """
        if predictor.detector is None:
            raise DetectorError("A live view needs a face detector. Open one.")
        self.predictor = predictor
        self._detector = predictor.detector
        self._orientations = (False, True) if predictor.bundle.flip_tta_removed else (False,)
        self._faces: list[_Face] = []
        self._detected_s = float("-inf")
        self._scene: SceneChangeDetector | None = None
        self._shape: tuple[int, ...] = ()
        self.found = 0
        self.times_ms: dict[str, float] = {}

    def analyze(self, image: RgbImage, at_s: float, *, faces_max: int | None = None) -> list[FaceLogits]:
        """Detect and classify the largest faces of the next frame.

        Args:
            image: uint8, shape (H, W, 3), RGB.
            at_s: time of the frame, not before the previous one.
        Returns:
            a result for each face, sorted left to right, except faces that wait for their first one.
        Raises:
            BundleError: the model failed.
        """
        started = time.perf_counter()
        if image.shape != self._shape:
            self._faces, self._shape = [], image.shape
        self._update_faces(image, at_s, faces_max)
        detected = time.perf_counter()
        self._predict_changed(image, at_s)
        self.times_ms = {
            "detector": 1000 * (detected - started),
            "classifier": 1000 * (time.perf_counter() - detected),
        }
        return [
            FaceLogits(each.face, each.crop, each.quality, each.mean_logits)
            for each in self._faces
            if each.logits and each.crop is not None and each.quality is not None
        ]

    def predict(
        self, image: RgbImage, at_s: float, *, point: OperatingPoint = OperatingPoint.ACCURATE
    ) -> list[FacePrediction]:
        """Predict the faces of the next frame.

        Args:
            image: uint8, shape (H, W, 3), RGB.
            at_s: time of the frame, not before the previous one.
        Returns:
            a prediction for each face, sorted left to right, except faces that wait for their first one.
        Raises:
            BundleError: the model failed.
        """
        known = self.analyze(image, at_s)
        if not known:
            return []
        logits = np.stack([each.logits for each in known])
        rows = self.predictor.bundle.calibration.probabilities(logits, point)
        return [
            self.predictor.face_prediction(each.face, each.crop, row, point, each.quality)
            for each, row in zip(known, rows, strict=True)
        ]

    def _update_faces(self, image: RgbImage, at_s: float, faces_max: int | None) -> None:
        """Update the faces. An unchanged one keeps its box, as a detector's boxes vary between frames."""
        unchanged = [is_same(each.thumbnail, thumbnail(image, each.face.box)) for each in self._faces]
        faces = self._track(image, unchanged) if self._can_track(image, at_s) else None
        if faces is None:
            faces = sorted(self._detect(image, unchanged), key=lambda each: -each.face.box.area)
            self.found, faces = len(faces), faces[:faces_max]
            self._detected_s, self._scene = at_s, SceneChangeDetector(image)
        self._faces = sorted(faces, key=lambda each: (each.face.box.x, each.face.box.y))

    def _can_track(self, image: RgbImage, at_s: float) -> bool:
        """Whether full-frame detection can be skipped."""
        if not self._faces or self._scene is None or at_s - self._detected_s >= SEARCH_EVERY_S:
            return False
        return not self._scene.has_changed(image, [each.face.box for each in self._faces])

    def _track(self, image: RgbImage, unchanged: Sequence[bool]) -> list[_Face] | None:
        """Detect changed faces near their last positions; None if one is lost."""
        moving = [each for each, is_same in zip(self._faces, unchanged, strict=True) if not is_same]
        if moving:
            faces = detect_in_regions(self._detector, image, [each.face.box for each in moving])
            if faces is None or None in faces:
                return None
            for each, face in zip(moving, faces, strict=True):
                if face is not None:
                    each.face, each.thumbnail = face, None
        return self._faces

    def _detect(self, image: RgbImage, unchanged: Sequence[bool]) -> list[_Face]:
        """Detect faces in the whole frame and match them to the known ones."""
        faces = self._detector.detect(image)
        known = match_boxes([each.face.box for each in self._faces], [face.box for face in faces])
        matched = []
        for number, face in enumerate(faces):
            each = self._faces[known[number]] if number in known else _Face(face)
            if number not in known or not unchanged[known[number]]:
                each.face, each.thumbnail = face, None
            matched.append(each)
        return matched

    def _predict_changed(self, image: RgbImage, at_s: float) -> None:
        """Predict the most urgent faces in one batch."""
        requests = self._requests(image, at_s)[:FACES_PER_FRAME_MAX]
        if not requests:
            return
        self._store_crops(image, [each for each in requests if each.crop is not None], at_s)
        inputs = [each.input[..., ::-1] if each.face.flip_next else each.input for each in requests]
        for (face, _, _), row in zip(requests, self._logits(inputs), strict=True):
            face.n_passes += 1
            face.logits[face.flip_next] = row
            face.flip_next = not face.flip_next and True in self._orientations

    def _requests(self, image: RgbImage, at_s: float) -> list[_Request]:
        """Select the faces to predict: new and changed ones, outdated ones, and those without a flipped pass, longest
        waiting first. Stops after `FACES_PER_FRAME_MAX` changed ones, as cropping takes time."""
        contract = self.predictor.bundle.contract
        changed: list[_Request] = []
        outdated: list[_Request] = []
        second_pass: list[_Request] = []
        for face in sorted(self._faces, key=lambda each: each.predicted_s):
            if len(changed) == FACES_PER_FRAME_MAX:
                break
            is_old = at_s - face.predicted_s >= PREDICT_EVERY_S
            if face.thumbnail is None or is_old:
                crop = self.predictor.crop(image, face.face)
                pixels = contract.resize(crop)
                if not is_same(face.input, pixels):
                    changed.append(_Request(face, pixels, crop))
                    continue
                face.thumbnail = thumbnail(image, face.face.box)
                if is_old:
                    outdated.append(_Request(face, pixels, crop))
                    continue
            if face.input is not None and face.n_passes < len(self._orientations):
                second_pass.append(_Request(face, face.input, None))
        return changed + outdated + second_pass

    def _store_crops(self, image: RgbImage, requests: Sequence[_Request], at_s: float) -> None:
        """Store the crops that are predicted now, with their quality."""
        crops = [each.crop for each in requests if each.crop is not None]
        margin_01 = self.predictor.bundle.contract.crop_margin_01
        faces = [self._with_rotation(image, each.face, at_s) for each in requests]
        qualities = face_quality(image, faces, crops, margin_01)
        for (face, pixels, _), crop, quality in zip(requests, crops, qualities, strict=True):
            if at_s - face.predicted_s > TTA_WITHIN_S:
                face.logits = {}
            face.crop, face.quality = crop, quality
            face.input, face.n_passes, face.predicted_s = pixels, 0, at_s
            face.thumbnail = thumbnail(image, face.face.box)

    def _with_rotation(self, image: RgbImage, face: _Face, at_s: float) -> DetectedFace:
        """Add the result of the last rotation check to the detected face."""
        if at_s - face.rotation_checked_s >= ROTATION_CHECKED_EVERY_S:
            face.is_rotated, face.rotation_checked_s = is_rotated(self._detector, image, face.face), at_s
        return replace(face.face, is_rotated=face.is_rotated)

    def _logits(self, inputs: Sequence[_Input]) -> NDArray[np.float32]:
        bundle = self.predictor.bundle
        batch: NDArray[np.float32] = bundle.contract.normalize(np.stack(inputs).astype(np.float32))
        return bundle.logits(batch)
