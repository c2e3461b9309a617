"""Reading the faces of a running video: the whole frame is searched now and then, a face is followed in between, and
the network is asked about a face only when it has changed.

A face's aligned crop, as the network takes it, is held against the one that was read last. While it has hardly changed
the answer stays; once it has, the face is read in that very frame. The readings of a face are of it as it is and of its
mirror image by turns, and the mean of the last two logits holds: flip test-time augmentation, a pass a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.calibration import OperatingPoint
from fer_core.detection.detector import DetectedFace
from fer_core.detection.multi_scale import is_rotated
from fer_core.errors import DetectorError
from fer_core.faces import FaceBox, RgbImage
from fer_core.inference.face_quality import FaceQuality, face_quality
from fer_core.inference.predictor import FacePrediction, Predictor
from fer_core.live.region_search import detect_near
from fer_core.live.scene_change import SceneChangeDetector
from fer_core.live.smoothing import match_boxes

SEARCH_EVERY_S = 0.2
"""The whole frame is searched this often, and at once where a known face is lost, none is known, or something beside
the known faces has changed."""

READ_EVERY_S = 0.5
"""A face that does not change is read again after this all the same."""

ROTATION_CHECKED_EVERY_S = 1.0
"""A face that the detector is not sure of is looked at upside down and on its side this often."""

MEAN_WITHIN_S = 0.2
"""A reading is averaged with the one before, which was of the other orientation, if that is no older than this: on a
machine that reads fewer frames, smoothing over time averages them."""

CHANGED_01 = 0.15
"""A face has changed where a cell of its crop differs by more than this share of the crop's contrast. Measured:
docs/face-detection.md."""

FACES_AT_ONCE = 4
"""More faces than this are not read in one frame; the rest come next, those that waited longest first."""

_CELLS = 12
_PATCH_PX = 48
_CONTRAST_MIN = 8.0
"""Gray levels: in a flat crop the camera's noise is no change."""

_Planes = NDArray[np.uint8]
"""A crop in its contract's color and size; shape (channels, size_px, size_px)."""


@dataclass(slots=True)
class _Face:
    """A face in view.

    `crop` is the aligned crop that was read last (None before), `quality` how it is seen there, `planes` the crop as
    the network takes it, `passes` how often that was read; `logits` are the newest answers by whether it was mirrored.
    `patch` is what lies at its box since it looks as it was read last, None where it does not: holding that against the
    next frame takes a tenth of the time of cutting an aligned crop.
    """

    face: DetectedFace
    crop: RgbImage | None = None
    quality: FaceQuality | None = None
    planes: _Planes | None = None
    patch: _Planes | None = None
    passes: int = 0
    logits: dict[bool, NDArray[np.float32]] = field(default_factory=dict)
    read_s: float = float("-inf")
    next_mirrored: bool = False
    is_rotated: bool = False
    rotation_checked_s: float = float("-inf")

    @property
    def mean_logits(self) -> NDArray[np.float32]:
        """The mean of the answers; shape (classes,)."""
        mean: NDArray[np.float32] = np.mean(list(self.logits.values()), axis=0)
        return mean


class _Request(NamedTuple):
    """A reading that the network is asked for; `crop` is None where `planes` were read in the other orientation."""

    face: _Face
    planes: _Planes
    crop: RgbImage | None


