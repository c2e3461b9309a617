from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.splits.split import SPLITS, SplitConfig, describe_published_roles
from fer_core.settings import Settings
from fer_ui.datasets import split_view
from fer_ui.datasets.reports import load_split
from fer_ui.datasets.split_view import counts_html, describe_excluded
from fer_ui.navigation import Page
from tests.support.app_test import charts, headlines, page_text
from tests.support.faulty_dataset import N, import_faulty
from tests.support.gallery import galleries, shown_ids
from tests.support.texts import assert_mentions

Open = Callable[..., AppTest]


@pytest.fixture
def dataset(store: Settings, tmp_path: Path) -> Iterator[StoredDataset]:
    for cache in (st.cache_resource, st.cache_data):
        cache.clear()
    yield import_faulty(tmp_path / "faces", store)
    for cache in (st.cache_resource, st.cache_data):
        cache.clear()


def page() -> None:
    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.split_view import show_splits
    from fer_ui.errors import show_errors

    with show_errors():
        show_splits(open_dataset("faulty", settings()))


@pytest.fixture
def show(dataset: StoredDataset, monkeypatch: pytest.MonkeyPatch) -> Open:
    def fake_link(page: Page, label: str, **query: str) -> None:
        st.markdown(f"{label}: {page} {query}")  # there are no pages to link to here

    monkeypatch.setattr(split_view, "link_to", fake_link)

    def run_page(split: str = "", *, label: str = "", part: str = "") -> AppTest:
        app = AppTest.from_function(page, default_timeout=60)
        for name, value in {"split_config": split, "label": label, "split": part}.items():
            if value:
                app.query_params[name] = value
        return app.run()

    return run_page


def headline_counts(app: AppTest) -> dict[str, int]:
    """Headline numbers by label."""
    return {title: int(text.replace(",", "")) for title, text in headlines(app).items()}


def test_the_published_split_is_shown_with_its_leakage(show: Open) -> None:
    app = show()
    assert not app.exception and not app.error
    splits = headline_counts(app)
    assert sum(splits.values()) == N
    assert splits["Skipped"] == 2
    text = page_text(app)
    assert_mentions(text, "2 images are skipped", "1 identical", "1 of a person")
    assert_mentions(text, "published split has 1 training image", "duplicate")
    assert "This split has no near-duplicate" in text
    assert "Train with this split: training {'dataset': 'faulty', 'split_config': 'published'}" in text
    assert "split_config" not in app.query_params
    assert len(charts(app)) == 1
    assert any(button.label == "Split as CSV" for button in app.get("download_button"))


def test_ratio_and_seed_are_in_the_query(show: Open, dataset: StoredDataset) -> None:
    app = show()
    app.segmented_control(key="split-kind").set_value("seeded").run()
    assert app.query_params["split_config"] == "seeded"
    app.number_input(key="split-test_01").set_value(25.0).run()
    app.number_input(key="split-seed").set_value(7).run()
    assert app.query_params["split_config"] == "seeded~0.1~0.25~5~0~7"
    config = SplitConfig(kind="seeded", test_01=0.25, seed=7)
    assert headline_counts(app)["Test"] == load_split(dataset, config).counts.loc["test", "total"]
    assert headline_counts(app)["Test"] == pytest.approx(N / 4, abs=3)
    assert "'split_config': 'seeded~0.1~0.25~5~0~7'" in page_text(app)


def test_a_link_opens_its_fold(show: Open, dataset: StoredDataset) -> None:
    app = show("kfold~0.1~0.1~4~2~3")
    assert app.number_input(key="split-folds").value == 4
    assert app.number_input(key="split-fold").value == 3  # people count from 1
    config = SplitConfig(kind="kfold", folds=4, fold=2, seed=3)
    assert headline_counts(app)["Test"] == load_split(dataset, config).counts.loc["test", "total"]
    app.number_input(key="split-folds").set_value(2).run()  # clipped to the last fold
    assert app.query_params["split_config"] == "kfold~0.1~0.1~2~1~3"
    assert not app.exception


