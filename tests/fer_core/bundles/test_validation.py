"""Validation of imported bundles and escaping of their texts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fer_core.bundles.bundle import read_bundle_info
from fer_core.bundles.card.model_card import model_card
from fer_core.bundles.card.training_details import _block
from fer_core.bundles.catalog import SHIPPED_FOLDER, ModelEntry
from fer_core.bundles.export_bundle import export_bundle
from fer_core.bundles.import_bundle import import_bundle
from fer_core.bundles.reports import read_report, save_evaluation
from fer_core.bundles.validation import TEXT_BYTES_MAX, check_bundle
from fer_core.bundles.verification import file_hashes
from fer_core.errors import BundleError
from fer_core.evaluation.report_schema import Evaluation
from fer_core.files.json_file import JSON_BYTES_MAX
from fer_core.markdown import escape_markdown
from fer_core.settings import Settings
from tests.fer_core.bundles.measured import measure
from tests.support.robustness_reports import make_report

Change = Callable[[Any], object]


@pytest.fixture
def exported(make_bundle: Callable[..., Path], tmp_path: Path) -> Path:
    """A valid bundle with every kind of report, hashes and golden faces."""
    folder = make_bundle()
    info = measure(folder)
    save_evaluation(folder, "elsewhere", Evaluation(dataset="Elsewhere", reports=read_report(folder)["test"]))
    make_report().save(folder / "robustness.json")
    return export_bundle(ModelEntry("tiny", "run", folder, info), tmp_path / "exported")


def change_json(folder: Path, name: str, edit: Change) -> None:
    """Change a JSON file of a bundle and update its hash."""
    path = folder / name
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    if name != "bundle.json":
        rehash(folder)


def rehash(folder: Path) -> None:
    info = json.loads((folder / "bundle.json").read_text())
    info["files"] = file_hashes(folder)
    (folder / "bundle.json").write_text(json.dumps(info))


def set_value(value: object, *path: str | int) -> Change:
    def edit(content: Any) -> None:
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return edit


def import_error(folder: Path, store: Settings) -> str:
    """Message of a refused import, after checking that nothing is stored."""
    with pytest.raises(BundleError) as error:
        import_bundle(folder, store)
    assert not store.models_dir.exists() or list(store.models_dir.iterdir()) == []
    return str(error.value)


REPORT, EVALUATION, ROBUST = "report.json", "evaluations/elsewhere.json", "robustness.json"


def test_a_valid_bundle_is_imported_and_the_shipped_one_passes(exported: Path, store: Settings) -> None:
    check_bundle(SHIPPED_FOLDER)
    assert import_bundle(exported, store).id == "tiny"


@pytest.mark.parametrize(
    ("name", "edit", "expected_texts"),
    [
        (REPORT, set_value(1.5, "test", 0, "accuracy"), ["test.0.accuracy", "less than or equal to 1", "got 1.5"]),
        (REPORT, set_value(-0.1, "test", 0, "macro_f1"), ["test.0.macro_f1", "greater than or equal to 0"]),
        (REPORT, set_value(float("nan"), "test", 0, "ece"), ["test.0.ece", "finite number"]),
        (REPORT, set_value("0.9", "test", 0, "accuracy"), ["test.0.accuracy", "valid number", "'0.9'"]),
        (REPORT, set_value(10**12, "test", 0, "n"), ["test.0.n", "less than or equal to 1000000000"]),
        (REPORT, set_value(7, "test", 0, "n"), ["test.0", "confusion has 120 images; n is 7"]),
        (REPORT, set_value([[1]], "test", 0, "confusion"), ["test.0", "rows of"]),
        (REPORT, set_value([0.9, 0.1], "test", 0, "intervals", "accuracy"), ["intervals.accuracy", "is reversed"]),
        (REPORT, set_value([0.5, 2], "test", 0, "intervals", "macro_f1"), ["intervals.macro_f1.1", "got 2"]),
        (REPORT, set_value("<img src=x>", "test", 0, "protocol"), ["test.0.protocol", "'argmax' or 'majority'"]),
        (REPORT, set_value(["boredom"], "test", 0, "labels"), ["test.0.labels"]),
        (REPORT, set_value("x", "test", 0, "hidden"), ["test.0.hidden", "not permitted"]),
        (REPORT, set_value([], "holiday"), ["holiday", "'test', 'valid' or 'train'"]),
        (REPORT, set_value({}, "test"), ["test", "valid array"]),
        (REPORT, set_value([None] * 3, "test", 0, "calibration_curve", "n"), ["calibration_curve.n"]),
        (EVALUATION, set_value([], "reports"), ["elsewhere.json", "reports", "at least 1 item"]),
        (EVALUATION, set_value("x" * 3000, "note"), ["elsewhere.json", "note", "at most 2000 characters"]),
        (EVALUATION, set_value("a\x1b[31mb", "source"), ["elsewhere.json", "source", "control characters"]),
        (
            EVALUATION,
            set_value(1.01, "reports", 0, "per_class", "happiness", "recall"),
            ["per_class.happiness.recall", "got 1.01"],
        ),
        (ROBUST, set_value([0.9, 0.2], "clean", "intervals", "accuracy"), ["robustness.json", "is reversed"]),
        (ROBUST, set_value(-3, "clean", "accuracy"), ["clean.accuracy", "got -3"]),
        (ROBUST, set_value("t" * 100, "corruptions", 0, "title"), ["corruptions.0.title", "at most 80 characters"]),
        ("bundle.json", set_value({"split": "test"}, "metrics"), ["bundle.json", "n", "required"]),
        ("bundle.json", set_value("x" * 3000, "title"), ["bundle.json", "title", "at most 2000 characters"]),
        ("bundle.json", set_value(-1, "parameters"), ["parameters", "greater than or equal to 0"]),
    ],
)
def test_an_invalid_value_is_refused_with_its_path(
    name: str, edit: Change, expected_texts: list[str], exported: Path, store: Settings
) -> None:
    change_json(exported, name, edit)
    message = import_error(exported, store)
    assert all(text in message for text in expected_texts), message


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"[" * 100_000, b"null"])
def test_an_invalid_report_is_refused(content: bytes, exported: Path, store: Settings) -> None:
    (exported / REPORT).write_bytes(content)
    rehash(exported)
    assert "report.json" in import_error(exported, store)


@pytest.mark.parametrize(("name", "limit"), [("report.json", JSON_BYTES_MAX), ("card.md", TEXT_BYTES_MAX)])
def test_a_file_over_its_limit_is_refused(name: str, limit: int, exported: Path, store: Settings) -> None:
    (exported / name).write_bytes(b" " * (limit + 1))
    rehash(exported)
    assert f"{limit:,}" in import_error(exported, store)


def test_reports_of_other_labels_are_refused(exported: Path, store: Settings) -> None:
    def swap_labels(content: Any) -> None:
        labels = content["test"][0]["labels"]
        report = content["test"][0]
        order = [1, 0, *range(2, len(labels))]
        report["labels"] = [labels[index] for index in order]
        report["confusion"] = [[report["confusion"][a][b] for b in order] for a in order]

    change_json(exported, REPORT, swap_labels)
    assert "of another model" in import_error(exported, store)


def test_a_report_of_an_older_version_is_imported(exported: Path, store: Settings) -> None:
    def remove_new_keys(content: Any) -> None:
        for reports in content.values():
            for report in reports:
                for key in ("classes", "warnings", "ece_unscaled", "calibration_curve", "selective_accuracy"):
                    del report[key]
                for row in report["per_class"].values():
                    del row["precision_interval"], row["f1_interval"]

    change_json(exported, REPORT, remove_new_keys)
    assert import_bundle(exported, store).id == "tiny"


MARKUP = (
    "<script>alert(1)</script> ![x](http://evil.example/x.png) [a](http://evil.example) http://evil.example "
    "www.evil.example"
)


def test_markup_in_a_bundle_is_inert_on_its_card(exported: Path, store: Settings) -> None:
    def insert_markup(content: Any) -> None:
        content |= {"title": MARKUP, "license": MARKUP, "dataset": MARKUP, "created": MARKUP}

    change_json(exported, "bundle.json", insert_markup)
    change_json(exported, EVALUATION, set_value(MARKUP, "note"))
    change_json(exported, ROBUST, set_value("<b>[x](http://e.example)", "corruptions", 0, "title"))
    folder = import_bundle(exported, store).folder
    card = model_card(read_bundle_info(folder), folder)
    assert "evil" in card
    for active_markup in ("<script", "![x](", "[a](http", "http://", "www.evil", "<b>[x"):
        assert active_markup not in card.replace("\\<", "").replace("\\[", ""), active_markup


def test_a_code_block_is_not_ended_by_its_content() -> None:
    block = _block("yaml", "title: 'a\n  ```\n\n  ![x](http://evil.example)'")
    assert block[0] == "````yaml"
    assert block[-2] == "````"
    assert "````" not in "\n".join(block[1:-2])


def test_plain_text_is_unchanged_except_for_links() -> None:
    assert escape_markdown("FER+ (images as FER2013): 48 px, 3:1") == "FER+ (images as FER2013): 48 px, 3:1"
    assert "\u2060" in escape_markdown("https://a.example") and "\u2060" in escape_markdown("me@a.example")
