from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from fer_core.settings import Settings
from tests.support.commands import Cli, assert_input_error, cli_runner
from tests.support.faulty_dataset import ID, SAME_PERSON, TRAIN_COPY, N, import_faulty

SPLIT = ("datasets", "split", ID)


@pytest.fixture
def cli(store: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    import_faulty(tmp_path / "faces", store)
    return cli_runner(capsys)


def test_the_published_split_is_cleaned_and_its_leakage_reported(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "split.csv"
    result = cli(*SPLIT, "--out", out, "--json").json
    assert result["split"]["kind"] == "published"
    assert result["excluded"] == {"exact_duplicate": 1, "identity": 1}
    assert result["leakage"]["clean"] is True
    assert result["published_leakage"]["clean"] is False
    assert result["published_leakage"]["causes"]["exact_duplicates"] == {
        "groups": 1,
        "images": 2,
        "training": 1,
        "validation": 0,
    }
    splits = pd.read_csv(out).set_index("id")["split"]
    assert len(splits) == N
    assert set(splits.index[splits == "excluded"]) == {TRAIN_COPY, SAME_PERSON[0]}
    assert splits.value_counts().to_dict() == {name: row["total"] for name, row in result["counts"].items()}
    output = cli(*SPLIT).out
    assert "Excluded: 1 identical to a validation or test image" in output
    assert "The published split has 1 training image with an exact duplicate in validation or test" in output


def test_fractions_seed_and_fold_are_applied(cli: Cli) -> None:
    seeded = cli(*SPLIT, "--kind", "seeded", "--valid", 0.2, "--test", 0.3, "--seed", 3, "--json").json
    assert seeded["split"]["seed"] == 3
    assert seeded["counts"]["test"]["total"] == pytest.approx(0.3 * N, abs=3)
    assert seeded["counts"]["valid"]["total"] == pytest.approx(0.2 * N, abs=3)
    folds = [cli(*SPLIT, "--kind", "kfold", "--folds", 3, "--fold", fold, "--json").json for fold in range(3)]
    assert sum(fold["counts"]["test"]["total"] for fold in folds) == N
    assert all(fold["leakage"]["clean"] for fold in folds)


def test_bad_input_is_a_one_line_error(cli: Cli, tmp_path: Path) -> None:
    assert_input_error(cli("datasets", "split", "none"), "'none'")
    assert_input_error(cli(*SPLIT, "--valid", 0.6), "--valid 0.6", "less than 0.5")
    assert_input_error(cli(*SPLIT, "--valid", 0.4, "--test", 0.7), "--test 0.7", "below 0.6")
    assert_input_error(cli(*SPLIT, "--kind", "kfold", "--fold", 5), "--fold 5", "0 to 4")
    assert_input_error(cli(*SPLIT, "--out", "/dev/null/split.csv"), "/dev/null/split.csv")
