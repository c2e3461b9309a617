"""Titles of datasets by id."""

from __future__ import annotations

import pytest

from fer_core.data.catalog import import_dataset
from fer_core.data.dataset_title import dataset_title, known_dataset_title, short_dataset_title
from fer_core.settings import Settings
from tests.support.sample_store import write_ferplus_sample


def test_a_dataset_in_the_store_has_its_own_title(store: Settings) -> None:
    import_dataset(write_ferplus_sample(store.uploads_dir / "votes.zip", 40), store, dataset_id="small-ferplus")
    assert (
        dataset_title("small-ferplus", store) == short_dataset_title("small-ferplus", store) == "FER+ (small-ferplus)"
    )
    assert known_dataset_title("small-ferplus") == "small-ferplus"


@pytest.mark.parametrize(
    ("dataset_id", "title"),
    [("ferplus", "FER+"), ("drawn-faces", "Synthetic faces"), ("fer2013", "FER2013 (CSV)"), ("gone", "gone"), ("", "")],
)
def test_a_dataset_that_is_gone_has_the_title_of_its_manifest_or_its_id(
    dataset_id: str, title: str, store: Settings
) -> None:
    assert dataset_title(dataset_id, store) == known_dataset_title(dataset_id) == title
