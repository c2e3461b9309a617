from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
from PIL import Image

from fer_core.bundles.bundle import Bundle
from fer_core.calibration import OperatingPoint
from fer_core.detection.detector import DetectedFace
from fer_core.detection.multi_scale import detect_in_photo
from fer_core.detection.yunet import YuNetDetector
from fer_core.errors import DetectorError, InputError
from fer_core.faces import FaceBox, RgbImage, crop_face
from fer_core.images.photo import read_image
from fer_core.inference.abstention import AbstainReason
from fer_core.inference.predictor import Predictor
from fer_core.labels import Expression
from fer_core.settings import Settings

MakeBundle = Callable[..., Path]
LIMITS = Settings()


@dataclass
class FixedDetector:
    """A detector that finds the same boxes in every image."""

    boxes: tuple[FaceBox, ...]
    name: str = "yunet"
    images: list[RgbImage] = field(default_factory=list)

    def detect(self, image: RgbImage, *, side_px: int = 640) -> list[DetectedFace]:
        self.images.append(image)
        return [DetectedFace(box, 0.9, None) for box in self.boxes]


def red_green_image() -> RgbImage:
    """Left half red (neutral), right half green (happiness)."""
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, :100, 0] = 255
    image[:, 100:, 1] = 255
    return image


def encode_png(image: RgbImage) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


LEFT, RIGHT = FaceBox(20, 20, 40, 40), FaceBox(130, 20, 40, 40)


def test_each_face_is_predicted_from_its_own_crop(make_bundle: MakeBundle) -> None:
    left, right = Predictor(Bundle.open(make_bundle()), FixedDetector((LEFT, RIGHT))).predict_image(red_green_image())
    assert (left.box, left.label) == (LEFT, Expression.NEUTRAL)
    assert (right.box, right.label) == (RIGHT, Expression.HAPPINESS)
    expected_confidence = np.exp(8) / (np.exp(8) + 2)
    assert left.confidence == pytest.approx(expected_confidence, abs=1e-5)
    assert left.confidence == left.probabilities[Expression.NEUTRAL]
    assert sum(left.probabilities.values()) == pytest.approx(1, abs=1e-6)
    assert (left.detector, left.detector_score) == ("yunet", 0.9)
    assert (left.uncertain, left.reason) == (False, "")


def test_the_crop_has_the_contracts_margin(make_bundle: MakeBundle) -> None:
    predictor = Predictor(Bundle.open(make_bundle(margin_01=0.25)), FixedDetector((LEFT,)))
    (prediction,) = predictor.predict_image(red_green_image())
    (detected,) = FixedDetector((LEFT,)).detect(red_green_image())
    np.testing.assert_array_equal(prediction.crop, crop_face(red_green_image(), detected.aligned_crop, 0.25))
    assert prediction.crop.shape[0] == round(detected.aligned_crop.side_px * 1.5)


def test_a_rotated_face_is_predicted_upright_and_keeps_its_box(make_bundle: MakeBundle) -> None:
    eyes_and_mouth = np.array([[30, 30], [50, 37], [38, 40], [30, 50], [45, 55]], np.float32)
    face = DetectedFace(LEFT, 0.9, eyes_and_mouth)
    assert face.aligned_crop.roll_deg > 15
    image = np.random.default_rng(0).integers(0, 255, (100, 200, 3)).astype(np.uint8)
    (prediction,) = Predictor(Bundle.open(make_bundle()), FixedDetector(())).predict_faces(image, [face])
    np.testing.assert_array_equal(prediction.crop, crop_face(image, face.aligned_crop, 0.0))
    assert prediction.box == LEFT


def test_a_whole_image_matches_contract_and_session(make_bundle: MakeBundle) -> None:
    folder = make_bundle(margin_01=0.25)
    bundle = Bundle.open(folder)
    crop = np.random.default_rng(0).integers(0, 255, (57, 43, 3)).astype(np.uint8)
    (prediction,) = Predictor(bundle, None).predict_image(crop, faces="whole")
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    logits = session.run(["logits"], {"faces": bundle.contract.apply(crop)[None]})[0][0].astype(float)
    expected_probabilities = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(list(prediction.probabilities.values()), expected_probabilities, atol=1e-6)
    assert (prediction.box, prediction.detector, prediction.detector_score) == (FaceBox(0, 0, 43, 57), "none", None)
    np.testing.assert_array_equal(prediction.crop, crop)


