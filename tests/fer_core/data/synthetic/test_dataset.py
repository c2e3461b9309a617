from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fer_core.data.record import Split
from fer_core.data.synthetic.dataset import AFFECTNET8_PROFILE, SyntheticFacesConfig, class_counts
from fer_core.errors import CancelledError
from fer_core.labels import Expression
from tests.support.synthetic_datasets import FERPLUS_COLUMNS, write_ferplus_like, write_synthetic_faces

BALANCED: dict[Expression, float] = dict.fromkeys(Expression, 1)
SPLITS = tuple(map(str, Split))


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.png"))}


def _split_label_identity(name: str) -> tuple[str, str, str]:
    """Read split, class and identity from a path."""
    split, label, file = Path(name).parts
    return split, label, file.partition("-")[0]


@pytest.fixture(scope="module")
def balanced(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("balanced")
    write_synthetic_faces(folder, SyntheticFacesConfig(total=960, identities=60, size_px=48, profile=BALANCED))
    return _files(folder)


@pytest.mark.parametrize("total", [8, 9, 60, 997, 4000, 318_969])
def test_counts_sum_to_the_total_and_follow_the_profile(total: int) -> None:
    counts = class_counts(SyntheticFacesConfig(total=total))
    assert list(counts) == list(Expression)
    assert sum(counts.values()) == total
    assert min(counts.values()) >= 1
    weight_sum = sum(AFFECTNET8_PROFILE.values())
    if total >= 60:
        for label, weight in AFFECTNET8_PROFILE.items():
            assert abs(counts[label] - total * weight / weight_sum) <= 1, label


def test_the_size_of_affectnet_gives_its_published_counts() -> None:
    assert class_counts(SyntheticFacesConfig(total=318_969)) == dict(AFFECTNET8_PROFILE)


def test_a_class_with_weight_0_gets_no_image_and_a_tiny_weight_one() -> None:
    profile = {Expression.NEUTRAL: 1000, Expression.FEAR: 0.001, Expression.ANGER: 0}
    counts = class_counts(SyntheticFacesConfig(total=50, profile=profile))
    assert {label: n for label, n in counts.items() if n} == {Expression.NEUTRAL: 49, Expression.FEAR: 1}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"total": 7}, "total=7"),
        ({"total": 12.5}, "12.5"),
        ({"total": 10**7}, "10000000"),
        ({"identities": 0}, "identities"),
        ({"size_px": 16}, "size_px"),
        ({"size_px": 2000}, "size_px"),
        ({"seed": -1}, "seed"),
        ({"profile": {}}, "0 classes"),
        ({"profile": {Expression.FEAR: 0}}, "0 classes"),
        ({"profile": {Expression.FEAR: -2.0}}, "-2.0"),
        ({"profile": {Expression.FEAR: float("nan")}}, "finite"),
        ({"profile": {"joy": 1}}, "'joy'"),
    ],
)
def test_an_invalid_config_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SyntheticFacesConfig(**values)


def test_the_same_config_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_synthetic_faces(tmp_path / name, SyntheticFacesConfig(total=40, identities=6, seed=seed))
    first, second, other = (_files(tmp_path / name) for name in "abc")
    assert first == second
    assert len(first) == len(other) == 40
    assert not set(first.values()) & set(other.values())


def test_all_images_exist_decode_and_differ(balanced: dict[str, bytes]) -> None:
    assert len(balanced) == 960
    assert len(set(balanced.values())) == 960
    assert Counter(label for _, label, _ in map(_split_label_identity, balanced)) == dict.fromkeys(Expression, 120)
    for content in list(balanced.values())[::60]:
        assert cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED).shape == (48, 48, 3)


def test_no_identity_is_in_two_splits_and_all_are_used(balanced: dict[str, bytes]) -> None:
    splits_by_identity: dict[str, set[str]] = {}
    for split, _, identity in map(_split_label_identity, balanced):
        splits_by_identity.setdefault(identity, set()).add(split)
    assert len(splits_by_identity) == 60
    assert all(len(splits) == 1 for splits in splits_by_identity.values())
    assert Counter(next(iter(splits)) for splits in splits_by_identity.values()) == {"train": 48, "valid": 6, "test": 6}


def test_each_class_is_split_80_10_10(balanced: dict[str, bytes]) -> None:
    counts = Counter(_split_label_identity(name)[:2] for name in balanced)
    for label in Expression:
        assert [counts[split, label] for split in SPLITS] == [96, 12, 12]


def test_a_class_of_three_images_is_in_every_split(tmp_path: Path) -> None:
    profile = {**BALANCED, Expression.NEUTRAL: 20}
    config = SyntheticFacesConfig(total=81, identities=5, profile=profile, size_px=32)
    write_synthetic_faces(tmp_path, config)
    assert min(class_counts(config).values()) == 3
    counts = Counter(_split_label_identity(name)[:2] for name in _files(tmp_path))
    assert all(counts[split, label] >= 1 for split in SPLITS for label in Expression)


