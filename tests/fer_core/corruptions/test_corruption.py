"""Properties of all corruptions."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from fer_core.corruptions.corruption import CORRUPTIONS, SEVERITIES, Corruption, rng_for
from fer_core.data.synthetic.face import draw_face
from fer_core.errors import InputError
from fer_core.faces import RgbImage
from fer_core.labels import Expression

ALL_CORRUPTIONS = list(CORRUPTIONS.values())
each_corruption = pytest.mark.parametrize("corruption", ALL_CORRUPTIONS, ids=list(CORRUPTIONS))


def _faces(size_px: int = 48, gray: bool = False) -> list[RgbImage]:
    """Draw faces and crop them so that they fill the image."""
    faces = []
    for number, expression in enumerate(Expression):
        image = draw_face(expression, number, np.random.default_rng(number), 160)[25:130, 27:132]
        face = np.asarray(cv2.resize(image, (size_px, size_px), interpolation=cv2.INTER_AREA), np.uint8)
        faces.append(np.repeat(face[:, :, 1:2], 3, axis=2) if gray else face)
    return faces


@each_corruption
@pytest.mark.parametrize("shape", [(48, 48), (20, 20), (224, 224), (37, 61), (3, 2), (1, 1)])
def test_shape_and_type_are_kept_and_the_input_is_unchanged(corruption: Corruption, shape: tuple[int, int]) -> None:
    face = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    original = face.copy()
    for severity in range(SEVERITIES + 1):
        corrupted = corruption.apply(face, severity, rng_for(corruption.name, "a", 0))
        assert (corrupted.shape, corrupted.dtype) == (face.shape, np.uint8)
        assert not np.shares_memory(corrupted, face)
    np.testing.assert_array_equal(face, original)


@each_corruption
def test_severity_0_changes_nothing_and_higher_severities_change_more(corruption: Corruption) -> None:
    faces = _faces()
    distances = []
    for severity in range(SEVERITIES + 1):
        corrupted_faces = [
            corruption.apply(face, severity, rng_for(corruption.name, str(number), 0))
            for number, face in enumerate(faces)
        ]
        distances.append(
            np.mean([np.abs(s.astype(int) - f).mean() for s, f in zip(corrupted_faces, faces, strict=True)])
        )
    assert distances[0] == 0
    assert np.diff(distances).min() > 0, distances
    assert distances[-1] > 3


@each_corruption
def test_the_generator_determines_the_image(corruption: Corruption) -> None:
    face = _faces()[0]
    for severity in (1, SEVERITIES):
        first_image, second_image = (
            corruption.apply(face, severity, rng_for(corruption.name, "a", 0)) for _ in range(2)
        )
        np.testing.assert_array_equal(first_image, second_image)


@pytest.mark.parametrize("name", ["noise", "low-light", "side-light", "color-cast", "shift", "roll", "glasses", "hand"])
def test_images_and_seeds_get_different_corruptions(name: str) -> None:
    face, corruption = _faces()[0], CORRUPTIONS[name]
    by_image = {corruption.apply(face, 4, rng_for(name, str(image), 0)).tobytes() for image in range(12)}
    by_seed = {corruption.apply(face, 4, rng_for(name, "0", seed)).tobytes() for seed in range(12)}
    assert len(by_image) > 1
    assert len(by_seed) > 1


@each_corruption
def test_a_gray_face_stays_gray_except_with_a_color_cast(corruption: Corruption) -> None:
    for number, face in enumerate(_faces(gray=True)):
        corrupted = corruption.apply(face, 3, rng_for(corruption.name, str(number), 0)).astype(int)
        assert bool(np.ptp(corrupted, axis=2).any()) is (corruption.name == "color-cast")


@each_corruption
def test_parameters_are_monotonic_and_described(corruption: Corruption) -> None:
    steps = np.diff(corruption.parameters)
    assert len(corruption.parameters) == SEVERITIES
    assert (steps > 0).all() or (steps < 0).all()
    descriptions = [corruption.describe(severity) for severity in range(SEVERITIES + 1)]
    assert descriptions[0] == "clean"
    assert len(set(descriptions)) == SEVERITIES + 1
    assert not any("{" in description for description in descriptions)
    assert f"{corruption.parameters[0]:g} to {corruption.parameters[-1]:g}" in corruption.describe_range()


def test_names_and_titles_are_distinct() -> None:
    assert len({corruption.title for corruption in ALL_CORRUPTIONS}) == len(CORRUPTIONS) == 14
    assert all(corruption.name == name for name, corruption in CORRUPTIONS.items())
    assert 24 in CORRUPTIONS["resolution"].parameters
    assert 25 in CORRUPTIONS["roll"].parameters


@pytest.mark.parametrize(
    ("face", "message"),
    [
        (np.zeros((48, 48), np.uint8), r"uint8 of shape \(48, 48\)\. Repeat the channel of a gray"),
        (np.zeros((48, 48, 3), np.float32), "float32 of shape"),
        (np.zeros((48, 48, 4), np.uint8), r"\(48, 48, 4\)"),
        ([[1, 2], [3, 4]], "got list"),
        (np.zeros((0, 5, 3), np.uint8), "5x0 pixels"),
    ],
)
def test_other_types_and_shapes_are_refused(face: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        CORRUPTIONS["blur"].apply(face, 1, np.random.default_rng(0))


@pytest.mark.parametrize("severity", [-1, 6])
def test_an_unknown_severity_is_refused(severity: int) -> None:
    with pytest.raises(InputError, match=f"no severity {severity} of hand. Choose 0"):
        CORRUPTIONS["hand"].apply(_faces()[0], severity, np.random.default_rng(0))


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(InputError, match="seed=-1 is below 0"):
        rng_for("blur", "a", -1)
