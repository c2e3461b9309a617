"""The view of augmented images, with a fake command and once with the real one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.synthetic.dataset import SyntheticFacesConfig
from fer_core.errors import FerscopeError, InputError
from fer_core.jobs.subprocess_runner import Command
from fer_core.jobs.worker.warm_worker import WarmWorker
from fer_core.labels import Expression
from fer_core.settings import Settings, settings
from fer_core.training.config.augmentation_policies import policies
from fer_ui.datasets import augmentation_preview, augmentation_view
from fer_ui.datasets.augmentation_preview import DRAWS, load_augmented_images
from fer_ui.datasets.augmentation_view import SEEDS_PER_SAMPLE, faces_html, next_augmentation, next_faces, sample_faces
from fer_ui.navigation import Page
from tests.support.app_test import page_html, page_text, press
from tests.support.synthetic_datasets import write_ferplus_like

COLUMNS = ["id", "split", "label", "problem"]


class FakeCommand:
    """Writes images of one gray level per seed, or fails."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.failure: FerscopeError | None = None

    def run(self, command: Command) -> None:
        self.calls.append(list(command.arguments))
        if self.failure:
            raise self.failure
        pairs = [word.partition("=")[::2] for word in command.arguments]
        options = dict(pairs)
        faces = sum(name == "--id" for name, _ in pairs)
        seed, shape = options["--seed"], (faces, 1 + int(options["--draws"]), 4, 4)
        np.savez(options["--out"], **{seed: np.full(shape, int(seed) % 256, np.uint8)})


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCommand]:
    fake_command = FakeCommand()
    monkeypatch.setattr(augmentation_preview, "worker", lambda: fake_command)
    st.cache_data.clear()
    yield fake_command
    st.cache_data.clear()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("faces") / "faces.zip"
    write_ferplus_like(path, SyntheticFacesConfig(total=160, identities=40, profile=dict.fromkeys(Expression, 1)))
    return path


@pytest.fixture
def dataset(store: Settings, archive: Path) -> StoredDataset:
    return import_dataset(archive, store, dataset_id="drawn")


def page() -> None:
    """Show the view. AppTest runs only the source, hence the imports."""
    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.augmentation_view import show_augmentation

    dataset = open_dataset("drawn", settings())
    index = dataset.index(["id", "split", "label", "problem"])
    show_augmentation(dataset, index)


