from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.quality import face_search
from fer_core.progress import Progress
from fer_core.settings import Settings
from tests.support.commands import Cli, assert_input_error, cli_runner
from tests.support.faulty_dataset import BLANK, DUPLICATES, ID, TEST_COPY, TRAIN_COPY, UNREADABLE, N, import_faulty


@pytest.fixture
def cli(store: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    import_faulty(tmp_path / "faces", store)
    return cli_runner(capsys)


def test_findings_are_listed_with_what_was_not_checked(cli: Cli) -> None:
    result = cli("datasets", "quality", ID, "--json").json
    findings = {finding["kind"]: finding for finding in result["findings"]}
    assert (result["id"], result["n"], result["excluded"], result["flagged"]) == (ID, N, 0, 8)
    assert findings["exact_duplicate"]["n"] == 4
    assert (findings["exact_duplicate"]["redundant"], findings["exact_duplicate"]["suggested_action"]) == (2, "exclude")
    assert (findings["conflict"]["pairs"], findings["conflict"]["suggested_action"]) == (1, "mark_ambiguous")
    assert result["unchecked"]["no_face"] == "faces were not searched for yet"
    assert result["faces"] is None
    output = cli("datasets", "quality", ID).out
    assert f"8 of {N} images have a finding" in output
    assert "not checked: no_face: faces were not searched for yet" in output


def test_the_images_and_pairs_of_a_finding_are_listed(cli: Cli) -> None:
    blank = cli("datasets", "quality", ID, "--finding", "blank", "--json").json
    assert (blank["ids"], blank["redundant"], blank["pairs"], blank["title"]) == ([BLANK], [BLANK], None, "Blank")
    across_splits = cli("datasets", "quality", ID, "--finding", "duplicate_across_splits", "--json").json
    assert [{pair["a"], pair["b"]} for pair in across_splits["pairs"]] == [{TEST_COPY, TRAIN_COPY}]
    assert [(pair["bits"], pair["similarity"]) for pair in across_splits["pairs"]] == [(0, 1)]
    people = cli("datasets", "quality", ID, "--finding", "identity_across_splits", "--json").json
    assert [pair["similarity"] for pair in people["pairs"]] == [None]
    assert across_splits["redundant"] == [TRAIN_COPY]
    assert cli("datasets", "quality", ID, "--finding", "unreadable").out == f"{UNREADABLE}\n"
    assert all(name in cli("datasets", "quality", ID, "--finding", "exact_duplicate").out for name in DUPLICATES)
    tiny = cli("datasets", "quality", ID, "--finding", "tiny", "--json").json
    assert (tiny["ids"], tiny["unchecked"]) == ([], "")
    assert cli("datasets", "quality", ID, "--finding", "tiny").out == "None found.\n"
    assert "not searched for yet" in cli("datasets", "quality", ID, "--finding", "no-face").out


def test_faces_are_searched_for_on_request(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def search(dataset: StoredDataset, settings: Settings, progress: Progress) -> None:
        ids = dataset.raw_index(["id"])["id"]
        counts = [0 if name == DUPLICATES[0] else 1 for name in ids]
        pd.DataFrame({"id": ids, "faces": counts, "score_01": 0.9}).to_parquet(dataset.folder / "faces.parquet")
        (dataset.folder / "faces.json").write_text('{"detector": "yunet"}')
        progress(1.0, "Looked for faces")

    monkeypatch.setattr(face_search, "search_faces", search)
    result = cli("datasets", "quality", ID, "--faces", "--json")
    assert "100.0%  Looked for faces" in result.err
    assert result.json["faces"] == {"searched": N, "detector": "yunet"}
    assert "no_face" not in result.json["unchecked"]
    assert cli("datasets", "quality", ID, "--finding", "no_face", "--json").json["ids"] == [DUPLICATES[0]]


def test_bad_input_is_a_one_line_error(cli: Cli) -> None:
    assert_input_error(cli("datasets", "quality", "none", "--json"), "'none'")
    assert_input_error(cli("datasets", "quality", ID, "--finding", "nose"), "'nose'", "no_face")
    assert_input_error(cli("datasets", "index", "none"), "'none'")


def test_missing_columns_of_an_older_index_are_reported_until_it_is_updated(cli: Cli, store: Settings) -> None:
    path = open_dataset(ID, store).folder / "index.parquet"
    missing_columns = ["signature", "dark_01", "bright_01"]
    pd.read_parquet(path).drop(columns=missing_columns).to_parquet(path, index=False)
    output = cli("datasets", "quality", ID).out
    assert "not measured: signature, dark_01, bright_01. Index the dataset again" in output
    assert "not checked: near_duplicate: an older version indexed the images" in output
    indexed = cli("datasets", "index", ID, "--json")
    assert indexed.json["added"] == missing_columns
    assert (indexed.json["n"], indexed.json["problems"], indexed.json["pixels_changed"]) == (N, 2, 0)
    assert "100.0%" in indexed.err
    assert "not measured" not in cli("datasets", "quality", ID).out
    assert "no new columns" in cli("datasets", "index", ID).out