def test_file_bytes_and_pixels_give_the_same_predictions(make_bundle: MakeBundle, tmp_path: Path) -> None:
    predictor = Predictor(Bundle.open(make_bundle()), FixedDetector((LEFT, RIGHT)))
    path = tmp_path / "halves.png"
    path.write_bytes(encode_png(red_green_image()))
    predictions = [
        predictor.predict_file(path, "a", LIMITS).faces,
        predictor.predict_file(path.read_bytes(), "b", LIMITS).faces,
        predictor.predict_image(red_green_image()),
        predictor.predict_faces(red_green_image(), FixedDetector((LEFT, RIGHT)).detect(red_green_image())),
    ]
    tables = [[face.probabilities for face in faces] for faces in predictions]
    assert all(table == tables[0] for table in tables)


def test_the_operating_point_changes_the_prediction(make_bundle: MakeBundle) -> None:
    gray = np.full((40, 40, 3), 120, np.uint8)
    predictor = Predictor(Bundle.open(make_bundle(tau=1.0)), None)
    (accurate,) = predictor.predict_image(gray, faces="whole")
    (balanced,) = predictor.predict_image(gray, faces="whole", point=OperatingPoint.BALANCED)
    assert accurate.confidence == pytest.approx(1 / 3, abs=1e-6)
    assert balanced.label is Expression.SADNESS
    assert balanced.confidence == pytest.approx(10 / (10 + 1 / 0.3 + 1 / 0.6), abs=1e-5)


def test_a_small_face_is_uncertain(make_bundle: MakeBundle) -> None:
    predictor = Predictor(
        Bundle.open(make_bundle()), FixedDetector((FaceBox(20, 20, 18, 25), FaceBox(120, 20, 20, 20)))
    )
    small_face, large_face = predictor.predict_image(red_green_image())
    assert (small_face.uncertain, small_face.reason) == (True, "the face is only 18 px wide")
    assert small_face.sentence == (
        "The model reads this face as neutral (100%), but is not sure: the face is only 18 px wide."
    )
    assert not large_face.uncertain
    assert large_face.sentence == "The model reads this face as happiness (100%)."


def test_a_truncated_face_is_uncertain_with_its_reason(make_bundle: MakeBundle) -> None:
    predictor = Predictor(Bundle.open(make_bundle()), FixedDetector((FaceBox(20, 80, 40, 40), RIGHT)))
    truncated, inside_face = predictor.predict_image(red_green_image())
    assert (truncated.label, truncated.uncertain) == (Expression.NEUTRAL, True)
    assert truncated.reason == "the face is cut off by the picture's edge"
    assert truncated.to_json()["reasons"] == ["truncated"]
    assert (inside_face.uncertain, inside_face.to_json()["reasons"]) == (False, [])


def test_a_blurred_crop_is_uncertain_without_a_box(make_bundle: MakeBundle) -> None:
    rng = np.random.default_rng(0)
    blurred = cv2.resize(rng.integers(0, 255, (6, 6, 3)).astype(np.uint8), (96, 96), interpolation=cv2.INTER_CUBIC)
    (prediction,) = Predictor(Bundle.open(make_bundle()), None).predict_image(
        np.asarray(blurred, np.uint8), faces="whole"
    )
    assert AbstainReason.BLURRED in prediction.abstain_reasons
    assert "the face is too blurred" in prediction.reason


def test_ambiguous_and_low_confidence_predictions_are_explained(make_bundle: MakeBundle) -> None:
    crop = np.zeros((40, 40, 3), np.uint8)
    crop[..., 0], crop[..., 1] = 130, 131
    (prediction,) = Predictor(Bundle.open(make_bundle(confidence_threshold=0.6)), None).predict_image(
        crop, faces="whole"
    )
    assert prediction.uncertain
    assert prediction.reason == ("50.4 % is below the 60.0 % needed; the two best, happiness and neutral, are close")


def test_an_image_without_a_face_has_no_prediction_and_no_error(make_bundle: MakeBundle) -> None:
    prediction = Predictor(Bundle.open(make_bundle()), FixedDetector(())).predict_file(
        encode_png(red_green_image()), "empty.png", LIMITS
    )
    assert prediction.to_json() == {
        "source": "empty.png",
        "width": 200,
        "height": 100,
        "error": "",
        "faces": [],
        "rotation_deg": 0,
    }


