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
    found = {finding["kind"]: finding for finding in result["findings"]}
    assert (result["id"], result["n"], result["excluded"], result["flagged"]) == (ID, N, 0, 8)
    assert found["exact_duplicate"]["n"] == 4
    assert (found["exact_duplicate"]["redundant"], found["exact_duplicate"]["suggested_action"]) == (2, "exclude")
    assert (found["conflict"]["pairs"], found["conflict"]["suggested_action"]) == (1, "mark_ambiguous")
    assert result["unchecked"]["no_face"] == "faces were not searched for yet"
    assert result["faces"] is None
    words = cli("datasets", "quality", ID).out
    assert f"8 of {N} images have a finding" in words
    assert "not checked: no_face: faces were not searched for yet" in words


def test_the_images_and_pairs_of_a_finding_are_listed(cli: Cli) -> None:
    blank = cli("datasets", "quality", ID, "--finding", "blank", "--json").json
    assert (blank["ids"], blank["redundant"], blank["pairs"], blank["title"]) == ([BLANK], [BLANK], None, "Blank")
    across = cli("datasets", "quality", ID, "--finding", "duplicate_across_splits", "--json").json
    assert [{pair["a"], pair["b"]} for pair in across["pairs"]] == [{TEST_COPY, TRAIN_COPY}]
    assert [(pair["bits"], pair["similarity"]) for pair in across["pairs"]] == [(0, 1)]
    people = cli("datasets", "quality", ID, "--finding", "identity_across_splits", "--json").json
    assert [pair["similarity"] for pair in people["pairs"]] == [None]
    assert across["redundant"] == [TRAIN_COPY]
    assert cli("datasets", "quality", ID, "--finding", "unreadable").out == f"{UNREADABLE}\n"
    assert all(name in cli("datasets", "quality", ID, "--finding", "exact_duplicate").out for name in DUPLICATES)
    tiny = cli("datasets", "quality", ID, "--finding", "tiny", "--json").json
    assert (tiny["ids"], tiny["unchecked"]) == ([], "")
    assert cli("datasets", "quality", ID, "--finding", "tiny").out == "None found.\n"
    assert "not searched for yet" in cli("datasets", "quality", ID, "--finding", "no-face").out


def test_faces_are_searched_for_first_where_that_is_asked(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def search(dataset: StoredDataset, settings: Settings, progress: Progress) -> None:
        ids = dataset.raw_index(["id"])["id"]
        counts = [0 if name == DUPLICATES[0] else 1 for name in ids]
        pd.DataFrame({"id": ids, "faces": counts, "score_01": 0.9}).to_parquet(dataset.folder / "faces.parquet")
        (dataset.folder / "faces.json").write_text('{"detector": "yunet"}')
        progress(1.0, "Looked for faces")

    monkeypatch.setattr(face_search, "search_faces", search)
    printed = cli("datasets", "quality", ID, "--faces", "--json")
    assert "100.0%  Looked for faces" in printed.err
    assert printed.json["faces"] == {"searched": N, "detector": "yunet"}
    assert "no_face" not in printed.json["unchecked"]
    assert cli("datasets", "quality", ID, "--finding", "no_face", "--json").json["ids"] == [DUPLICATES[0]]


def test_bad_input_is_one_clear_line(cli: Cli) -> None:
    assert_input_error(cli("datasets", "quality", "none", "--json"), "'none'")
    assert_input_error(cli("datasets", "quality", ID, "--finding", "nose"), "'nose'", "no_face")
    assert_input_error(cli("datasets", "index", "none"), "'none'")


def test_an_older_index_is_said_to_lack_columns_until_it_is_made_again(cli: Cli, store: Settings) -> None:
    path = open_dataset(ID, store).folder / "index.parquet"
    lacking = ["signature", "dark_01", "bright_01"]
    pd.read_parquet(path).drop(columns=lacking).to_parquet(path, index=False)
    said = cli("datasets", "quality", ID).out
    assert "not measured: signature, dark_01, bright_01. Index the dataset again" in said
    assert "not checked: near_duplicate: an older version indexed the images" in said
    made = cli("datasets", "index", ID, "--json")
    assert made.json["added"] == lacking
    assert (made.json["n"], made.json["problems"], made.json["pixels_changed"]) == (N, 2, 0)
    assert "100.0%" in made.err
    assert "not measured" not in cli("datasets", "quality", ID).out
    assert "no new columns" in cli("datasets", "index", ID).out
