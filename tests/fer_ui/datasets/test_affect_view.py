"""The view of valence and arousal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.synthetic.dataset import make_synthetic_dataset
from fer_core.labels import Expression
from fer_core.settings import Settings
from tests.support.app_test import charts, page_text
from tests.support.texts import assert_mentions

MEANS = {Expression.NEUTRAL: (0.0, 0.0), Expression.HAPPINESS: (0.7, 0.1), Expression.FEAR: (-0.2, 0.7)}


@pytest.fixture(autouse=True)
def _clear_caches() -> Iterator[None]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


def _write(folder: Path, missing: int = 0, images_per_class: int = 12) -> Path:
    """Write a dataset in AffectNet's layout; the first `missing` images of each class have the value -2."""
    rng = np.random.default_rng(0)
    images, annotations = folder / "train_set" / "images", folder / "train_set" / "annotations"
    images.mkdir(parents=True)
    annotations.mkdir()
    for class_index, (expression, (valence, arousal)) in enumerate(MEANS.items()):
        for number in range(images_per_class):
            name = f"{class_index * images_per_class + number}"
            Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8)).save(images / f"{name}.jpg")
            affect = (-2.0, -2.0) if number < missing else rng.normal((valence, arousal), 0.03)
            for kind, value in zip(("exp", "val", "aro"), (list(Expression).index(expression), *affect), strict=True):
                np.save(annotations / f"{name}_{kind}.npy", np.array(str(value)))
    return folder


@pytest.fixture
def dataset(store: Settings, tmp_path: Path) -> StoredDataset:
    return import_dataset(_write(tmp_path / "faces", missing=2), store, dataset_id="drawn", layout="affectnet-npy")


def page() -> None:
    """Show the view. AppTest runs only the source, hence the imports."""
    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.affect_view import show_affect

    show_affect(open_dataset("drawn", settings()))


def show(**query: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def test_extremes_plane_and_table_are_shown(dataset: StoredDataset) -> None:
    app = show()
    assert not app.exception and not app.error
    assert "With both values" in page_text(app) and "83.3 % of 36 images" in page_text(app)
    assert len(charts(app)) == 1
    table = app.dataframe[0].value.set_index("expression")
    assert table.loc["Happiness", "valence_mean"] == pytest.approx(0.7, abs=0.05)
    assert table.loc["Fear", ["n", "missing", "outside"]].tolist() == [10, 2, 0]
    assert table.loc["Contempt", "n"] == 0


def test_images_without_values_are_named(dataset: StoredDataset) -> None:
    assert "6 images without a value" in page_text(show())


def test_the_classes_are_in_the_query(dataset: StoredDataset) -> None:
    app = show(label="fear,happiness,gone")
    assert app.get("button_group")[0].value == [Expression.HAPPINESS, Expression.FEAR]
    assert "Happiness is the most pleasant" in page_text(app)
    app.get("button_group")[0].set_value([Expression.FEAR]).run()
    assert app.query_params["label"] == "fear"
    assert_mentions(page_text(app), "mean of 10 images", "fear")
    app.get("button_group")[0].set_value([]).run()
    assert "Choose at least one expression." in page_text(app)
    assert not charts(app)


def test_an_excluded_image_is_not_counted(dataset: StoredDataset) -> None:
    index = dataset.index(["id", "label"])
    dataset.corrections().mark(Action.EXCLUDE, index.loc[index["label"] == "fear", "id"], "blurred")
    assert show().dataframe[0].value.set_index("expression").loc["Fear", "n"] == 0


def test_a_dataset_with_only_missing_values_is_an_empty_state(store: Settings, tmp_path: Path) -> None:
    import_dataset(
        _write(tmp_path / "f", missing=9, images_per_class=3), store, dataset_id="drawn", layout="affectnet-npy"
    )
    app = show()
    assert "No labeled image has both values" in page_text(app)
    assert not app.error and not app.exception


def test_a_dataset_without_affect_shows_a_message(store: Settings) -> None:
    make_synthetic_dataset("drawn", 64, 0, store)
    assert "This dataset has no valence and arousal" in page_text(show())
