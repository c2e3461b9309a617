from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.duplicates.groups import Groups, find_groups
from fer_core.data.splits.leakage import find_leakage
from fer_core.data.splits.report import (
    SPLIT_COLUMNS,
    Reason,
    SplitReport,
    has_published_split,
    split_report,
    split_table,
)
from fer_core.data.splits.split import EXCLUDED, SplitConfig
from fer_core.settings import Settings
from tests.support.faulty_dataset import SAME_PERSON, TRAIN_COPY, UNREADABLE, N, import_faulty


@pytest.fixture
def dataset(store: Settings, tmp_path: Path) -> StoredDataset:
    return import_faulty(tmp_path / "faces", store)


def groups_of(dataset: StoredDataset) -> Groups:
    return find_groups(dataset.index(SPLIT_COLUMNS), dataset.pairs())


def report_of(dataset: StoredDataset, config: SplitConfig) -> SplitReport:
    return split_report(dataset.index(SPLIT_COLUMNS), config, groups_of(dataset))


def test_excluded_images_of_a_published_split_have_a_reason(dataset: StoredDataset) -> None:
    dataset.corrections().mark(Action.EXCLUDE, [UNREADABLE], "unreadable")
    report = report_of(dataset, SplitConfig())
    assert report.excluded == {Reason.CORRECTED: 1, Reason.EXACT: 1, Reason.IDENTITY: 1}
    splits = split_table(dataset.index(["id"]), report.splits).set_index("id")["split"]
    assert set(splits.index[splits == EXCLUDED]) == {UNREADABLE, TRAIN_COPY, SAME_PERSON[0]}
    assert report.counts.loc[EXCLUDED, "total"] == sum(report.excluded.values())


def test_only_the_raw_published_split_leaks(dataset: StoredDataset) -> None:
    for kind in ("published", "seeded", "kfold"):
        report = report_of(dataset, SplitConfig(kind=kind, folds=4))
        assert report.kind == kind
        assert find_leakage(groups_of(dataset), report.splits).clean
        assert report.published_leakage is not None
        assert not report.published_leakage.clean
        assert report.counts["total"].sum() == N


def test_without_a_published_split_a_seeded_one_is_made(dataset: StoredDataset) -> None:
    index = dataset.index(SPLIT_COLUMNS)
    index["split"] = pd.Series(pd.NA, index.index, dtype="string")
    report = split_report(index, SplitConfig(), find_groups(index, dataset.pairs()))
    assert not has_published_split(index)
    assert (report.kind, report.published_leakage, report.excluded) == ("seeded", None, {})


def test_images_outside_the_published_splits_are_excluded(dataset: StoredDataset) -> None:
    index = dataset.index(SPLIT_COLUMNS)
    index.loc[index["id"] == UNREADABLE, "split"] = None
    assert split_report(index, SplitConfig(), find_groups(index, dataset.pairs())).excluded[Reason.UNPUBLISHED] == 1