@pytest.fixture
def show(dataset: StoredDataset, process: FakeCommand, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    def fake_link(page: Page, label: str, **query: str) -> None:
        st.markdown(f"{label}: {page} {query}")  # there are no pages to link to here

    monkeypatch.setattr(augmentation_view, "link_to", fake_link)

    def run_page(**query: str) -> AppTest:
        app = AppTest.from_function(page, default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        return app.run()

    return run_page


def shown_ids(app: AppTest) -> list[str]:
    return re.findall(r'<span title="([^"]*)">', page_html(app))


def test_each_face_has_a_row_below_the_policy_description(show: Callable[..., AppTest], process: FakeCommand) -> None:
    app = show(policy="study-b")
    assert not app.exception and not app.error
    captions = re.findall(r'alt="[^"]*: ([^"]*)"', page_html(app))
    assert captions == ["original", *(f"version {draw}" for draw in range(1, DRAWS + 1))] * len(Expression)
    assert "Gray levels multiplied by 0 to 2" in page_text(app)
    assert "Train with this policy: training {'dataset': 'drawn', 'policy': 'study-b'}" in page_text(app)
    assert "--policy=study-b" in process.calls[0]
    assert process.calls[0][0] == "augment"
    assert "--policy=study-b" in app.code[0].value


def test_the_first_policy_changes_something(show: Callable[..., AppTest]) -> None:
    app = show()
    assert app.selectbox(key="policy").value != "none"
    assert set(app.selectbox(key="policy").options) == {policy.title for policy in policies().values()}


def test_augmenting_again_keeps_the_faces(show: Callable[..., AppTest], process: FakeCommand) -> None:
    app = show()
    faces = shown_ids(app)
    assert len(faces) == len(Expression)
    app_again = press(app, "Augment again")
    assert app_again.query_params["seed"] == "1"
    assert shown_ids(app_again) == faces
    assert "--seed=1" in process.calls[1]
    app_again.run()
    assert len(process.calls) == 2  # the versions of a seed are cached


def test_other_faces_differ(show: Callable[..., AppTest]) -> None:
    app = show(seed="5")
    faces = shown_ids(app)
    other = press(app, "Other faces")
    assert other.query_params["seed"] == str(SEEDS_PER_SAMPLE)
    assert len(shown_ids(other)) == len(faces)
    assert shown_ids(other) != faces


def test_another_policy_augments_the_same_faces(show: Callable[..., AppTest], process: FakeCommand) -> None:
    app = show(seed="3")
    faces = shown_ids(app)
    app.selectbox(key="policy").set_value("none").run()
    assert app.query_params["policy"] == "none"
    assert shown_ids(app) == faces
    assert "Images are not changed." in page_text(app)
    assert "--policy=none" in process.calls[-1]


@pytest.mark.parametrize("seed", ["", "-3", "one", "1.5", "²", "9" * 5000])
def test_an_invalid_seed_in_the_query_shows_the_first_versions(
    seed: str, show: Callable[..., AppTest], process: FakeCommand
) -> None:
    app = show(seed=seed, policy="gone")
    assert not app.exception and not app.error
    assert "--seed=0" in process.calls[0]


def test_failures_show_the_error(show: Callable[..., AppTest], process: FakeCommand) -> None:
    process.failure = InputError("drawn has no image 'a'. The ids are those of its index.")
    app = show()
    assert "drawn has no image 'a'" in app.error[0].value.replace("\\", "")
    process.failure = None
    assert not app.run().error  # a failure is not cached


def test_the_images_are_those_of_the_seed(dataset: StoredDataset, process: FakeCommand) -> None:
    for seed in (0, 19, 20, 19):
        assert (load_augmented_images(dataset, ["a", "b"], "none", seed) == seed).all()
    assert len(process.calls) == 3


def test_seeds_wrap_around() -> None:
    assert next_augmentation(41) == 42
    assert next_augmentation(3 * SEEDS_PER_SAMPLE - 1) == 2 * SEEDS_PER_SAMPLE
    assert next_faces(41) == SEEDS_PER_SAMPLE
    seed = 2**31 - 2**31 % SEEDS_PER_SAMPLE - 1
    assert next_faces(seed) == 0


def _index(**columns: list[Any]) -> pd.DataFrame:
    n = len(columns["label"])
    defaults = {"id": [f"i{row}" for row in range(n)], "split": [pd.NA] * n, "problem": [""] * n}
    return pd.DataFrame({**defaults, **columns}).astype({"split": "string", "label": "string"})


def test_one_face_per_class_is_sampled_in_the_fixed_order() -> None:
    index = _index(label=["anger", "neutral", "happiness", "neutral", None] * 20)
    sampled = sample_faces(index, 0)
    assert sampled["label"].tolist() == ["neutral", "happiness", "anger"]
    assert all(index.set_index("id").loc[sampled["id"], "label"] == sampled["label"].tolist())
    assert sample_faces(index, 0).equals(sampled)
    assert len({tuple(sample_faces(index, sample)["id"]) for sample in range(5)}) > 1


def test_only_training_images_are_sampled() -> None:
    index = _index(
        label=["neutral"] * 5,
        split=["train", "train", "train", "test", None],
        problem=["", "broken", "", "", ""],
    ).assign(excluded=[False, False, True, False, False])
    assert {sample_faces(index, sample)["id"].item() for sample in range(20)} == {"i0"}
    without_splits = index.assign(split=pd.array([None] * 5, "string"))
    assert {sample_faces(without_splits, sample)["id"].item() for sample in range(40)} == {"i0", "i3", "i4"}


def test_no_labeled_face_is_an_empty_state(
    show: Callable[..., AppTest], process: FakeCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlabeled = _index(label=[None, None])
    assert sample_faces(unlabeled, 0).empty
    monkeypatch.setattr(StoredDataset, "index", lambda self, columns: unlabeled)
    app = show()
    assert app.subheader[0].value and not app.get("image")
    assert not process.calls


def test_pictures_and_their_names_are_escaped() -> None:
    faces = pd.DataFrame({"id": ['a"<b>'], "label": ["fear"]})
    html = faces_html(faces, np.zeros((1, 2, 4, 4, 3), np.uint8))
    assert "<b>" not in html and html.count("<img") == 2
    assert 'alt="Fear, a&quot;&lt;b&gt;: version 1"' in html


def test_the_process_augments(dataset: StoredDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    st.cache_data.clear()
    process = WarmWorker(settings())
    monkeypatch.setattr(augmentation_preview, "worker", lambda: process)
    faces = sample_faces(dataset.index(COLUMNS), 0)["id"].tolist()
    augmented = load_augmented_images(dataset, faces, "strong", 1)
    assert (augmented.shape, augmented.dtype) == ((len(faces), 1 + DRAWS, 48, 48), np.uint8)
    assert (augmented[:, 1:] != augmented[:, :1]).any((2, 3)).mean() > 0.9
    with pytest.raises(InputError, match="no image 'nobody'"):
        load_augmented_images(dataset, ["nobody"], "strong", 1)
    process.close()
    st.cache_data.clear()
