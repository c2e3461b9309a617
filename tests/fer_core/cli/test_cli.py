"""Output and exit codes of commands."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from fer_core.data.manifest import builtin_manifests
from fer_core.errors import CancelledError
from fer_core.jobs.job import JobKind
from fer_core.jobs.store import JobStore
from fer_core.labels import Expression
from fer_core.runs.folder import list_runs
from fer_core.settings import Settings
from fer_core.system.allocator import MALLOC_SETTINGS
from tests.support.commands import Cli, CommandResult, assert_input_error, cli_runner
from tests.support.unlabeled_dataset import DATASET as UNLABELED
from tests.support.unlabeled_dataset import TOTAL, import_unlabeled


@pytest.fixture
def cli(store: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    for name, value in MALLOC_SETTINGS.items():  # as in a restarted process
        monkeypatch.setenv(name, value)

    return cli_runner(capsys)


def test_synthetic_datasets_are_generated_counted_listed_and_deleted(cli: Cli, store: Settings) -> None:
    result = cli("datasets", "generate", "--total", 40, "--json")
    assert (result.code, result.json["id"], result.json["n"], result.json["problems"]) == (0, "synthetic-faces", 40, 0)
    assert "100.0%" in result.err
    stats = cli("datasets", "stats", "synthetic-faces", "--json").json
    assert set(stats) >= {"id", "n", "splits", "unlabeled", "problems", "imbalance"}
    assert set(stats["imbalance"]) >= {"ratio", "entropy_01", "gini"}
    assert sum(sum(split.values()) for split in stats["splits"].values()) == stats["n"] == 40
    assert list(stats["splits"]["train"]) == list(map(str, Expression))
    datasets = {row["id"]: row for row in cli("datasets", "list", "--json").json}
    assert set(datasets) == set(builtin_manifests())
    assert datasets["synthetic-faces"]["n"] == 40
    assert datasets["ferplus"]["imported"] is False
    with JobStore(store) as jobs:
        job = jobs.submit(JobKind.QUALITY, "Look for faces", (), "synthetic-faces")
        assert_input_error(
            cli("datasets", "delete", "synthetic-faces"), "synthetic-faces", job.id, "Cancel the job first"
        )
        jobs.request_cancel(job.id)
    assert cli("datasets", "delete", "synthetic-faces", "--json").json == {"id": "synthetic-faces", "deleted": True}
    assert list(store.datasets_dir.iterdir()) == []


def test_an_archive_is_imported(cli: Cli, archive: Path) -> None:
    result = cli("datasets", "import", archive, "--id", "mine", "--json")
    assert result.code == 0
    assert (result.json["id"], result.json["n"]) == ("mine", 60)
    stats = cli("datasets", "stats", "mine", "--json").json
    assert min(stats["unlabeled"].values()) > 0
    labeled = sum(sum(split.values()) for split in stats["splits"].values())
    assert labeled + sum(stats["unlabeled"].values()) == 60
    assert archive.is_file()


def test_a_dataset_without_labels_is_counted(cli: Cli, store: Settings, tmp_path: Path) -> None:
    import_unlabeled(tmp_path / "faces", store)
    counted = cli("datasets", "stats", UNLABELED)
    assert counted.code == 0, counted.err
    assert f"{TOTAL} images; no labels" in counted.out
    stats = cli("datasets", "stats", UNLABELED, "--json").json
    assert (stats["n"], stats["imbalance"]) == (TOTAL, None)
    assert sum(stats["splits"]["train"].values()) == 0


def test_without_json_the_output_is_text(cli: Cli, archive: Path) -> None:
    assert "60 images" in cli("datasets", "import", archive, "--id", "mine").out
    assert "imbalance ratio" in cli("datasets", "stats", "mine").out
    assert "ferplus" in cli("datasets", "list").out
    assert cli("jobs", "list").out == "No jobs yet.\n"


@pytest.mark.parametrize("good", [True, False])
def test_an_upload_is_moved_or_deleted(good: bool, cli: Cli, archive: Path, store: Settings) -> None:
    store.uploads_dir.mkdir(parents=True)
    upload = store.uploads_dir / "faces.zip"
    upload.write_bytes(archive.read_bytes() if good else b"no zip")
    assert cli("datasets", "import", upload, "--move", "--json").code == (0 if good else 2)
    assert not upload.exists()


def test_a_failed_import_keeps_the_users_file(cli: Cli, archive: Path) -> None:
    cli("datasets", "import", archive, "--id", "mine")
    assert_input_error(cli("datasets", "import", archive, "--move", "--id", "mine"), "'mine' already")
    assert archive.is_file()


def test_bad_input_is_a_one_line_error(cli: Cli, tmp_path: Path, archive: Path) -> None:
    (tmp_path / "no.zip").write_text("words")
    (tmp_path / "empty").mkdir()
    assert_input_error(cli("datasets", "import", tmp_path / "no.zip", "--json"), "no.zip", "not a zip archive")
    assert_input_error(cli("datasets", "import", tmp_path / "none.zip"), "none.zip")
    assert_input_error(cli("datasets", "import", tmp_path / "empty"), "layout was not recognized")
    assert_input_error(cli("datasets", "import", archive, "--layout", "heap"), "'heap'", "ferplus-csv, fer2013-csv")
    assert_input_error(cli("datasets", "import", archive, "--id", "../up"), "'../up'")
    assert_input_error(cli("datasets", "stats", "none", "--json"), "'none'", "none yet")
    assert_input_error(cli("datasets", "delete", "none"), "'none'")
    assert_input_error(cli("datasets", "generate", "--total", 3), "total=3")
    assert_input_error(cli("jobs", "show", "none"), "none")
    assert_input_error(cli("models", "verify", "none"), "'none'")


def test_training_refuses_an_invalid_config(cli: Cli, store: Settings) -> None:
    assert_input_error(cli("train", "--config", "small-soft", "--set", "epoch=3"), "'epoch'", "epochs")
    assert_input_error(cli("train", "--config", "small-soft", "--set", "epochs"), "key=value")
    assert_input_error(cli("train", "--config", "none.yaml"), "none.yaml")
    assert_input_error(cli("train"), "--config")
    assert_input_error(cli("train", "--run", "none"), "'none'")
    assert_input_error(cli("train", "--run", "none", "--set", "epochs=3"), "--set")
    assert_input_error(cli("jobs", "submit", "--config", "small-soft"), "'ferplus'")
    assert list_runs(store) == []


def test_training_on_a_missing_dataset_creates_no_run(cli: Cli, store: Settings) -> None:
    assert_input_error(cli("train", "--config", "small-soft", "--set", "dataset=none", "--json"), "'none'")
    assert list_runs(store) == []


@pytest.mark.parametrize("arguments", [[], ["dance"], ["datasets"], ["datasets", "stats"], ["predict"]])
def test_bad_usage_has_exit_code_2(arguments: list[str], cli: Cli) -> None:
    with pytest.raises(SystemExit) as error_info:
        cli(*arguments)
    assert error_info.value.code == 2


def test_a_bad_setting_is_a_one_line_error(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from fer_core.settings import settings

    monkeypatch.setenv("FERSCOPE_THREADS", "many")
    settings.cache_clear()
    assert_input_error(cli("datasets", "list", "--json"), "FERSCOPE_THREADS='many'")


def test_an_internal_error_has_exit_code_1_and_a_traceback(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("fer_core.cli.datasets.commands.list_datasets", fail)
    result = cli("datasets", "list", "--json")
    assert (result.code, result.out) == (1, "")
    assert "Traceback" in result.err
    assert "error: ZeroDivisionError: oh. This is a bug in FERscope" in result.err


def test_cancelled_work_is_reported(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def cancel(*_: object, **__: object) -> None:
        raise CancelledError("by the user")

    monkeypatch.setattr("fer_core.cli.datasets.imports.make_synthetic_dataset", cancel)
    result = cli("datasets", "generate", "--json")
    assert (result.code, result.out) == (CancelledError.exit_code, "")
    assert "cancelled: by the user" in result.err


def test_the_doctor_checks_the_machine(cli: Cli, store: Settings, bundle: Path) -> None:
    checks = {check["name"]: check for check in cli("doctor", "--json").json["checks"]}
    assert {"Machine", "Processor", "Packages", "Face detector", "Model in use", "Store", "Jobs"} <= set(checks)
    assert {check["status"] for check in checks.values()} <= {"good", "warning", "bad"}
    assert str(store.store) in checks["Store"]["details"]
    for check in checks.values():
        assert check["status"] != "warning" or check["remedy"]


def test_jobs_and_models_are_listed(cli: Cli, bundle: Path) -> None:
    assert cli("jobs", "list", "--json").json == []
    rows = {row["id"]: row for row in cli("models", "list", "--json").json}
    assert rows["tiny"]["kind"] == "imported"
    assert cli("models", "use", "tiny", "--json").json == {"model": "tiny"}
    assert {row["id"] for row in cli("models", "list", "--json").json if row["in_use"]} == {"tiny"}
    assert "tiny" in cli("models", "list").out


@pytest.mark.parametrize("kind", ["archive", "id", "folder path of the model"])
def test_a_model_is_evaluated(kind: str, cli: Cli, archive: Path, bundle: Path) -> None:
    cli("datasets", "import", archive, "--id", "mine")
    model = bundle if kind == "folder path of the model" else "tiny"
    data = "mine" if kind == "id" else archive
    result = cli("evaluate", "--model", model, "--data", data, "--json").json
    stats = cli("datasets", "stats", "mine", "--json").json
    support = {name: sum(split[name] for split in stats["splits"].values()) for name in map(str, Expression)}
    assert {name: class_metrics["support"] for name, class_metrics in result["per_class"].items()} == support
    assert result["n"] == sum(support.values())
    assert result["accuracy"] == pytest.approx(support["happiness"] / result["n"])
    assert result["balanced_accuracy"] == pytest.approx(1 / sum(count > 0 for count in support.values()))
    assert (result["protocol"], result["point"], result["labels"]) == ("argmax", "accurate", list(map(str, Expression)))


def test_split_protocol_and_operating_point_can_be_chosen(cli: Cli, archive: Path, bundle: Path) -> None:
    options = ("--split", "val", "--protocol", "majority", "--point", "balanced", "--json")
    cli("datasets", "import", archive, "--id", "mine")
    for data in (archive, "mine"):
        result = cli("evaluate", "--model", "tiny", "--data", data, *options).json
        assert (result["protocol"], result["point"]) == ("majority", "balanced")
        assert 0 < result["n"] < 10
    assert "Macro-F1" in cli("evaluate", "--model", "tiny", "--data", archive).out


def test_bad_evaluations_are_one_line_errors(cli: Cli, archive: Path, bundle: Path, tmp_path: Path) -> None:
    def evaluate(*arguments: object) -> CommandResult:
        return cli("evaluate", "--model", "tiny", *arguments, "--json")

    (tmp_path / "empty").mkdir()
    assert_input_error(evaluate("--data", tmp_path / "none"), "none")
    assert_input_error(evaluate("--data", tmp_path / "empty"), "layout was not recognized")
    assert_input_error(evaluate("--data", tmp_path / "empty", "--layout", "folders"), "no labeled images")
    assert_input_error(evaluate("--data", archive, "--split", "rest"), "'rest'")
    assert_input_error(cli("evaluate", "--model", "none", "--data", archive), "'none'", "tiny")


def test_predictions_are_one_line_per_image(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    for name, level in (("bright", 250), ("dark", 10)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((40, 30, 3), level, np.uint8))
    (tmp_path / "broken.jpg").write_text("no image")
    (tmp_path / "notes.txt").write_text("not asked for")
    result = cli("predict", tmp_path, "--model", "tiny", "--faces", "whole", "--json")
    assert result.code == 0
    predictions = {Path(line["source"]).name: line for line in map(json.loads, result.out.splitlines())}
    assert set(predictions) == {"bright.png", "broken.jpg", "dark.png"}
    assert predictions["broken.jpg"]["error"]
    assert predictions["broken.jpg"]["faces"] == []
    (bright,), (dark,) = predictions["bright.png"]["faces"], predictions["dark.png"]["faces"]
    assert set(bright) >= {"box", "detector", "detector_score", "label", "confidence", "uncertain", "probabilities"}
    assert bright["label"] == "happiness"
    assert bright["confidence"] > 0.9 > dark["confidence"]
    assert sum(bright["probabilities"].values()) == pytest.approx(1)
    assert (predictions["bright.png"]["width"], predictions["bright.png"]["height"]) == (30, 40)


def test_images_in_a_folder_are_detected_by_content(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    image = cv2.imencode(".png", np.full((64, 64, 3), 120, np.uint8))[1].tobytes()
    for name, content in {"a.jfif": image, "b": image, "broken.gif": b"GIF", "notes.txt": b"Dear diary"}.items():
        (tmp_path / "many" / "deep").mkdir(parents=True, exist_ok=True)
        (tmp_path / "many" / "deep" / name).write_bytes(content)
    result = cli("predict", tmp_path / "many", "--model", "tiny", "--faces", "whole", "--json")
    predictions = [json.loads(line) for line in result.out.splitlines()]
    assert [Path(prediction["source"]).name for prediction in predictions] == ["a.jfif", "b", "broken.gif"]
    assert [bool(prediction.get("error")) for prediction in predictions] == [False, False, True]
    assert "Skipped 1 files" in result.err


@pytest.mark.skipif(sys.platform != "linux", reason="Names on disk are bytes on Linux alone.")
def test_a_name_that_is_not_utf8_is_an_error_of_its_row(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for name in (b"a.png", b"M\xfcller.png", b"red\x1b[31m\n.png"):
        with open(os.fsencode(folder) + b"/" + name, "wb") as file:  # noqa: PTH123
            file.write(cv2.imencode(".png", np.full((64, 64, 3), 120, np.uint8))[1].tobytes())
    result = cli("predict", folder, "--model", "tiny", "--faces", "whole", "--json")
    errors = {
        Path(prediction["source"]).name: prediction["error"] for prediction in map(json.loads, result.out.splitlines())
    }
    assert result.code == 0
    assert "not UTF-8" in errors.pop(r"M\xfcller.png")
    assert errors == {"a.png": "", "red\x1b[31m\n.png": ""}
    output = cli("predict", folder, "--model", "tiny", "--faces", "whole").out
    assert r"M\xfcller.png is not UTF-8" in output
    assert r"red\x1b[31m\n.png:" in output
    assert "\x1b" not in output


def test_the_csv_of_predictions_has_all_files_and_no_formulas(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "=cmd|1+1.png"), np.full((40, 30, 3), 250, np.uint8))
    (tmp_path / "broken.jpg").write_text("no image")
    (tmp_path / "table").mkdir()
    out = tmp_path / "table" / "out.csv"
    options = ("predict", tmp_path, "--model", "tiny", "--faces", "whole", "--csv", out)
    assert cli(*options, "--json").code == 0
    table = pd.read_csv(out).set_index(pd.Series(["good", "broken"]))
    assert table.loc["good", "label"] == "happiness" and table["problem"].isna().tolist() == [True, False]
    assert set(table["model"]) == {"tiny"} and set(table["point"]) == {"accurate"}
    relative_options = ("predict", "=cmd|1+1.png", "--model", "tiny", "--faces", "whole", "--csv", out)
    with contextlib.chdir(tmp_path):
        assert cli(*relative_options).code == 0
    assert pd.read_csv(out).loc[0, "source"] == "'=cmd|1+1.png"


def test_predicting_only_unreadable_files_has_exit_code_2(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_text("no image")
    result = cli("predict", tmp_path / "broken.jpg", "--model", "tiny", "--faces", "whole", "--json")
    assert result.code == 2
    assert json.loads(result.out)["error"]
    (tmp_path / "empty").mkdir()
    assert_input_error(cli("predict", tmp_path / "empty", "--model", "tiny"), "No images were found")
