"""Corrected predictions as a dataset of their own."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fer_core.data import feedback
from fer_core.data.catalog import delete_dataset, list_datasets, open_dataset
from fer_core.data.feedback import FEEDBACK, CorrectedFace, forget_feedback, save_feedback
from fer_core.data.ingest.reindex import reindex
from fer_core.faces import RgbImage
from fer_core.labels import Expression
from fer_core.settings import Settings


def pixels(seed: int) -> RgbImage:
    return np.random.default_rng(seed).integers(0, 255, (40 + seed, 50, 3), np.uint8)


def face(seed: int, label: Expression = Expression.FEAR, *, is_ambiguous: bool = False) -> CorrectedFace:
    return CorrectedFace(pixels(seed), label, is_ambiguous)


def labels_of(settings: Settings) -> list[str]:
    return sorted(open_dataset(FEEDBACK, settings).index()["label"].astype(str))


def test_faces_become_a_dataset_with_their_own_pixels(store: Settings) -> None:
    dataset = save_feedback([face(1), face(2, Expression.ANGER, is_ambiguous=True)], store)
    assert [each.id for each in list_datasets(store)] == [FEEDBACK] and dataset.source_in_store
    index = dataset.index()
    assert labels_of(store) == ["anger", "fear"]
    assert index.set_index("label")["ambiguous"].to_dict() == {"anger": True, "fear": False}
    with Image.open(dataset.source_path / face(1).id) as stored:
        assert (np.asarray(stored) == pixels(1)).all() and not stored.info, "the crop, without metadata"
    version = dataset.fingerprint
    later = save_feedback([face(3)], store)
    assert later.n == 3 and later.fingerprint != version
    assert reindex(later, store).n == 3, "it is indexed like any other dataset"


def test_a_face_that_is_saved_again_has_its_new_label_once(store: Settings) -> None:
    save_feedback([face(1), face(2)], store)
    save_feedback([face(1, Expression.SADNESS)], store)
    assert labels_of(store) == ["fear", "sadness"]


def test_forgotten_faces_leave_nothing_on_the_disk(store: Settings) -> None:
    save_feedback([face(1), face(2)], store)
    forget_feedback([face(1).id], store)
    assert labels_of(store) == ["fear"]
    forget_feedback([face(2).id], store)
    assert list_datasets(store) == [] and not list(store.home.rglob("*.png"))
    save_feedback([face(3)], store)
    delete_dataset(FEEDBACK, store)
    assert not list(store.home.rglob("*.png"))


def test_a_kill_before_the_index_loses_nothing(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    save_feedback([face(1)], store)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(feedback, "replace_index", killed)
        save_feedback([face(2, Expression.ANGER)], store)
    assert labels_of(store) == ["fear"], "the dataset is as before"
    save_feedback([face(3, Expression.DISGUST)], store)
    assert labels_of(store) == ["anger", "disgust", "fear"]


def test_a_kill_before_the_first_index_leaves_no_damaged_dataset(
    store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(feedback, "complete_index", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        save_feedback([face(1)], store)
    assert list_datasets(store) == []
    assert save_feedback([face(2)], store).n == 2