def test_fractions_that_leave_no_training_images_can_not_be_chosen(show: Open) -> None:
    app = show("seeded~0.4~0.55~5~0~0")
    app.number_input(key="split-valid_01").set_value(49.0).run()
    assert not app.exception and not app.error
    assert app.number_input(key="split-test_01").value == 50


def test_leaking_images_can_be_shown(show: Open) -> None:
    app = show()
    assert not galleries(app)
    app.toggle(key="faulty-leaking").set_value(True).run()
    assert sum(len(data["faces"]) for data in galleries(app)) == 4  # a pair of duplicates and a pair of one person
    assert "The same image in two splits, 2 images" in page_text(app).replace("**", "")


def test_without_published_splits_none_are_shown(show: Open, dataset: StoredDataset) -> None:
    path = dataset.folder / "index.parquet"
    index = pd.read_parquet(path)
    index.assign(split=pd.Series(pd.NA, index.index, dtype="string")).to_parquet(path, index=False)
    app = show()
    assert app.segmented_control(key="split-kind").options == ["Seeded", "K-fold"]
    assert app.segmented_control(key="split-kind").value == "seeded"
    assert "published split" not in page_text(app)
    assert not app.toggle
    assert "Skipped" not in headline_counts(app)


def test_an_impossible_split_shows_the_error_and_another_can_be_chosen(show: Open, dataset: StoredDataset) -> None:
    ids = dataset.raw_index(["id"])["id"]
    dataset.corrections().mark(Action.EXCLUDE, ids.iloc[3:], "test")
    app = show("kfold")
    assert "folds can't be made" in page_text(app)
    assert app.number_input(key="split-folds").value == 5
    dataset.corrections().mark(Action.EXCLUDE, ids, "test")
    assert "There are no images to split" in page_text(show())


def test_the_faces_of_a_class_in_a_split_are_shown(show: Open, dataset: StoredDataset) -> None:
    report = load_split(dataset, SplitConfig())
    label = str(report.counts.drop(columns=["total", "unlabeled"]).loc["train"].idxmax())
    app = show(label=label, part="train")
    index = dataset.index(["id", "label"])
    expected = index["id"][(index["label"] == label).to_numpy(bool) & (report.splits == "train").to_numpy(bool)]
    assert set(shown_ids(app)) <= set(expected)
    assert len(expected) == report.counts.loc["train", label]
    assert not galleries(show(part="train"))


def test_a_published_validation_split_in_another_role_is_named() -> None:
    roles = describe_published_roles
    assert roles(["train", "valid", "test"], SplitConfig()) == roles(["train"], SplitConfig()) == ""
    assert roles(["train", "valid"], SplitConfig(kind="kfold")) == ""
    assert_mentions(roles(["train", "valid"], SplitConfig()), "published validation split is the test split", "10 %")
    text = roles(["train", "test"], SplitConfig(valid_01=0.2, seed=4))
    assert_mentions(text, "validation images are 20 % of the published training split", "seed 4")
    assert "is the test split" not in text


def test_excluded_images_are_explained(dataset: StoredDataset) -> None:
    dataset.corrections().mark(Action.EXCLUDE, dataset.raw_index(["id"])["id"].iloc[:1], "test")
    text = describe_excluded(load_split(dataset, SplitConfig()))
    assert text.startswith("3 images are skipped: 1 excluded by corrections")
    assert describe_excluded(load_split(dataset, SplitConfig(kind="seeded"))).startswith(
        "1 image is skipped: 1 excluded"
    )


def test_the_table_has_shares_and_only_rows_with_images() -> None:
    rows = [{"fear": 1, "anger": 3, "disgust": 0, "unlabeled": 4}] * 2 + [dict.fromkeys(("fear", "anger"), 0)] * 2
    counts = pd.DataFrame(rows, index=pd.Index(SPLITS, name="split")).fillna(0).astype(int)
    html = counts_html(counts.assign(total=counts.sum(axis=1)))
    assert re.findall(r'scope="col"[^>]*>([^<]*)<', html) == ["Training", "Validation"]
    assert re.findall(r'scope="row"[^>]*>([^<]*)<', html) == ["Fear", "Anger", "No label", "All"]
    assert html.count("25.0&nbsp;%") == 2
    assert html.count("75.0&nbsp;%") == 2
    assert html.count(">8</td>") == 2
