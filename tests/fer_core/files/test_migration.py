"""Files of an earlier version can still be read; `tests/legacy/store.zip` is a store of that version."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from fer_core.bundles.bundle import Bundle, read_bundle_info
from fer_core.bundles.quantization_report import read_quantization_report
from fer_core.bundles.reports import read_evaluations, read_report, reports_by_split
from fer_core.bundles.validation import check_bundle
from fer_core.calibration import Calibration
from fer_core.comparison.run_summary import summarize_run
from fer_core.contract import Contract
from fer_core.data.catalog import open_dataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.ingest.import_folder import list_imports
from fer_core.data.ingest.import_run import run_import
from fer_core.data.manifest import parse_manifest
from fer_core.data.manifest_store import user_manifests
from fer_core.data.quality.face_search import load_face_search
from fer_core.data.quality.messages import FindingKind
from fer_core.data.quality.report import quality_report
from fer_core.evaluation.robustness_report import read_robustness
from fer_core.experiment import run_experiment
from fer_core.files.migration import (
    CONFIG_KEYS,
    JSON_KEYS,
    rename_command,
    rename_json_keys,
    rename_keys,
    rename_query_params,
)
from fer_core.jobs.job import JobKind
from fer_core.jobs.store import JobStore
from fer_core.runs.folder import Run, RunState, open_run
from fer_core.runs.training_images import load_training_images
from fer_core.settings import Settings
from fer_core.training.config.train_config import load_config, parse_config

STORE = Path(__file__).resolve().parents[2] / "legacy" / "store.zip"


@pytest.fixture
def old(tmp_path: Path) -> Settings:
    with zipfile.ZipFile(STORE) as archive:
        archive.extractall(tmp_path)
    return Settings(home=tmp_path)


def test_the_legacy_store_has_every_old_name(old: Settings) -> None:
    text = "".join(path.read_text() for path in sorted(old.store.rglob("*")) if path.suffix in (".json", ".yaml"))
    for name in (*CONFIG_KEYS, *JSON_KEYS):
        assert f"{name}:" in text or f'"{name}":' in text, name


def test_an_old_config_is_read(old: Settings) -> None:
    config = load_config(old.runs_dir / "teacher" / "config.yaml")
    assert (config.optimizer.learning_rate, config.monitor, config.flip_tta) == (0.02, "loss", True)
    assert config.exclude_ambiguous and config.rebalancing.reweight_start_01 == 0.5
    augment = config.augment.model_dump(exclude_defaults=True)
    assert augment == {
        "flip_prob": 0.5,
        "grayscale_prob": 0.1,
        "erase_prob": 0.1,
        "translate_01": 0.1,
        "jpeg_prob": 0.1,
        "jpeg_quality_min": 30,
        "downscale_prob": 0.2,
        "glasses_prob": 0.1,
        "hand_prob": 0.1,
        "degrade_prob": 0.5,
    }
    student = load_config(old.runs_dir / "student" / "config.yaml")
    assert student.init_from == "teacher"
    assert (student.distillation.teachers, student.distillation.share_01) == (("teacher",), 0.3)


def test_old_keys_can_be_set_and_old_network_names_are_read() -> None:
    content = {"dataset": "x", "model": {"name": "regularised-cnn"}}
    config = parse_config(content, changes=["optimiser.momentum=0.5", "remedy=over-sampling", "augment.flip_01=0.25"])
    assert (config.optimizer.momentum, config.rebalancing.sampling, config.augment.flip_prob) == (0.5, "over", 0.25)
    assert config.model.name == "regularized-cnn"


def test_an_old_run_is_complete_and_predicts(old: Settings) -> None:
    run = open_run("student", old)
    row = summarize_run(run, old)
    assert (row.state, row.problem, row.synthetic, row.labels) == (RunState.FINISHED, "", True, "eight")
    assert row.metrics is not None and (row.metrics.split, row.metrics.n) == ("test", 8)
    bundle = Bundle.open(run.folder)
    assert bundle.info.license.startswith("weights: MIT") and bundle.info.metrics["accuracy"] == 0.25
    assert bundle.calibration.points["accurate"].confidence_threshold == 0.161
    assert (bundle.contract.color, bundle.contract.normalization) == ("gray", "image")
    check_bundle(run.folder)
    assert (run.read_table("split.parquet")["split"] == "left_out").sum() == 1
    assert run.read_split()["split"].value_counts().to_dict() == {"train": 47, "valid": 8, "test": 8, "excluded": 1}
    training_images = load_training_images(run.folder, old)
    assert training_images is not None and len(training_images.trained_on)


def test_reports_of_an_old_model_are_read(old: Settings) -> None:
    folder = old.store / "shipped"
    info = read_bundle_info(folder)
    assert (info.id, info.synthetic, info.metrics["split"]) == ("webcam", False, "test")
    contract = Contract.load(folder / "contract.json")
    thresholds = Calibration.load(folder / "calibration.json", contract.labels).points
    assert [point.confidence_threshold for point in thresholds.values()] == [0.597, 0.621]
    reports = reports_by_split(read_report(folder))
    assert [report.split for report in reports] == ["test", "valid"]
    selective_accuracy = reports[0].headline.selective_accuracy
    assert selective_accuracy is not None and selective_accuracy.confidence_threshold == 0.597
    assert reports[0].headline.unlabeled == 388
    (evaluation,) = read_evaluations(folder)
    assert evaluation.reports[0].macro_f1 > 0
    robustness = read_robustness(folder)
    assert robustness is not None and (robustness.split, robustness.clean.macro_f1) == ("valid", 0.7165494000532274)
    blur = next(curve for curve in robustness.corruptions if curve.name == "blur")
    assert [severity.parameter for severity in blur.severities] == [0.6, 1.0, 1.4, 1.8, 2.2]
    quantization = read_quantization_report(folder)
    assert quantization is not None and quantization.calibration_images == 512
    assert quantization.comparisons[0].agreement_01 == 0.9917550058892816


def test_an_old_dataset_keeps_its_labels_and_corrections(old: Settings) -> None:
    dataset = open_dataset("faces", old)
    index = dataset.index()
    assert dataset.manifest.synthetic and dataset.manifest.license == "for tests alone"
    assert (len(index), int(index["excluded"].sum()), int(index["ambiguous"].sum())) == (64, 1, 1)
    assert "unlabeled" in dataset.columns() and set(index["unlabeled"]) == {""}
    corrections = dataset.corrections()
    actions = [Action.EXCLUDE, Action.RELABEL, Action.AMBIGUOUS, Action.AMBIGUOUS, Action.UNDO]
    assert [change.action for change in reversed(corrections.history())] == actions
    corrections.mark(Action.AMBIGUOUS, [index["id"].iloc[5]], "by hand")
    assert int(open_dataset("faces", old).index(["id"])["ambiguous"].sum()) == 2
    assert not (dataset.folder / "corrections.jsonl").exists(), "one file holds all changes"
    assert set(user_manifests(old)) == {"own-faces"}


def test_an_old_unfinished_import_resumes(old: Settings) -> None:
    (work,) = list_imports(old)
    assert (work.id, work.move, work.n_chunks, work.ready) == ("unfinished", True, 1, True)
    chunk = work.folder / "parts" / "000000.parquet"
    assert "unlabelled" in pq.read_schema(chunk).names, "a chunk with the old names"
    run_import(work, old)
    dataset = open_dataset("unfinished", old)
    assert dataset.columns() == open_dataset("faces", old).columns()
    assert dataset.index()["unlabeled"].value_counts().to_dict() == {"": 67, "left_out": 33}


def test_only_the_keys_of_a_manifest_are_renamed_not_its_labels() -> None:
    manifest = {"id": "a", "title": "", "summary": "", "licence": "x", "drawn": True, "labels": {"drawn": None}}
    parsed = parse_manifest(manifest, "it")
    assert (parsed.license, parsed.synthetic, parsed.labels) == ("x", True, {"drawn": None})


def test_the_quality_report_of_an_old_dataset_uses_its_stored_results(old: Settings) -> None:
    dataset = open_dataset("faces", old)
    assert pq.read_schema(dataset.folder / "pairs.parquet").names[-1] == "likeness"
    faces, detector = load_face_search(dataset)
    report = quality_report(dataset, faces, version=0)
    assert {finding.kind: len(finding.rows) for finding in report.findings} == {
        FindingKind.CONFLICT: 2,
        FindingKind.NEAR_DUPLICATE: 2,
    }
    assert detector == "yunet" and FindingKind.NO_FACE not in report.unchecked


def test_an_interrupted_training_is_resumed(old: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    run = open_run("interrupted", old)
    assert run.state is RunState.UNFINISHED and run.metrics()["epoch"].tolist() == [1]
    onnx_model = open_run("student", old).path("model.onnx").read_bytes()  # exporting would be slow
    monkeypatch.setattr("fer_core.experiment.export_onnx", lambda *_: onnx_model)
    run_experiment(run, old, resume=True)
    assert run.state is RunState.FINISHED and run.metrics()["epoch"].tolist() == [1, 2]
    assert "resumed on" in run.log()


@pytest.mark.parametrize(
    ("link", "renamed"),
    [
        ({"dataset": "a", "part": "valid"}, {"dataset": "a", "split": "valid"}),
        ({"split": "kfold~0.1~0.1~5~0~0"}, {"split_config": "kfold~0.1~0.1~5~0~0"}),
        ({"part": "test", "split": "seeded"}, {"split": "test", "split_config": "seeded"}),
        (
            {"remedy": "over-sampling", "disputed": "left-out"},
            {"rebalancing": "over-sampling", "ambiguous": "left-out"},
        ),
        ({"mark": "disputed"}, {"mark": "ambiguous"}),
        ({"kind": "draw"}, {"kind": "generate"}),
        ({"recipe": "study-b"}, {"policy": "study-b"}),
        ({"split": "train", "split_config": "seeded", "mark": "excluded"}, None),
    ],
)
def test_old_query_params_are_renamed(link: dict[str, str], renamed: dict[str, str] | None) -> None:
    assert rename_query_params(link) == (link if renamed is None else renamed)


def test_old_commands_are_renamed() -> None:
    assert rename_command(["datasets", "draw", "--id", "x"]) == ["datasets", "generate", "--id", "x"]
    assert rename_command(["quantise", "--model", "draw"]) == ["quantize", "--model", "draw"]
    assert rename_command(["datasets", "import", "--work", "x", "a.zip", "--take"])[2:] == [
        "--resume",
        "x",
        "a.zip",
        "--move",
    ]
    assert rename_command(["quantise", "--ranges=train", "--faces", "9", "--keep"])[1:] == [
        "--calibration-split=train",
        "--calibration-images",
        "9",
        "--save",
    ]
    assert rename_command(["evaluate", "--data", "x", "--keep"])[1:] == ["--data", "x", "--save"]
    assert rename_command(["robustness", "--to", "a.json", "--keep"])[1:] == ["--out", "a.json", "--save"]
    assert rename_command(["models", "list-images", "x"]) == ["models", "record-training-images", "x"]
    assert rename_command(["models", "export", "x", "--to", "y"]) == ["models", "export", "x", "--to", "y"]
    assert rename_command(["predict", "x.png", "--faces", "detect"]) == ["predict", "x.png", "--faces", "detect"]
    assert rename_command(["datasets", "list"]) == ["datasets", "list"]
    assert rename_command([]) == []


def test_old_jobs_have_a_current_job_kind(old: Settings) -> None:
    with JobStore(old) as jobs:
        assert {job.kind for job in jobs.list()} == {JobKind.TRAIN, JobKind.GENERATE, JobKind.QUALITY}
        (generate,) = jobs.list(kind=JobKind.GENERATE)
    assert generate.args[:2] == ("datasets", "draw")
    assert rename_command(generate.command_args)[:2] == ["datasets", "generate"]


def test_new_names_and_values_are_not_changed() -> None:
    content = {"title": 'the "figures": part', "figures": 1, "inner": [{"part": "x", "split": "y"}]}
    text = json.dumps(content).encode()
    assert json.loads(rename_json_keys(text))["title"] == content["title"]
    assert rename_keys({"part": 1, "split": 2}, JSON_KEYS) == {"part": 1, "split": 2}
    new = yaml.safe_load(yaml.safe_dump({"optimizer": {"name": "sgd"}}))
    assert rename_keys(new, CONFIG_KEYS) == new


def test_an_old_config_is_not_rewritten(old: Settings) -> None:
    assert "optimiser" in Run(old.runs_dir / "student").config_text(), "nothing is rewritten on disk"