@pytest.mark.parametrize(("identities", "splits"), [(1, {"train"}), (2, {"train", "test"}), (3, set(SPLITS))])
def test_few_identities_fill_as_many_splits_as_possible(tmp_path: Path, identities: int, splits: set[str]) -> None:
    write_synthetic_faces(tmp_path, SyntheticFacesConfig(total=40, identities=identities, size_px=32, profile=BALANCED))
    files = _files(tmp_path)
    assert len(files) == 40
    assert {_split_label_identity(name)[0] for name in files} == splits


def test_progress_rises_to_one_and_can_cancel(tmp_path: Path) -> None:
    reported: list[float] = []
    config = SyntheticFacesConfig(total=100, identities=4, size_px=32)
    write_synthetic_faces(tmp_path / "complete", config, lambda done_01, _: reported.append(done_01))
    assert reported == sorted(reported)
    assert (reported[0], reported[-1]) == (0.0, 1.0)

    def cancel(done_01: float, message: str) -> None:
        if done_01 > 0.3:
            raise CancelledError(message)

    with pytest.raises(CancelledError, match="of 100 faces"):
        write_synthetic_faces(tmp_path / "cancelled", config, cancel)
    assert 0 < len(_files(tmp_path / "cancelled")) < 100


def test_expressions_can_be_learned_and_generalize_to_other_identities(balanced: dict[str, bytes]) -> None:
    """Logistic regression on HOG features; the chance level is 0.125."""
    features = {name: _hog_features(content) for name, content in balanced.items()}
    names = {split: [name for name in features if _split_label_identity(name)[0] == split] for split in SPLITS}
    held_out = names["valid"] + names["test"]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.003, max_iter=300))
    model.fit([features[name] for name in names["train"]], [_split_label_identity(name)[1] for name in names["train"]])
    predicted = model.predict([features[name] for name in held_out])
    assert balanced_accuracy_score([_split_label_identity(name)[1] for name in held_out], predicted) > 0.75


def _hog_features(content: bytes) -> NDArray[np.float32]:
    """Histogram of oriented gradients of a 48x48 image."""
    gray = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    descriptor = cv2.HOGDescriptor((48, 48), (16, 16), (8, 8), (8, 8), 9)
    return np.asarray(descriptor.compute(gray)).ravel()


@pytest.fixture(scope="module")
def ferplus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = tmp_path_factory.mktemp("ferplus") / "ferplus.zip"
    write_ferplus_like(archive, SyntheticFacesConfig(total=400, identities=20, profile=BALANCED))
    return archive


def _label_rows(archive: Path) -> dict[str, list[list[str]]]:
    with zipfile.ZipFile(archive) as zip_file:
        return {
            name.split("/")[0]: list(csv.reader(io.StringIO(zip_file.read(name).decode())))
            for name in zip_file.namelist()
            if name.endswith("label.csv")
        }


def test_ferplus_rows_match_the_images(ferplus: Path) -> None:
    rows = _label_rows(ferplus)
    assert {folder: len(labels) for folder, labels in rows.items()} == {
        "FER2013Train": 320,
        "FER2013Valid": 40,
        "FER2013Test": 40,
    }
    with zipfile.ZipFile(ferplus) as zip_file:
        assert zip_file.testzip() is None
        image_names = {name for name in zip_file.namelist() if name.endswith(".png")}
        assert image_names == {f"{folder}/{row[0]}" for folder, labels in rows.items() for row in labels}
        for name in sorted(image_names)[::40]:
            image = cv2.imdecode(np.frombuffer(zip_file.read(name), np.uint8), cv2.IMREAD_UNCHANGED)
            assert image.shape == (48, 48)


def test_ten_raters_agree_on_most_images(ferplus: Path) -> None:
    rows = [row for labels in _label_rows(ferplus).values() for row in labels]
    assert {row[1] for row in rows} == {"(0, 0, 48, 48)"}
    votes = np.array([row[2:] for row in rows], int)
    assert votes.shape == (400, 10)
    assert (votes.sum(1) == 10).all()
    assert (votes >= 0).all()
    sorted_votes = np.sort(votes, 1)
    tied = sorted_votes[:, -1] == sorted_votes[:, -2]
    winners = votes.argmax(1)
    assert 0.03 < tied.mean() < 0.12
    assert 0.01 < (winners == 8).mean() < 0.06
    assert 0.01 < (winners == 9).mean() < 0.04
    wins = Counter(winners[~tied].tolist())
    assert all(wins[column] > 25 for column in range(len(FERPLUS_COLUMNS)))


def test_ferplus_is_the_same_for_the_same_config(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        write_ferplus_like(tmp_path / name, SyntheticFacesConfig(total=30, identities=4, seed=9))
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_cancelled_ferplus_leaves_nothing(tmp_path: Path) -> None:
    def cancel(done_01: float, message: str) -> None:
        raise CancelledError(message)

    with pytest.raises(CancelledError):
        write_ferplus_like(tmp_path / "ferplus.zip", SyntheticFacesConfig(total=30, identities=4), cancel)
    assert list(tmp_path.iterdir()) == []
