from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from fer_core.data.synthetic.action_units import PROTOTYPES, ActionUnits, sample_action_units
from fer_core.data.synthetic.face import draw_face
from fer_core.data.synthetic.features import mouth_shape
from fer_core.data.synthetic.identities import SKIN_TONES, Identity
from fer_core.errors import InputError
from fer_core.faces import RgbImage
from fer_core.labels import Expression


def _face(expression: Expression, identity: int | Identity, seed: int = 0, size_px: int = 96) -> RgbImage:
    return draw_face(expression, identity, np.random.default_rng(seed), size_px)


@pytest.mark.parametrize("size_px", [32, 48, 96, 224])
def test_a_face_has_the_requested_size(size_px: int) -> None:
    face = _face(Expression.HAPPINESS, 3, size_px=size_px)
    assert face.shape == (size_px, size_px, 3)
    assert face.dtype == np.uint8
    assert face.flags.c_contiguous
    assert face.std() > 10


@pytest.mark.parametrize("expression", Expression)
def test_the_face_depends_on_seed_and_identity(expression: Expression) -> None:
    assert np.array_equal(_face(expression, 7, 1), _face(expression, 7, 1))
    assert not np.array_equal(_face(expression, 7, 1), _face(expression, 7, 2))
    assert not np.array_equal(_face(expression, 7, 1), _face(expression, 8, 1))


def test_an_identity_can_be_given_by_its_seed() -> None:
    person = Identity.sample(np.random.default_rng(11))
    assert np.array_equal(_face(Expression.FEAR, 11), _face(Expression.FEAR, person))


def test_expressions_differ_visibly_and_only_inside_the_face() -> None:
    faces = {label: _face(label, 21, 5).astype(float) for label in Expression}
    for first in Expression:
        for second in Expression:
            if first < second:
                change = np.abs(faces[first] - faces[second]).max(axis=2)
                assert (change > 20).mean() > 0.008, (first, second)
                assert change[:6].max() == change[:, :6].max() == 0, "the backdrop depends on the expression"


def test_the_head_fills_the_center_of_the_image() -> None:
    """Changing only the skin tone changes the central part of the image, but not its edges."""
    rows, columns = np.zeros(96, bool), np.zeros(96, bool)
    for seed in range(8):
        person = Identity.sample(np.random.default_rng(seed))
        darker = dataclasses.replace(person, skin=person.skin * 0.6)
        changed = (
            np.abs(_face(Expression.NEUTRAL, person, seed) - _face(Expression.NEUTRAL, darker, seed) * 1.0) > 8
        ).any(2)
        rows |= changed.any(1)
        columns |= changed.any(0)
    assert not rows[:6].any()
    assert not columns[:4].any()
    assert not columns[-4:].any()
    assert rows[24:72].all()
    assert columns[24:72].all()


def test_skin_tones_are_uniform_and_independent_of_other_traits() -> None:
    people = [Identity.sample(np.random.default_rng(seed)) for seed in range(600)]
    lightness = np.array([person.skin.mean() for person in people])
    tone_lightness = np.array([np.mean(tone) for tone in SKIN_TONES])
    thirds = np.histogram(lightness, bins=[0, tone_lightness[6], tone_lightness[3], 256])[0] / len(people)
    assert thirds == pytest.approx([2 / 8, 3 / 8, 3 / 8], abs=0.06)
    for trait in ("head_width", "eye_open", "mouth_width", "mouth_curve", "brow_gap"):
        assert abs(np.corrcoef(lightness, [getattr(person, trait) for person in people])[0, 1]) < 0.15, trait


@pytest.mark.parametrize("tone", SKIN_TONES)
def test_features_are_visible_on_every_skin_tone(tone: tuple[int, int, int]) -> None:
    person = Identity.sample(np.random.default_rng(4))
    person = dataclasses.replace(person, skin=np.array(tone, float))
    skin_gray = np.dot(tone, (0.299, 0.587, 0.114))
    neutral = cv2.cvtColor(_face(Expression.NEUTRAL, person, 9), cv2.COLOR_RGB2GRAY).astype(float)
    for label in (Expression.HAPPINESS, Expression.SURPRISE, Expression.ANGER):
        gray = cv2.cvtColor(_face(label, person, 9), cv2.COLOR_RGB2GRAY).astype(float)
        assert (np.abs(gray - neutral) > 0.12 * skin_gray).mean() > 0.012, label


def test_action_units_are_in_range_and_use_the_same_number_of_random_values() -> None:
    next_values = set()
    for label in Expression:
        rng = np.random.default_rng(3)
        for _ in range(40):
            assert all(0 <= level <= 1 for level in sample_action_units(label, rng))
        next_values.add(rng.random())
    assert len(next_values) == 1


def test_contempt_is_one_sided_and_a_smile_is_symmetric() -> None:
    rng = np.random.default_rng(0)
    asymmetries = [
        a.corner_pull_right - a.corner_pull_left
        for a in (sample_action_units(Expression.CONTEMPT, rng) for _ in range(60))
    ]
    assert min(map(abs, asymmetries)) > 0.3
    assert 10 < sum(asymmetry > 0 for asymmetry in asymmetries) < 50
    smiles = (sample_action_units(Expression.HAPPINESS, rng) for _ in range(60))
    assert max(abs(a.corner_pull_right - a.corner_pull_left) for a in smiles) < 0.3


def test_the_mouth_follows_the_action_units() -> None:
    person = Identity.sample(np.random.default_rng(2))
    neutral = mouth_shape(person, ActionUnits())
    happiness = mouth_shape(person, PROTOTYPES[Expression.HAPPINESS])
    sadness = mouth_shape(person, PROTOTYPES[Expression.SADNESS])
    surprise = mouth_shape(person, PROTOTYPES[Expression.SURPRISE])
    fear = mouth_shape(person, PROTOTYPES[Expression.FEAR])
    assert happiness.inner_upper[0] < neutral.inner_upper[0] < sadness.inner_upper[0], (
        "corners go up, stay, go down (y points down)"
    )
    assert np.ptp(surprise.x) < np.ptp(neutral.x) < np.ptp(fear.x)
    assert surprise.gap > fear.gap > 0.02 > neutral.gap
    for shape in (neutral, happiness, sadness, surprise, fear):
        assert (shape.outer_upper <= shape.inner_upper + 1e-9).all()
        assert (shape.inner_upper <= shape.inner_lower + 1e-9).all()
        assert (shape.inner_lower <= shape.outer_lower + 1e-9).all()


@pytest.mark.parametrize("size_px", [0, 31, 513])
def test_a_size_out_of_range_is_refused(size_px: int) -> None:
    with pytest.raises(InputError, match=f"size_px={size_px}"):
        _face(Expression.NEUTRAL, 0, size_px=size_px)


def test_a_face_detector_finds_synthetic_faces(yunet_file: object) -> None:
    detector = cv2.FaceDetectorYN.create(str(yunet_file), "", (192, 192), 0.6)
    for seed, label in enumerate(Expression):
        _, detections = detector.detect(np.ascontiguousarray(_face(label, seed, seed, 192)[:, :, ::-1]))
        assert detections is not None, label
        assert len(detections) == 1, label
