"""The scripts of Live compute in a browser what Python computes."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page

from bench.support.videos import clip_frames
from fer_core.bundles.bundle import INT8_FILE, MODEL_FILE, Bundle
from fer_core.bundles.catalog import SHIPPED_FOLDER
from fer_core.calibration import OperatingPoint
from fer_core.contract import Contract
from fer_core.detection.yunet import YuNetDetector
from fer_core.faces import AlignedCrop, FaceBox, RgbImage, crop_face
from fer_core.inference.abstention import abstain_reasons
from fer_core.inference.face_quality import FaceQuality
from fer_core.inference.predictor import FacePrediction, Predictor
from fer_core.labels import Expression
from fer_core.live.browser_model import abstention_limits, browser_model
from fer_core.live.smoothing import FaceTracker
from tests.e2e.conftest import Launch
from tests.e2e.live.scripts_page import image_value, model_value, run_script
from tests.e2e.live.web_app import run_web_app

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

_CROPS = 200
_FRAMES = 12


@pytest.fixture(scope="module")
def noise() -> RgbImage:
    """A smooth random image, which shows differences between ways to interpolate."""
    coarse = np.random.default_rng(0).integers(0, 256, (62, 82, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC), np.uint8)


def test_crops_have_the_same_pixels(scripts_page: Page, noise: RgbImage) -> None:
    generator = np.random.default_rng(1)
    crops = [
        AlignedCrop(*map(float, generator.uniform((0, 0, 12), (320, 240, 160))), roll)
        for roll in (0.0, 0.0, 0.0, -38.5, -3.1, 0.4, 12.0, 44.9)
    ]
    values = [{"x": crop.x, "y": crop.y, "sidePx": crop.side_px, "rollDeg": crop.roll_deg} for crop in crops]
    script = """
        const { cropFace } = await load("inference/image.js");
        return crops.map((crop, i) => [...cropFace(toImage(image), crop, i % 2 ? 0.1 : 0).data]);"""
    found = run_script(scripts_page, script, image=image_value(noise), crops=values)
    for number, (crop, pixels) in enumerate(zip(crops, found, strict=True)):
        expected = crop_face(noise, crop, 0.1 if number % 2 else 0.0)
        np.testing.assert_array_equal(np.reshape(pixels, expected.shape), expected, err_msg=str(crop))


@pytest.mark.parametrize("color", ["gray", "rgb"])
@pytest.mark.parametrize("normalization", ["byte", "unit", "image", "channel"])
def test_the_contract_is_the_same(scripts_page: Page, noise: RgbImage, color: str, normalization: str) -> None:
    channels = {"gray": 1, "rgb": 3}[color]
    spread = {"mean": (0.4,) * channels, "std": (0.2,) * channels} if normalization == "channel" else {}
    contract = Contract.model_validate(
        {"color": color, "size_px": 48, "normalization": normalization, "labels": ["neutral", "fear"], **spread}
    )
    faces = [np.ascontiguousarray(noise[:side, 20 : 20 + side]) for side in (20, 31, 48, 49, 96, 150, 240)]
    script = """
        const { normalize, resizeCrop } = await load("inference/contract.js");
        return faces.map((face) => [...normalize(contract, resizeCrop(contract, toImage(face)))]);"""
    inputs = run_script(
        scripts_page, script, contract=contract.model_dump(mode="json"), faces=[*map(image_value, faces)]
    )
    for values, face in zip(inputs, faces, strict=True):
        np.testing.assert_allclose(values, contract.apply(face).ravel(), atol=1e-4, err_msg=str(face.shape))


def read_crops(page: Page, bundle: Bundle, yunet: Path, crops: Sequence[RgbImage], provider: str = "") -> Any:
    """Probabilities of crops in the browser; shape (N, classes)."""
    script = """
        const { openNetworks } = await load("inference/networks.js");
        const { normalize, probabilities, resizeCrop } = await load("inference/contract.js");
        const parts = await openNetworks(model, () => {}, provider);
        const rows = [];
        for (const crop of crops) {
            const input = normalize(parts.contract, resizeCrop(parts.contract, toImage(crop)));
            const [logits] = await parts.classify(input, 1);
            rows.push(probabilities(model.calibration, "balanced", logits));
        }
        return { rows, provider: parts.provider };"""
    model = model_value(page, browser_model(bundle, YuNetDetector(yunet), model_file=bundle.model_file))
    found = run_script(page, script, model=model, crops=[*map(image_value, crops)], provider=provider)
    assert not provider or found["provider"] == provider
    return np.array(found["rows"])


@pytest.mark.parametrize("model_file", [MODEL_FILE, INT8_FILE])
def test_real_crops_have_the_same_probabilities(
    scripts_page: Page, yunet_file: Path, test_data: Path, model_file: str
) -> None:
    crops = _read_crops(test_data / "ferplus.zip")
    bundle = Bundle.open(SHIPPED_FOLDER, model_file=model_file, flip_tta=False)
    found = read_crops(scripts_page, bundle, yunet_file, crops)
    expected = bundle.probabilities(bundle.contract.apply_batch(crops), OperatingPoint.BALANCED)
    assert found.shape == (_CROPS, 8)
    if model_file == MODEL_FILE:
        np.testing.assert_allclose(found, expected, atol=1e-3)
    assert (found.argmax(1) == expected.argmax(1)).mean() >= 0.99


def test_the_gpu_gives_the_same_probabilities(launch: Launch, yunet_file: Path, test_data: Path) -> None:
    """On the processor that plays a GPU, which is slow, but computes the same."""
    flags = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan")
    page = launch(*flags).new_page()
    with run_web_app() as url:
        page.goto(url)
        if not page.evaluate("async () => Boolean(await navigator.gpu?.requestAdapter())"):
            pytest.skip("This browser has no WebGPU.")
        crops = _read_crops(test_data / "ferplus.zip")[:3]
        bundle = Bundle.open(SHIPPED_FOLDER, model_file=MODEL_FILE, flip_tta=False)
        found = read_crops(page, bundle, yunet_file, crops, "WebGPU")
    expected = bundle.probabilities(bundle.contract.apply_batch(crops), OperatingPoint.BALANCED)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_frames_have_the_same_faces(scripts_page: Page, yunet_file: Path, test_data: Path) -> None:
    frames = [image for image, _ in clip_frames(test_data / "media" / "woman_turning_640x360_20s.mp4")]
    frames = frames[:: len(frames) // _FRAMES][:_FRAMES]
    bundle = Bundle.open(SHIPPED_FOLDER, model_file=INT8_FILE, flip_tta=False)
    detector = YuNetDetector(yunet_file)
    script = """
        const { openNetworks } = await load("inference/networks.js");
        const { LivePredictor } = await load("inference/live_predictor.js");
        const { abstainReasons } = await load("inference/face_quality.js");
        const { probabilities } = await load("inference/contract.js");
        const parts = await openNetworks(model);
        const found = [];
        for (const frame of frames) {
            const live = new LivePredictor({ ...parts, flipTta: false });
            const { predictions } = await live.predict(toImage(frame), 0, 5);
            found.push(predictions.map(({ box, logits, quality }) => {
                const values = probabilities(model.calibration, "accurate", logits);
                return { box, values, quality, reasons: abstainReasons(quality, values, threshold, model.limits) };
            }));
        }
        return found;"""
    threshold = bundle.calibration.points[OperatingPoint.ACCURATE].confidence_threshold
    model = model_value(scripts_page, browser_model(bundle, detector))
    found = run_script(scripts_page, script, model=model, frames=[*map(image_value, frames)], threshold=threshold)
    predictor, n_faces = Predictor(bundle, detector), 0
    for faces, frame in zip(found, frames, strict=True):
        expected = predictor.predict_faces(frame, detector.detect(frame))
        for face, prediction in zip(faces, expected, strict=True):
            n_faces += 1
            assert [*face["box"].values()] == prediction.box.as_list()
            assert face["values"] == pytest.approx([*prediction.probabilities.values()], abs=0.02)
            assert face["reasons"] == [*map(str, prediction.abstain_reasons)]
            assert prediction.quality is not None
            assert face["quality"] == pytest.approx(asdict(prediction.quality), abs=0.01)
    assert n_faces >= _FRAMES - 2


def test_faces_are_tracked_the_same(scripts_page: Page) -> None:
    frames = [*_moving_faces()]
    script = """
        const { FaceTracker } = await load("tracking/tracker.js");
        const { abstainReasons } = await load("inference/face_quality.js");
        const tracker = new FaceTracker();
        const reasons = (quality, values) => abstainReasons(quality, values, 0.6, limits);
        return frames.map(([at, readings]) => tracker.update(readings, at, reasons).map(
            ({ id, box, label, reasons: [reason], probabilities }) => ({ id, box, label, reason, probabilities })));"""
    values = [(at_s, [_reading(each) for each in predictions]) for at_s, predictions in frames]
    found = run_script(scripts_page, script, frames=values, limits=abstention_limits())
    tracker, labels = FaceTracker(), [*frames[0][1][0].probabilities]
    for (at_s, predictions), faces in zip(frames, found, strict=True):
        expected = tracker.update(predictions, at_s, confidence_threshold=0.6)
        assert [face["id"] for face in faces] == [face.track_id for face in expected]
        for face, tracked in zip(faces, expected, strict=True):
            assert labels[face["label"]] is tracked.label
            assert face.get("reason") == tracked.main_reason
            assert face["probabilities"] == pytest.approx([*tracked.probabilities.values()])
            assert [*face["box"].values()] == pytest.approx(tracked.box.as_list(), abs=1.5)


def _read_crops(archive: Path) -> list[RgbImage]:
    """Faces of FER+ in sizes from 30 to 150 pixels, in color."""
    with zipfile.ZipFile(archive) as files:
        names = [name for name in sorted(files.namelist()) if name.startswith("FER2013Valid/") and name.endswith("png")]
        images = [cv2.imdecode(np.frombuffer(files.read(name), np.uint8), 1) for name in names[:_CROPS]]
    sides = np.random.default_rng(2).integers(30, 150, len(images))
    return [np.asarray(cv2.resize(image, (side, side)), np.uint8) for image, side in zip(images, sides, strict=True)]


def _moving_faces() -> Iterator[tuple[float, Sequence[FacePrediction]]]:
    """Two faces that cross, change their expression, are covered and get out of sight for a while."""
    generator = np.random.default_rng(3)
    for step in range(90):
        boxes = [FaceBox(20 + 4 * step, 40, 90, 100), FaceBox(420 - 3 * step, 120 + step % 3, 70, 76)]
        faces = []
        for number, box in enumerate(boxes):
            if number == 1 and 30 <= step < 42:
                continue
            happiness = 0.9 if (step // 25 + number) % 2 else 0.05
            row = np.clip(generator.normal([0.1, happiness, 0.2], 0.08), 0.01, 1)
            values = dict(
                zip((Expression.NEUTRAL, Expression.HAPPINESS, Expression.FEAR), row / row.sum(), strict=True)
            )
            quality = FaceQuality(box.width, mouth_occluded_01=0.95 if 55 <= step < 70 else 0.0)
            label = max(values, key=lambda key: values[key])
            reasons = abstain_reasons(quality, values, 0.6)
            pixels = np.zeros((8, 8, 3), np.uint8)
            prediction = FacePrediction(
                *(
                    box,
                    "yunet",
                    0.9,
                    label,
                    float(values[label]),
                    bool(reasons),
                    "",
                    {k: float(v) for k, v in values.items()},
                ),
                pixels,
                quality=quality,
            )
            faces.append(prediction)
        yield step / 15, faces


def _reading(prediction: FacePrediction) -> dict[str, Any]:
    assert prediction.quality is not None
    box = dict(zip(("x", "y", "width", "height"), prediction.box.as_list(), strict=True))
    return {"box": box, "probabilities": [*prediction.probabilities.values()], "quality": asdict(prediction.quality)}
