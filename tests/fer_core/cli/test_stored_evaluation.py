"""Commands that evaluate models on a dataset in the store, image by image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core.bundles.catalog import SHIPPED_FOLDER
from fer_core.contract import CONTRACT_FILE, Contract
from fer_core.data.catalog import open_dataset
from fer_core.evaluation.prediction_cache import PredictionKey, logit_table, write_predictions
from fer_core.evaluation.report_schema import ANALYSES, AnnotatedReport
from fer_core.settings import Settings, settings
from tests.support.commands import Cli, cli_runner
from tests.support.sample_store import DATASET, RUN, copy_filled_store


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("evaluated") / "store"
    copy_filled_store(target, tmp_path_factory)
    here = Settings(home=target, offline=True)
    dataset = open_dataset(DATASET, here)
    contract = Contract.load(SHIPPED_FOLDER / CONTRACT_FILE)
    logits = np.random.default_rng(0).normal(size=(dataset.n, len(contract.labels))).astype(np.float32)
    path = PredictionKey.of(dataset.fingerprint, SHIPPED_FOLDER).path(here)
    write_predictions(logit_table(dataset.raw_index(["id"])["id"], logits, contract), path)
    return target


@pytest.fixture
def cli(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    monkeypatch.setenv("FERSCOPE_HOME", str(folder))
    settings.cache_clear()
    yield cli_runner(capsys)
    settings.cache_clear()


def test_models_are_compared_on_common_images(cli: Cli) -> None:
    result = cli("compare", RUN, "default", "--data", DATASET, "--json")
    assert result.code == 0, result.err
    compared = result.json
    assert set(compared["scores"]) == {compared["reference"], compared["differences"][0]["model"]}
    difference = compared["differences"][0]
    gained = (len(difference["fixed"]) - len(difference["broken"])) / compared["n"]
    assert difference["scores"]["accuracy"]["difference"] == pytest.approx(gained)
    assert difference["sentence"].endswith(".") and 0 <= difference["mcnemar_p"] <= 1
    text = cli("compare", RUN, "default", "--data", DATASET).out
    assert f"Compared on {compared['n']} images" in text and "McNemar" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((RUN,), "Two to 6 models can be compared, not 1"),
        ((RUN, RUN), "named twice"),
        ((RUN, "default", "--split", "train"), "There are no images to evaluate in the split 'train'"),
        ((RUN, "gone"), "There is no model 'gone'"),
    ],
)
def test_bad_comparisons_are_refused(cli: Cli, arguments: tuple[str, ...], message: str) -> None:
    result = cli("compare", *arguments, "--data", DATASET)
    assert result.code == 2 and message in result.err


def test_label_errors_are_listed_and_written(cli: Cli, tmp_path: Path) -> None:
    target = tmp_path / "errors.csv"
    result = cli("label-errors", "--model", "default", "--data", DATASET, "--split", "all", "--csv", target, "--json")
    assert result.code == 0, result.err
    found = result.json
    assert found["judged"] > 200 and {"id", "label", "suggested", "kind"} <= set(found["label_errors"][0])
    assert len(target.read_text("utf-8-sig").splitlines()) == len(found["label_errors"]) + 1
    assert "likely wrong" in cli("label-errors", "--data", DATASET, "--split", "all").out


def test_an_evaluation_has_all_scores_and_writes_report_and_predictions(cli: Cli, tmp_path: Path) -> None:
    report, pdf, table = (tmp_path / name for name in ("report.html", "report.pdf", "predictions.parquet"))
    common = ("evaluate", "--model", RUN, "--data", DATASET, "--split", "test")
    result = cli(*common, "--report", report, "--predictions", table, "--json")
    assert result.code == 0, result.err
    scores = result.json["scores"]
    assert len(scores) == 9 and scores["accuracy"]["value"] == pytest.approx(result.json["accuracy"])
    assert {"curves", "aurc", "confusion"} <= set(result.json)
    assert all(sum(each["images"] for each in found) <= result.json["n"] for found in result.json["slices"].values())
    assert "Brightness" in result.json["slices"]
    assert "two classes of at least 5 images" in result.json["label_errors"]["problem"]
    assert "<h2>Likely label errors</h2>" in report.read_text()
    written = pd.read_parquet(table)
    assert len(written) == result.json["n"] + result.json["unlabeled"]
    assert written["correct"].sum() == round(result.json["accuracy"] * result.json["n"])
    csv = tmp_path / "predictions.csv"
    assert cli(*common, "--report", pdf, "--predictions", csv).code == 0
    assert pdf.read_bytes().startswith(b"%PDF")
    assert pd.read_csv(csv)["predicted"].tolist() == written["predicted"].tolist()


@pytest.mark.parametrize(
    ("option", "file", "message"),
    [
        ("--report", "report.docx", "ends with none of .html or .pdf"),
        ("--predictions", "predictions.xlsx", "ends with none of .csv or .parquet"),
        ("--report", "gone/report.html", "there is no folder"),
    ],
)
def test_files_that_cannot_be_written_are_refused_first(
    cli: Cli, tmp_path: Path, option: str, file: str, message: str
) -> None:
    result = cli("evaluate", "--model", RUN, "--data", DATASET, option, tmp_path / file)
    assert result.code == 2 and message in result.err


def test_printed_json_can_be_kept_as_an_evaluation_of_a_run(cli: Cli) -> None:
    """As docs/models.md describes; the analyses in it are no part of the report."""
    printed = cli("evaluate", "--model", RUN, "--data", DATASET, "--split", "test", "--json").json
    assert AnnotatedReport.model_validate(printed).accuracy == printed["accuracy"]
    assert set(printed) >= ANALYSES
