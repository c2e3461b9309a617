"""Comparison of stored and published datasets."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action
from fer_core.labels import LABEL_SETS
from fer_core.settings import Settings
from fer_ui.charts.comparison import DATASETS_MAX
from fer_ui.datasets.imbalance.compare_view import PUBLISHED
from tests.fer_ui.datasets.small_dataset import DATASET, import_small, open_view
from tests.support.app_test import charts, page_text


def view() -> None:
    from fer_ui.datasets.imbalance.compare_view import show_compare

    show_compare()


def compared_names(app: AppTest) -> list[str]:
    return app.dataframe[0].value["dataset"].tolist()


def test_stored_and_published_datasets_are_compared(small: StoredDataset) -> None:
    app = open_view(view, sets=f"{DATASET},{PUBLISHED}fer2013")
    assert not app.exception and not app.error
    assert compared_names(app) == ["Small set", "FER2013 (CSV), published"]
    assert app.dataframe[0].value["images"].tolist() == [73, 6198 + 8989 + 5121]
    assert ">15 : 1<" in page_text(app) and ">1.8 : 1<" in page_text(app)
    assert "neutral, happiness and fear" in page_text(app)


def test_ratios_and_shares_have_the_units_of_all_pages(small: StoredDataset) -> None:
    row = open_view(view, sets=DATASET).dataframe[0].value.iloc[0]
    assert row["ratio"].replace("\xa0", " ") == "15 : 1"
    assert row["accuracy"] == pytest.approx(100 * 46 / 73)
    assert 0 < row["macro_f1"] < row["entropy_01"] < 100


def test_a_link_says_which_of_its_datasets_are_gone(small: StoredDataset) -> None:
    app = open_view(view, sets=f"gone,{DATASET},{PUBLISHED}lost")
    assert "'gone'" in app.warning[0].value and "'lost'" in app.warning[1].value
    assert compared_names(app) == ["Small set"]
    assert not open_view(view, sets=DATASET).warning


def test_an_empty_store_compares_published_counts(store: Settings) -> None:
    app = open_view(view)
    assert not app.exception
    assert len(compared_names(app)) > 1
    assert all(name.endswith("published") for name in compared_names(app))
    assert len(charts(app)) == 1


@pytest.mark.parametrize("name", sorted(LABEL_SETS))
def test_missing_expressions_of_a_label_set_are_named(small: StoredDataset, name: str) -> None:
    app = open_view(view, sets=f"{DATASET},{PUBLISHED}ferplus", labels=name)
    assert not app.exception and not app.error
    messages = [info.value for info in app.info]
    assert len(messages) == 1 and messages[0].startswith("Small set has no images of")
    assert ("contempt" in messages[0]) == (name == "eight")


def test_excluded_images_do_not_count(small: StoredDataset) -> None:
    index = small.index(["id", "label"])
    small.corrections().mark(Action.EXCLUDE, index["id"][index["label"] == "fear"], "blurred")
    assert open_view(view, sets=DATASET, labels="eight").dataframe[0].value["images"].tolist() == [70]


def test_datasets_without_common_classes_show_a_message(small: StoredDataset, tmp_path: Path, store: Settings) -> None:
    other = import_small(tmp_path / "other", store, "other")
    index = other.index(["id", "label"])
    other.corrections().mark(Action.RELABEL, index["id"], label="anger")
    app = open_view(view, sets=f"{DATASET},other")
    assert not charts(app) and "in common" in app.subheader[0].value
    assert not charts(open_view(view, sets=""))


def test_the_number_of_datasets_is_limited_by_the_colors(store: Settings) -> None:
    options = open_view(view).multiselect(key="sets").options
    assert len(options) > DATASETS_MAX
    ids = ["fer2013", "ferplus", "affectnet", "ckplus", "expw", "jaffe", "kdef"]
    assert len(compared_names(open_view(view, sets=",".join(f"{PUBLISHED}{name}" for name in ids)))) == DATASETS_MAX
