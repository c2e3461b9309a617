"""Reading faces: from a picture to an expression for each face in it, with how sure the model is and why not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fer_core.bundles.bundle import Bundle
from fer_core.detection.detector import DetectedFace, FaceDetector
from fer_core.detection.photo_search import search_photo
from fer_core.errors import DetectorError, FerscopeError, InputError
from fer_core.faces import FaceBox, RgbImage, crop_face
from fer_core.images.photo import DecodedImage, read_image
from fer_core.inference.abstention import WORDS, AbstainReason, abstain_reasons, best_two
from fer_core.inference.face_quality import FaceQuality, crop_quality, face_quality
from fer_core.labels import Expression
from fer_core.settings import Settings

FacesMode = Literal["detect", "whole"]
"""`detect`: look for faces. `whole`: the picture is a face crop already."""

NO_DETECTOR = "none"


@dataclass(frozen=True, slots=True, eq=False)
class FacePrediction:
    """How the model reads one face.

    `box` is in pixels of the picture. `detector_score` is the detector's, 0..1, None where nothing was
    detected (`detector` is then `none`). `reason` says in words why the reading is `uncertain`. `crop` is what
    the model saw before it was resized: uint8, shape (H, W, 3), RGB. `rotation_deg`: see `ImagePrediction`.
    `abstain_reasons` are the reasons as a program reads them, `seen` is what is measured of how the face is seen.
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
    seen: FaceQuality | None = None

    @property
    def sentence(self) -> str:
        """The reading in words fit for a person."""
        doubt = f", but is not sure: {self.reason}" if self.uncertain else ""
        return f"The model reads this face as {self.label} ({self.confidence:.0%}){doubt}."

    def to_json(self) -> dict[str, object]:
        """The reading as a JSON object; expressions by name."""
        return {
            "box": self.box.as_list(),
            "detector": self.detector,
            "detector_score": self.detector_score,
            "label": str(self.label),
            "confidence": self.confidence,
            "uncertain": self.uncertain,
            "reason": self.reason,
            "probabilities": {str(label): value for label, value in self.probabilities.items()},
            "reasons": [doubt.value for doubt in self.abstain_reasons],
        }


@dataclass(frozen=True, slots=True, eq=False)
class ImagePrediction:
    """What was read in one picture.

    `width`, `height` and the faces' boxes are in pixels of the file, upright. Where `error` is not empty the
    picture could not be read: there are no faces and no size then. Without an error and without faces, the
    detector found nobody. `rotation_deg` is by how much the picture was turned clockwise (0, 90, 180 or 270) to read
    it, where it lay on its side or stood on its head; boxes are of the picture as it is given all the same.
    """

    source: str
    width: int
    height: int
    notes: tuple[str, ...]
    error: str
    faces: tuple[FacePrediction, ...]
    rotation_deg: int = 0

    @classmethod
    def of(cls, image: DecodedImage, source: str, faces: Sequence[FacePrediction]) -> ImagePrediction:
        """Readings of the decoded pixels, moved to where they are in the file."""
        placed = tuple(replace(face, box=image.in_file(face.box)) for face in faces)
        rotation_deg = placed[0].rotation_deg if placed else 0
        return cls(source, image.width, image.height, image.notes, "", placed, rotation_deg)

    @property
    def rotation_note(self) -> str:
        """What was done to the picture, in words fit for a person; "" where it was read as it is."""
        words = {90: "lies on its side", 180: "is upside down", 270: "lies on its side"}
        if not self.rotation_deg:
            return ""
        return f"The picture {words[self.rotation_deg]}: its faces were read turned by {self.rotation_deg}° clockwise."

    def to_json(self) -> dict[str, object]:
        """The reading as the JSON object that `predict` prints."""
        return {
            "source": self.source,
            "width": self.width,
            "height": self.height,
            "error": self.error,
            "faces": [face.to_json() for face in self.faces],
            "rotation_deg": self.rotation_deg,
        }


