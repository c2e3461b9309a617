from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.quality.messages import FindingKind
from fer_core.data.quality.report import (
    describe_reason,
    finding_table,
    pair_table,
    parse_kind,
    quality_report,
    rows_to_exclude,
)
from fer_core.errors import InputError
from fer_core.settings import Settings
from tests.support.faulty_dataset import (
    BLANK,
    DUPLICATES,
    SAME_PERSON,
    TEST_COPY,
    TRAIN_COPY,
    UNREADABLE,
    N,
    import_faulty,
)

FAULTY = {BLANK, TRAIN_COPY, TEST_COPY, UNREADABLE, *SAME_PERSON, *DUPLICATES}


@pytest.fixture
def dataset(store: Settings, tmp_path: Path) -> StoredDataset:
    return import_faulty(tmp_path / "faces", store)


def ids_by_kind(dataset: StoredDataset) -> dict[str, set[str]]:
    table = finding_table(quality_report(dataset).findings, dataset.index())
    return {str(kind): set(rows["id"]) for kind, rows in table.groupby("finding")}


def test_exactly_the_faults_are_found(dataset: StoredDataset) -> None:
    assert ids_by_kind(dataset) == {
        "unreadable": {UNREADABLE},
        "blank": {BLANK},
        "duplicate_across_splits": {TEST_COPY, TRAIN_COPY},
        "conflict": {TEST_COPY, TRAIN_COPY},
        "exact_duplicate": {TEST_COPY, TRAIN_COPY, *DUPLICATES},
        "identity_across_splits": set(SAME_PERSON),
    }
    report = quality_report(dataset)
    assert (report.n_flagged, report.n_included, report.missing_columns) == (len(FAULTY), N, ())
    assert report.findings[0].kind is FindingKind.UNREADABLE
    assert set(report.unchecked) == {FindingKind.NO_FACE, FindingKind.BLURRED}


def test_excluded_images_are_skipped_and_older_versions_can_be_reported(dataset: StoredDataset) -> None:
    index = dataset.index(["id"])["id"]
    for finding in quality_report(dataset).findings:
        if finding.message.suggested_action == "exclude":
            dataset.corrections().mark(Action.EXCLUDE, index.iloc[rows_to_exclude(finding)], str(finding.kind))
    report = quality_report(dataset)
    assert report.findings == ()
    assert report.n_flagged == 0
    assert report.n_included == N - len({UNREADABLE, BLANK, TRAIN_COPY, DUPLICATES[1], SAME_PERSON[0]})
    assert quality_report(dataset, version=0).n_flagged == len(FAULTY)


def test_images_without_a_face_are_a_finding(dataset: StoredDataset) -> None:
    ids = dataset.index(["id"])["id"]
    faces = pd.DataFrame({"id": ids, "faces": [0 if name == BLANK else 1 for name in ids]})
    finding = quality_report(dataset, faces).get(FindingKind.NO_FACE)
    assert finding is not None
    assert ids.iloc[finding.rows].tolist() == [BLANK]


def test_the_pair_table_has_both_images(dataset: StoredDataset) -> None:
    table = pair_table(quality_report(dataset).findings, dataset.index())
    pair = table[table["finding"] == "duplicate_across_splits"].iloc[0]
    assert (pair["bits"], pair["similarity"]) == (0, 1)
    assert {pair["id_a"], pair["id_b"]} == {TEST_COPY, TRAIN_COPY}
    assert {pair["label_a"], pair["label_b"]} == {"anger", "fear"}
    assert {pair["split_a"], pair["split_b"]} == {"test", "train"}
    assert pair_table([], dataset.index()).empty
    assert finding_table([], dataset.index()).columns.tolist() == ["finding", "id", "path", "split", "label"]


def test_an_index_without_newer_columns_is_checked_as_far_as_possible(dataset: StoredDataset) -> None:
    path = dataset.folder / "index.parquet"
    pd.read_parquet(path).drop(columns=["dark_01", "bright_01"]).to_parquet(path, index=False)
    report = quality_report(dataset)
    assert report.missing_columns == ("dark_01", "bright_01")
    assert report.n_flagged == len(FAULTY)
    assert FindingKind.NEAR_DUPLICATE not in report.unchecked
    pd.read_parquet(path).drop(columns="signature").to_parquet(path, index=False)
    report = quality_report(dataset)
    assert report.missing_columns == ("signature", "dark_01", "bright_01")
    assert "only hashes within 3 bits" in report.unchecked[FindingKind.NEAR_DUPLICATE]
    assert report.n_flagged == len(FAULTY)


def test_kinds_are_parsed_and_reasons_described() -> None:
    assert parse_kind(" No-Face ") is FindingKind.NO_FACE
    with pytest.raises(InputError, match=r"'nose' is not a finding\. Choose one of: unreadable"):
        parse_kind("nose")
    assert describe_reason("blank") == "Blank"
    assert describe_reason("my own") == "my own"
