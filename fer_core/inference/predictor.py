"""Detect the faces of an image and classify their expressions, with confidence and reasons to abstain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fer_core.bundles.bundle import Bundle
from fer_core.calibration import OperatingPoint
from fer_core.detection.detector import DetectedFace, FaceDetector
from fer_core.detection.multi_scale import detect_in_photo
from fer_core.errors import DetectorError, FerscopeError, InputError
from fer_core.faces import FaceBox, RgbImage, crop_face
from fer_core.images.photo import Photo, read_image
from fer_core.inference.abstention import (
    REASON_TEXTS,
    AbstainReason,
    abstain_reasons,
    describe_low_confidence,
    top_two,
)
from fer_core.inference.face_quality import FaceQuality, crop_quality, face_quality
from fer_core.labels import Expression
from fer_core.settings import Settings

FacesMode = Literal["detect", "whole"]
"""`detect` faces, or take the `whole` image as a face crop."""

NO_DETECTOR = "none"


@dataclass(frozen=True, slots=True, eq=False)
class FacePrediction:
    """The model's prediction for one face.

    Attributes:
        box: in pixels of the image.
        detector: its name; `none` for a face crop.
        detector_score: 0..1, comparable between faces of one detector; None for a face crop.
        label: the expression of highest probability.
        confidence: its probability.
        uncertain: whether the model abstains.
        reason: the reasons as text.
        probabilities: of all expressions of the model; they sum to 1.
        crop: before resizing; uint8, shape (H, W, 3), RGB.
        rotation_deg: see `ImagePrediction`.
    """

    box: FaceBox
    detector: str
    detector_score: float | None
    label: Expression
    confidence: float
    uncertain: bool
    reason: str
    probabilities: dict[Expression, float]
    crop: RgbImage
    rotation_deg: int = 0
    abstain_reasons: tuple[AbstainReason, ...] = ()
    quality: FaceQuality | None = None

    @property
    def sentence(self) -> str:
        """The prediction as a sentence."""
        uncertainty = f", but is not sure: {self.reason}" if self.uncertain else ""
        return f"The model reads this face as {self.label} ({self.confidence:.0%}){uncertainty}."

    def to_json(self) -> dict[str, object]:
        """Convert to a JSON object."""
        return {
            "box": self.box.as_list(),
            "detector": self.detector,
            "detector_score": self.detector_score,
            "label": str(self.label),
            "confidence": self.confidence,
            "uncertain": self.uncertain,
            "reason": self.reason,
            "probabilities": {str(label): value for label, value in self.probabilities.items()},
            "reasons": [reason.value for reason in self.abstain_reasons],
        }


@dataclass(frozen=True, slots=True, eq=False)
class ImagePrediction:
    """The predictions for the faces of one image.

    Attributes:
        source: the image's name.
        width: of the upright file in pixels; 0 if it could not be decoded.
        height: as `width`.
        notes: conversions while decoding, as texts for the user.
        error: why the image could not be predicted; empty if it could, even without faces.
        faces: sorted left to right, boxes in pixels of the file.
        rotation_deg: clockwise rotation of the image (0, 90, 180 or 270) in which its faces were found upright; boxes
            are of the image without it.
        photo: the decoded image; None after an error.
    """

    source: str
    width: int
    height: int
    notes: tuple[str, ...]
    error: str
    faces: tuple[FacePrediction, ...]
    rotation_deg: int = 0
    photo: Photo | None = None

    @classmethod
    def failed(cls, source: str, error: str) -> ImagePrediction:
        """Create the result for an image that could not be read."""
        return cls(source, 0, 0, (), error, ())

    @property
    def rotation_note(self) -> str:
        """Text about the rotation; empty without one."""
        pose = {90: "lies on its side", 180: "is upside down", 270: "lies on its side"}
        if not self.rotation_deg:
            return ""
        return f"The image {pose[self.rotation_deg]}: it was rotated by {self.rotation_deg}° clockwise."

    def to_json(self) -> dict[str, object]:
        """Convert to a JSON object, as `predict --json` prints it."""
        return {
            "source": self.source,
            "width": self.width,
            "height": self.height,
            "error": self.error,
            "faces": [face.to_json() for face in self.faces],
            "rotation_deg": self.rotation_deg,
        }


class Predictor:
    """Predicts the expressions of faces with a bundle and a detector. Stateless and thread-safe."""

    def __init__(self, bundle: Bundle, detector: FaceDetector | None) -> None:
        """Without a detector only face crops can be predicted."""
        self.bundle = bundle
        self.detector = detector

    def predict_file(
        self,
        source: bytes | Path,
        name: str,
        settings: Settings,
        *,
        point: OperatingPoint = OperatingPoint.ACCURATE,
        faces: FacesMode = "detect",
    ) -> ImagePrediction:
        """Decode an image file and predict its faces; errors are returned in `error`.

        Args:
            source: the file's content, or its path.
            name: of the image in the result.
            settings: the limits of an image.
        """
        try:
            image = read_image(source, settings, name=name)
            predictions = self.predict_image(image.pixels, point=point, faces=faces)
        except FerscopeError as exc:
            return ImagePrediction.failed(name, str(exc))
        to_file_box = tuple(replace(face, box=image.to_file_box(face.box)) for face in predictions)
        rotation_deg = predictions[0].rotation_deg if predictions else 0
        return ImagePrediction(name, image.width, image.height, image.notes, "", to_file_box, rotation_deg, image)

    def predict_image(
        self, image: RgbImage, *, point: OperatingPoint = OperatingPoint.ACCURATE, faces: FacesMode = "detect"
    ) -> list[FacePrediction]:
        """Predict the faces of a photo at any scale and rotation, sorted left to right.

        Args:
            image: uint8, shape (H, W, 3), RGB.
            faces: with `whole` no margin is added.
        Raises:
            InputError: there is no such mode.
            BundleError: the model failed.
            DetectorError: there is no detector.
        """
        if faces == "whole":
            return [self._predict_crop(image, point)]
        if faces != "detect":
            raise InputError(f"Faces can't be found by {faces!r}. Choose one of: detect, whole.")
        if self.detector is None:
            raise DetectorError("There is no face detector. Open one, or take the whole image as a face.")
        return self.predict_faces(image, detect_in_photo(self.detector, image), point=point)

    def predict_faces(
        self, image: RgbImage, detected: Sequence[DetectedFace], *, point: OperatingPoint = OperatingPoint.ACCURATE
    ) -> list[FacePrediction]:
        """Predict detected faces in one batch.

        Args:
            image: uint8, shape (H, W, 3), RGB.
        Raises:
            EmptyCropError: a face lies outside the image.
            BundleError: the model failed.
        """
        crops = [self.crop(image, face) for face in detected]
        probabilities = self._probabilities(crops, point)
        qualities = face_quality(image, detected, crops, self.bundle.contract.crop_margin_01)
        return [
            self.face_prediction(face, crop, row, point, quality)
            for face, crop, row, quality in zip(detected, crops, probabilities, qualities, strict=True)
        ]

    def crop(self, image: RgbImage, face: DetectedFace) -> RgbImage:
        """Crop a face with the contract's margin.

        Raises:
            EmptyCropError: the face lies outside the image.
        """
        return crop_face(image, face.aligned_crop, self.bundle.contract.crop_margin_01)

    def face_prediction(
        self,
        face: DetectedFace,
        crop: RgbImage,
        probabilities: NDArray[np.float32],
        point: OperatingPoint,
        quality: FaceQuality,
    ) -> FacePrediction:
        """Build the prediction for a detected face from its probabilities at an operating point, shape (classes,)."""
        detector = self.detector.name if self.detector else NO_DETECTOR
        prediction = self._build(face.box, detector, face.score_01, crop, probabilities, point, quality)
        return replace(prediction, rotation_deg=face.rotation_deg)

    def _predict_crop(self, crop: RgbImage, point: OperatingPoint) -> FacePrediction:
        height, width = crop.shape[:2]
        (probabilities,) = self._probabilities([crop], point)
        box = FaceBox(0, 0, width, height)
        return self._build(box, NO_DETECTOR, None, crop, probabilities, point, crop_quality(crop))

    def _probabilities(self, crops: Sequence[RgbImage], point: OperatingPoint) -> NDArray[np.float32]:
        return self.bundle.probabilities(self.bundle.contract.apply_batch(crops), point)

    def _build(
        self,
        box: FaceBox,
        detector: str,
        detector_score: float | None,
        crop: RgbImage,
        row: NDArray[np.float32],
        point: OperatingPoint,
        quality: FaceQuality,
    ) -> FacePrediction:
        labels = self.bundle.contract.labels
        probabilities = {label: float(value) for label, value in zip(labels, row, strict=True)}
        label = labels[int(np.argmax(row))]
        threshold = self.bundle.calibration.points[point].confidence_threshold
        reasons = abstain_reasons(quality, probabilities, threshold)
        return FacePrediction(
            box,
            detector,
            detector_score,
            label,
            probabilities[label],
            bool(reasons),
            _describe(reasons, quality, probabilities, threshold),
            probabilities,
            crop,
            abstain_reasons=reasons,
            quality=quality,
        )


def _describe(
    reasons: Sequence[AbstainReason],
    quality: FaceQuality,
    probabilities: Mapping[Expression, float],
    confidence_threshold: float,
) -> str:
    (best, first), (second_best, _) = top_two(probabilities)
    texts = {
        **REASON_TEXTS,
        AbstainReason.SMALL_FACE: f"the face is only {quality.side_px} px wide",
        AbstainReason.LOW_CONFIDENCE: describe_low_confidence(first, confidence_threshold),
        AbstainReason.SMALL_MARGIN: f"the two best, {best} and {second_best}, are close",
    }
    return "; ".join(texts[reason] for reason in reasons)