def test_a_failure_is_an_error_without_a_prediction(make_bundle: MakeBundle, tmp_path: Path) -> None:
    predictor = Predictor(Bundle.open(make_bundle()), FixedDetector((LEFT,)))
    for source in (b"", b"text", encode_png(red_green_image())[:200], tmp_path / "missing.png"):
        prediction = predictor.predict_file(source, "bad.png", LIMITS, faces="whole")
        assert prediction.faces == ()
        assert prediction.error.startswith("bad.png ")
        assert (prediction.width, prediction.height) == (0, 0)


def test_the_json_has_the_documented_keys(make_bundle: MakeBundle) -> None:
    predictor = Predictor(Bundle.open(make_bundle()), FixedDetector((LEFT,)))
    line = json.loads(
        json.dumps(
            predictor.predict_file(encode_png(red_green_image()), "halves.png", LIMITS).to_json(), allow_nan=False
        )
    )
    assert list(line) == ["source", "width", "height", "error", "faces", "rotation_deg"]
    (face,) = line["faces"]
    assert list(face) == [
        "box",
        "detector",
        "detector_score",
        "label",
        "confidence",
        "uncertain",
        "reason",
        "probabilities",
        "reasons",
    ]
    assert face["box"] == [20, 20, 40, 40]
    assert face["label"] == "neutral"
    assert list(face["probabilities"]) == ["neutral", "happiness", "sadness"]


def test_boxes_of_a_scaled_image_are_in_pixels_of_the_file(make_bundle: MakeBundle) -> None:
    large = np.array(Image.fromarray(red_green_image()).resize((8192, 4096), Image.Resampling.NEAREST))
    detector = FixedDetector((FaceBox(100, 200, 300, 400),))
    prediction = Predictor(Bundle.open(make_bundle()), detector).predict_file(encode_png(large), "large.png", LIMITS)
    assert detector.images[0].shape == (2048, 4096, 3)
    assert (prediction.width, prediction.height) == (8192, 4096)
    assert prediction.faces[0].box == FaceBox(200, 400, 600, 800)
    (detected,) = detector.detect(large)
    assert prediction.faces[0].crop.shape == (
        round(detected.aligned_crop.side_px),
        round(detected.aligned_crop.side_px),
        3,
    )
    assert prediction.notes == ("scaled from 8192x4096 to 4096x2048 for analysis",)


def test_invalid_options_are_refused(make_bundle: MakeBundle) -> None:
    predictor = Predictor(Bundle.open(make_bundle()), FixedDetector(()))
    with pytest.raises(InputError, match="Choose one of: detect, whole"):
        predictor.predict_image(red_green_image(), faces="all")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Choose one of: accurate, balanced"):
        OperatingPoint.parse("fair")
    with pytest.raises(DetectorError, match="no face detector"):
        Predictor(predictor.bundle, None).predict_image(red_green_image())


@pytest.mark.parametrize(
    ("name", "face_count"),
    [("five_people_1000x667.jpg", 5), ("speaker_rgba_626x1200.png", 1), ("cartoon_no_face_199x148.jpg", 0)],
)
def test_photos_are_predicted_face_by_face(
    make_bundle: MakeBundle, test_data: Path, yunet_file: Path, name: str, face_count: int
) -> None:
    predictor = Predictor(Bundle.open(make_bundle()), YuNetDetector(yunet_file))
    path = test_data / "media" / name
    prediction = predictor.predict_file(path, name, LIMITS)
    assert prediction.error == ""
    assert len(prediction.faces) == face_count
    pixels = read_image(path, LIMITS).pixels
    for face, detected in zip(prediction.faces, detect_in_photo(YuNetDetector(yunet_file), pixels), strict=True):
        assert face.box == detected.box
        (single,) = predictor.predict_image(crop_face(pixels, detected.aligned_crop, 0.0), faces="whole")
        assert list(single.probabilities.values()) == pytest.approx(list(face.probabilities.values()), abs=1e-5)


def test_prediction_loads_no_training_packages() -> None:
    code = (
        "import sys, fer_core\n"
        "assert not {'cv2', 'onnxruntime', 'PIL', 'numpy'} & set(sys.modules)\n"
        "import fer_core.inference.predictor, fer_core.bundles.verification\n"
        "assert not {'torch', 'sklearn', 'streamlit', 'plotly', 'onnx', 'pandas'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