class Predictor:
    """Reads the faces of pictures with one bundle and one detector.

    May be shared between threads: it keeps nothing between calls, a bundle is thread-safe, and a detector lets
    one thread in at a time.
    """

    def __init__(self, bundle: Bundle, detector: FaceDetector | None) -> None:
        """Join the two; without a detector only whole pictures can be read."""
        self.bundle = bundle
        self.detector = detector

    def read(self, image: RgbImage, *, point: str = "accurate", faces: str = "detect") -> list[FacePrediction]:
        """Read every face of a picture, from left to right. Faces are looked for once, at one size, which is quick
        enough for live video; `read_photo` looks more closely.

        Args:
            image: uint8, shape (H, W, 3), RGB.
            point: the operating point, `accurate` or `balanced`.
            faces: `detect`, or `whole` when the picture is a face crop: no margin is added then.
        Returns:
            A reading for each face; none if no face was found.
        Raises:
            InputError: there is no such point or mode.
            BundleError: the model failed.
            DetectorError: faces are to be detected and there is no detector.
        """
        return self._read(image, point, faces, lambda detector: detector.detect(image))

    def read_photo(self, image: RgbImage, *, point: str = "accurate", faces: str = "detect") -> list[FacePrediction]:
        """Read every face of a photograph, from left to right: far ones beside near ones, and in photographs that lie
        on their side or stand on their head; arguments and errors as `read`."""
        return self._read(image, point, faces, lambda detector: search_photo(detector, image))

    def _read(
        self, image: RgbImage, point: str, faces: str, find: Callable[[FaceDetector], list[DetectedFace]]
    ) -> list[FacePrediction]:
        if faces == "whole":
            return self._read_whole(image, point)
        if faces != "detect":
            raise InputError(f"Faces can't be had by {faces!r}. Choose one of: detect, whole.")
        if self.detector is None:
            raise DetectorError("There is no face detector. Open one, or read the picture as a whole.")
        return self.read_detected(image, find(self.detector), point=point)

    def read_detected(
        self, image: RgbImage, detected: Sequence[DetectedFace], *, point: str = "accurate"
    ) -> list[FacePrediction]:
        """Read faces that were found already, in one batch; arguments and errors as `read`, and:

        Raises:
            EmptyCropError: a box lies outside the picture.
        """
        crops = [self.crop(image, face) for face in detected]
        rows = self._probabilities(crops, point)
        evidence = face_quality(image, detected, crops, self.bundle.contract.crop_margin_01)
        return [
            self.reading(face, crop, row, point, seen)
            for face, crop, row, seen in zip(detected, crops, rows, evidence, strict=True)
        ]

    def crop(self, image: RgbImage, face: DetectedFace) -> RgbImage:
        """What the model sees of a found face before it is resized.

        Raises:
            EmptyCropError: the face lies outside the picture.
        """
        return crop_face(image, face.frame, self.bundle.contract.crop_margin_01)

    def reading(
        self, face: DetectedFace, crop: RgbImage, row: NDArray[np.float32], point: str, seen: FaceQuality
    ) -> FacePrediction:
        """How a found face is read, from its probabilities at an operating point, shape (classes,)."""
        name = self.detector.name if self.detector else NO_DETECTOR
        reading = self._reading(face.box, name, face.score_01, crop, row, point, seen)
        return replace(reading, rotation_deg=face.rotation_deg)

    def read_decoded(
        self, image: DecodedImage, source: str, *, point: str = "accurate", faces: str = "detect"
    ) -> ImagePrediction:
        """Read a decoded photograph; arguments and errors as `read`. Boxes are in pixels of the file."""
        return ImagePrediction.of(image, source, self.read_photo(image.pixels, point=point, faces=faces))

    def read_file(
        self,
        source: bytes | Path,
        name: str,
        settings: Settings,
        *,
        point: str = "accurate",
        faces: str = "detect",
    ) -> ImagePrediction:
        """Decode and read a file. What goes wrong is said in `error`; it never becomes a reading.

        Args:
            source: the file's content, or its path.
            name: what the reading calls it.
            settings: the limits of an image.
            point: see `read`.
            faces: see `read`.
        """
        try:
            decoded = read_image(source, settings, name=name)
            return self.read_decoded(decoded, name, point=point, faces=faces)
        except FerscopeError as exc:
            return ImagePrediction(name, 0, 0, (), str(exc), ())

    def _read_whole(self, image: RgbImage, point: str) -> list[FacePrediction]:
        height, width = image.shape[:2]
        (row,) = self._probabilities([image], point)
        box = FaceBox(0, 0, width, height)
        return [self._reading(box, NO_DETECTOR, None, image, row, point, crop_quality(image))]

    def _probabilities(self, crops: Sequence[RgbImage], point: str) -> NDArray[np.float32]:
        """float32, shape (N, classes), for any number of crops."""
        return self.bundle.probabilities(self.bundle.contract.apply_batch(crops), point)

    def _reading(
        self,
        box: FaceBox,
        detector: str,
        score: float | None,
        crop: RgbImage,
        row: NDArray[np.float32],
        point: str,
        seen: FaceQuality,
    ) -> FacePrediction:
        labels = self.bundle.contract.labels
        probabilities = {label: float(value) for label, value in zip(labels, row, strict=True)}
        best = labels[int(np.argmax(row))]
        limit = self.bundle.calibration.point(point).confidence_threshold
        found = abstain_reasons(seen, probabilities, limit)
        return FacePrediction(
            box,
            detector,
            score,
            best,
            probabilities[best],
            bool(found),
            _reason(found, seen, probabilities, limit),
            probabilities,
            crop,
            abstain_reasons=found,
            seen=seen,
        )


def _reason(
    found: Sequence[AbstainReason],
    seen: FaceQuality,
    probabilities: dict[Expression, float],
    confidence_threshold: float,
) -> str:
    """Why a reading can't be relied on, in words; nothing when it can."""
    (best, first), (second_best, _) = best_two(probabilities)
    words = {
        **WORDS,
        AbstainReason.SMALL_FACE: f"the face is only {seen.side_px} px wide",
        AbstainReason.BELOW_LIMIT: f"{first:.2f} is below the model's own limit of {confidence_threshold:.2f}",
        AbstainReason.TWO_CLOSE: f"the two best, {best} and {second_best}, are close",
    }
    return "; ".join(words[doubt] for doubt in found)