class LivePredictor:
    """Reads frame after frame of one video with one model. Not thread-safe: one thread reads."""

    def __init__(self, predictor: Predictor) -> None:
        """Begin with nobody in view.

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
        self._reference: SceneChangeDetector | None = None
        self._shape: tuple[int, ...] = ()

    def predict(
        self, image: RgbImage, at_s: float, *, point: OperatingPoint = OperatingPoint.ACCURATE
    ) -> list[FacePrediction]:
        """Read the faces of the next frame.

        Args:
            image: uint8, shape (H, W, 3), RGB.
            at_s: when it was taken; never earlier than the one before.
            point: the operating point.
        Returns:
            a reading for each face in view, from left to right; a face that has to wait for its first one comes later.
        Raises:
            BundleError: the model failed.
        """
        if image.shape != self._shape:
            self._faces, self._shape = [], image.shape
        self._update_faces(image, at_s)
        self._predict_changed(image, at_s)
        return self._predictions(point)

    def _update_faces(self, image: RgbImage, at_s: float) -> None:
        """Bring the faces in view up to date. One whose crop has not changed stays exactly where it is, as a detector
        gives a slightly different box for each frame."""
        stays = [_is_same(each.patch, _patch(image, each.face.box)) for each in self._faces]
        found = self._track(image, stays) if self._can_track(image, at_s) else None
        if found is None:
            found = self._detect(image, stays)
            self._detected_s, self._reference = at_s, SceneChangeDetector(image)
        self._faces = sorted(found, key=lambda each: (each.face.box.x, each.face.box.y))

    def _can_track(self, image: RgbImage, at_s: float) -> bool:
        """Whether this frame's faces can be had without searching all of it."""
        if not self._faces or self._reference is None or at_s - self._detected_s >= SEARCH_EVERY_S:
            return False
        return not self._reference.has_changed(image, [each.face.box for each in self._faces])

    def _track(self, image: RgbImage, stays: Sequence[bool]) -> list[_Face] | None:
        """The faces where they are now, searched near where they were; None where one is lost."""
        moving = [each for each, stay in zip(self._faces, stays, strict=True) if not stay]
        if moving:
            faces = detect_near(self._detector, image, [each.face.box for each in moving])
            if faces is None or None in faces:
                return None
            for each, face in zip(moving, faces, strict=True):
                if face is not None:
                    each.face, each.patch = face, None
        return self._faces

    def _detect(self, image: RgbImage, stays: Sequence[bool]) -> list[_Face]:
        """The faces of the whole frame, each with what is known of it."""
        faces = self._detector.detect(image)
        known = match_boxes([each.face.box for each in self._faces], [face.box for face in faces])
        found = []
        for place, face in enumerate(faces):
            each = self._faces[known[place]] if place in known else _Face(face)
            if place not in known or not stays[known[place]]:
                each.face, each.patch = face, None
            found.append(each)
        return found

    def _predict_changed(self, image: RgbImage, at_s: float) -> None:
        """Ask the network about the faces that need it most, in one batch."""
        asked = self._requests(image, at_s)[:FACES_AT_ONCE]
        if not asked:
            return
        self._store_crops(image, [each for each in asked if each.crop is not None], at_s)
        shown = [each.planes[..., ::-1] if each.face.next_mirrored else each.planes for each in asked]
        for (face, _, _), row in zip(asked, self._logits(shown), strict=True):
            face.passes += 1
            face.logits[face.next_mirrored] = row
            face.next_mirrored = not face.next_mirrored and True in self._orientations

    def _requests(self, image: RgbImage, at_s: float) -> list[_Request]:
        """Which faces need a reading, most urgent first: new ones and changed ones, then those whose answer is old,
        then those that were not read mirrored yet; of each kind those that waited longest.

        Cutting a crop takes time, so it looks no further once `FACES_AT_ONCE` have changed.
        """
        contract = self.predictor.bundle.contract
        changed: list[_Request] = []
        aged: list[_Request] = []
        second_pass: list[_Request] = []
        for face in sorted(self._faces, key=lambda each: each.read_s):
            if len(changed) == FACES_AT_ONCE:
                break
            old = at_s - face.read_s >= READ_EVERY_S
            if face.patch is None or old:
                crop = self.predictor.crop(image, face.face)
                planes = contract.fit(crop)
                if not _is_same(face.planes, planes):
                    changed.append(_Request(face, planes, crop))
                    continue
                face.patch = _patch(image, face.face.box)
                if old:
                    aged.append(_Request(face, planes, crop))
                    continue
            if face.planes is not None and face.passes < len(self._orientations):
                second_pass.append(_Request(face, face.planes, None))
        return changed + aged + second_pass

    def _store_crops(self, image: RgbImage, anew: Sequence[_Request], at_s: float) -> None:
        """Note the crops that are read now, and how the faces are seen in them."""
        crops = [each.crop for each in anew if each.crop is not None]
        margin_01 = self.predictor.bundle.contract.crop_margin_01
        faces = [self._with_rotation(image, each.face, at_s) for each in anew]
        seen = face_quality(image, faces, crops, margin_01)
        for (face, planes, _), crop, quality in zip(anew, crops, seen, strict=True):
            if at_s - face.read_s > MEAN_WITHIN_S:
                face.logits = {}
            face.crop, face.quality = crop, quality
            face.planes, face.passes, face.read_s = planes, 0, at_s
            face.patch = _patch(image, face.face.box)

    def _with_rotation(self, image: RgbImage, face: _Face, at_s: float) -> DetectedFace:
        """What the detector found, and whether it is upside down or lies on its side, as of the last check."""
        if at_s - face.rotation_checked_s >= ROTATION_CHECKED_EVERY_S:
            face.is_rotated, face.rotation_checked_s = is_rotated(self._detector, image, face.face), at_s
        return replace(face.face, is_rotated=face.is_rotated)

    def _logits(self, planes: Sequence[_Planes]) -> NDArray[np.float32]:
        bundle = self.predictor.bundle
        batch: NDArray[np.float32] = bundle.contract.normalize(np.stack(planes).astype(np.float32))
        return bundle.logits(batch)

    def _predictions(self, point: OperatingPoint) -> list[FacePrediction]:
        known = [each for each in self._faces if each.logits]
        if not known:
            return []
        rows = self.predictor.bundle.calibration.probabilities(np.stack([each.mean_logits for each in known]), point)
        return [
            self.predictor.face_prediction(each.face, each.crop, row, point, each.quality)
            for each, row in zip(known, rows, strict=True)
            if each.crop is not None and each.quality is not None  # as they are once it was read
        ]


def _is_same(before: _Planes | None, after: _Planes) -> bool:
    return before is not None and crop_change_01(before, after) <= CHANGED_01


def _patch(image: RgbImage, box: FaceBox) -> _Planes:
    """What lies at a box, upright and coarse; uint8, shape (1, `_PATCH_PX`, `_PATCH_PX`), of the green levels."""
    step = max(1, min(box.width, box.height) // (2 * _PATCH_PX))
    top, left = max(box.y, 0), max(box.x, 0)
    inside = image[top : box.y + box.height : step, left : box.x + box.width : step, 1]
    if not inside.size:
        return np.zeros((1, _PATCH_PX, _PATCH_PX), np.uint8)
    small = cv2.resize(np.ascontiguousarray(inside), (_PATCH_PX, _PATCH_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)[None]


def crop_change_01(before: _Planes, after: _Planes) -> float:
    """How much a crop has changed where it has changed most: the mean difference within a cell, a twelfth of the side,
    as a share of the crop's contrast (the standard deviation of its levels).

    Args:
        before: uint8, shape (channels, S, S).
        after: the same.
    """
    differences = np.abs(before.astype(np.float32) - after.astype(np.float32)).mean(0)
    cells: Any = cv2.resize(differences, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    return float(cells.max() / max(float(before.std()), _CONTRAST_MIN))
