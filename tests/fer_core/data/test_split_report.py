from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from fer_core.data.catalog import StoredDataset
from fer_core.data.leakage import leakage
from fer_core.data.split import LEFT_OUT, SplitConfig
from fer_core.data.split_report import (
    SPLIT_COLUMNS,
    Reason,
    SplitReport,
    assignment,
    has_published_split,
    quickened,
    split_report,
)
from fer_core.settings import Settings
from tests.faulty import COPY_IN_TRAINING, PERSON, UNREADABLE, N, import_faulty


@pytest.fixture
def dataset(store: Settings, tmp_path: Path) -> StoredDataset:
    return import_faulty(tmp_path / "faces", store)


def report_of(dataset: StoredDataset, config: SplitConfig) -> SplitReport:
    return split_report(dataset.index(SPLIT_COLUMNS), config, dataset.pairs())


def test_why_images_are_left_out_of_a_published_split(dataset: StoredDataset) -> None:
    dataset.overlay().exclude([UNREADABLE], "unreadable")
    report = report_of(dataset, SplitConfig())
    assert report.left_out == {Reason.EXCLUDED: 1, Reason.EXACT: 1, Reason.IDENTITY: 1}
    parts = assignment(dataset.index(["id"]), report.parts).set_index("id")["part"]
    assert set(parts.index[parts == LEFT_OUT]) == {UNREADABLE, COPY_IN_TRAINING, PERSON[0]}
    assert report.counts.loc[LEFT_OUT, "total"] == sum(report.left_out.values())


def test_the_published_split_leaks_and_the_one_that_is_made_does_not(dataset: StoredDataset) -> None:
    for kind in ("published", "seeded", "kfold"):
        report = report_of(dataset, SplitConfig(kind=kind, folds=4))
        assert report.kind == kind
        assert leakage(dataset.index(SPLIT_COLUMNS), report.parts, dataset.pairs()).clean
        assert report.published_leakage is not None
        assert not report.published_leakage.clean
        assert report.counts["total"].sum() == N


def test_without_published_parts_a_seeded_split_takes_their_place(dataset: StoredDataset) -> None:
    index = dataset.index(SPLIT_COLUMNS)
    index["split"] = pd.Series(pd.NA, index.index, dtype="string")
    report = split_report(index, SplitConfig(), dataset.pairs())
    assert not has_published_split(index)
    assert (report.kind, report.published_leakage, report.left_out) == ("seeded", None, {})


def test_images_in_no_published_part_are_named_as_such(dataset: StoredDataset) -> None:
    index = dataset.index(SPLIT_COLUMNS)
    index.loc[index["id"] == UNREADABLE, "split"] = None
    assert split_report(index, SplitConfig(), dataset.pairs()).left_out[Reason.UNMENTIONED] == 1


@pytest.mark.parametrize("kind", ["published", "seeded", "kfold"])
def test_a_quickened_index_is_divided_and_leaks_just_the_same(kind: str, dataset: StoredDataset) -> None:
    dataset.overlay().exclude([UNREADABLE], "unreadable")
    index, pairs = dataset.index(SPLIT_COLUMNS), dataset.pairs()
    index["path"] = index["path"].where(~index["id"].isin(PERSON), "train/same_name.png")
    config = SplitConfig(kind=kind, folds=4)
    plain, quick = (split_report(frame, config, pairs) for frame in (index, quickened(index)))
    pd.testing.assert_series_equal(plain.parts, quick.parts)
    pd.testing.assert_frame_equal(plain.counts, quick.counts)
    assert plain.left_out == quick.left_out
    assert plain.published_leakage is not None and quick.published_leakage is not None
    assert "1 file name occurs in two parts" in plain.published_leakage.in_words()
    assert plain.published_leakage.in_words() == quick.published_leakage.in_words()
    found = [leakage(frame, index["split"], pairs).in_words() for frame in (index, quickened(index))]
    assert found[0] == found[1]
