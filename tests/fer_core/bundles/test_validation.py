"""A bundle from elsewhere is checked before any of it is kept, and its words can't act on a page."""

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
    """A bundle with every report there is, hashes and golden faces in order."""
    folder = make_bundle()
    info = measure(folder)
    save_evaluation(folder, "elsewhere", Evaluation(dataset="Elsewhere", reports=read_report(folder)["test"]))
    make_report().save(folder / "robustness.json")
    return export_bundle(ModelEntry("tiny", "run", folder, info), tmp_path / "exported")


def change(folder: Path, name: str, how: Change) -> None:
    """Change a JSON file of a bundle, and its hash with it, as who means harm would."""
    path = folder / name
    content = json.loads(path.read_text())
    how(content)
    path.write_text(json.dumps(content))
    if name != "bundle.json":
        rehash(folder)


def rehash(folder: Path) -> None:
    info = json.loads((folder / "bundle.json").read_text())
    info["files"] = file_hashes(folder)
    (folder / "bundle.json").write_text(json.dumps(info))


def put(value: object, *place: str | int) -> Change:
    def how(content: Any) -> None:
        for key in place[:-1]:
            content = content[key]
        content[place[-1]] = value

    return how


def refused(folder: Path, store: Settings) -> str:
    """The message with which the import of a bundle is refused; nothing of it is left in the store."""
    with pytest.raises(BundleError) as error:
        import_bundle(folder, store)
    assert not store.models_dir.exists() or list(store.models_dir.iterdir()) == []
    return str(error.value)


REPORT, KEPT, ROBUST = "report.json", "evaluations/elsewhere.json", "robustness.json"


def test_a_whole_bundle_is_imported_and_the_shipped_one_passes(exported: Path, store: Settings) -> None:
    check_bundle(SHIPPED_FOLDER)
    assert import_bundle(exported, store).id == "tiny"


@pytest.mark.parametrize(
    ("name", "how", "said"),
    [
        (REPORT, put(1.5, "test", 0, "accuracy"), ["test.0.accuracy", "less than or equal to 1", "got 1.5"]),
        (REPORT, put(-0.1, "test", 0, "macro_f1"), ["test.0.macro_f1", "greater than or equal to 0"]),
        (REPORT, put(float("nan"), "test", 0, "ece"), ["test.0.ece", "finite number"]),
        (REPORT, put("0.9", "test", 0, "accuracy"), ["test.0.accuracy", "valid number", "'0.9'"]),
        (REPORT, put(10**12, "test", 0, "n"), ["test.0.n", "less than or equal to 1000000000"]),
        (REPORT, put(7, "test", 0, "n"), ["test.0", "confusion has 120 images; n is 7"]),
        (REPORT, put([[1]], "test", 0, "confusion"), ["test.0", "rows of"]),
        (REPORT, put([0.9, 0.1], "test", 0, "intervals", "accuracy"), ["intervals.accuracy", "is reversed"]),
        (REPORT, put([0.5, 2], "test", 0, "intervals", "macro_f1"), ["intervals.macro_f1.1", "got 2"]),
        (REPORT, put("<img src=x>", "test", 0, "protocol"), ["test.0.protocol", "'argmax' or 'majority'"]),
        (REPORT, put(["boredom"], "test", 0, "labels"), ["test.0.labels"]),
        (REPORT, put("x", "test", 0, "hidden"), ["test.0.hidden", "not permitted"]),
        (REPORT, put([], "holiday"), ["holiday", "'test', 'valid' or 'train'"]),
        (REPORT, put({}, "test"), ["test", "valid array"]),
        (REPORT, put([None] * 3, "test", 0, "calibration_curve", "n"), ["calibration_curve.n"]),
        (KEPT, put([], "reports"), ["elsewhere.json", "reports", "at least 1 item"]),
        (KEPT, put("x" * 3000, "note"), ["elsewhere.json", "note", "at most 2000 characters"]),
        (KEPT, put("a\x1b[31mb", "source"), ["elsewhere.json", "source", "control characters"]),
        (KEPT, put(1.01, "reports", 0, "per_class", "happiness", "recall"), ["per_class.happiness.recall", "got 1.01"]),
        (ROBUST, put([0.9, 0.2], "clean", "intervals", "accuracy"), ["robustness.json", "is reversed"]),
        (ROBUST, put(-3, "clean", "accuracy"), ["clean.accuracy", "got -3"]),
        (ROBUST, put("t" * 100, "corruptions", 0, "title"), ["corruptions.0.title", "at most 80 characters"]),
        ("bundle.json", put({"split": "test"}, "metrics"), ["bundle.json", "n", "required"]),
        ("bundle.json", put("x" * 3000, "title"), ["bundle.json", "title", "at most 2000 characters"]),
        ("bundle.json", put(-1, "parameters"), ["parameters", "greater than or equal to 0"]),
    ],
)
def test_a_broken_figure_is_refused_with_its_place(
    name: str, how: Change, said: list[str], exported: Path, store: Settings
) -> None:
    change(exported, name, how)
    message = refused(exported, store)
    assert all(words in message for words in said), message


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"[" * 100_000, b"null"])
def test_what_is_no_report_is_refused(content: bytes, exported: Path, store: Settings) -> None:
    (exported / REPORT).write_bytes(content)
    rehash(exported)
    assert "report.json" in refused(exported, store)


@pytest.mark.parametrize(("name", "limit"), [("report.json", JSON_BYTES_MAX), ("card.md", TEXT_BYTES_MAX)])
def test_a_file_over_its_limit_is_refused(name: str, limit: int, exported: Path, store: Settings) -> None:
    (exported / name).write_bytes(b" " * (limit + 1))
    rehash(exported)
    assert f"{limit:,}" in refused(exported, store)


def test_figures_of_other_labels_are_refused(exported: Path, store: Settings) -> None:
    def swapped(content: Any) -> None:
        labels = content["test"][0]["labels"]
        report = content["test"][0]
        order = [1, 0, *range(2, len(labels))]
        report["labels"] = [labels[place] for place in order]
        report["confusion"] = [[report["confusion"][a][b] for b in order] for a in order]

    change(exported, REPORT, swapped)
    assert "of another model" in refused(exported, store)


def test_a_report_of_an_older_version_is_imported(exported: Path, store: Settings) -> None:
    def older(content: Any) -> None:
        for reports in content.values():
            for report in reports:
                for key in ("classes", "warnings", "ece_unscaled", "calibration_curve", "selective_accuracy"):
                    del report[key]
                for row in report["per_class"].values():
                    del row["precision_interval"], row["f1_interval"]

    change(exported, REPORT, older)
    assert import_bundle(exported, store).id == "tiny"


HOSTILE = (
    "<script>alert(1)</script> ![x](http://evil.example/x.png) [a](http://evil.example) http://evil.example "
    "www.evil.example"
)


def test_words_of_a_bundle_can_neither_load_nor_link_on_its_card(exported: Path, store: Settings) -> None:
    def hostile(content: Any) -> None:
        content |= {"title": HOSTILE, "license": HOSTILE, "dataset": HOSTILE, "created": HOSTILE}

    change(exported, "bundle.json", hostile)
    change(exported, KEPT, put(HOSTILE, "note"))
    change(exported, ROBUST, put("<b>[x](http://e.example)", "corruptions", 0, "title"))
    folder = import_bundle(exported, store).folder
    card = model_card(read_bundle_info(folder), folder)
    assert "evil" in card
    for acting in ("<script", "![x](", "[a](http", "http://", "www.evil", "<b>[x"):
        assert acting not in card.replace("\\<", "").replace("\\[", ""), acting


def test_a_block_of_code_is_not_ended_by_what_is_in_it() -> None:
    block = _block("yaml", "title: 'a\n  ```\n\n  ![x](http://evil.example)'")
    assert block[0] == "````yaml"
    assert block[-2] == "````"
    assert "````" not in "\n".join(block[1:-2])


def test_plain_words_stay_as_they_are_but_for_links() -> None:
    assert escape_markdown("FER+ (images as FER2013): 48 px, 3:1") == "FER+ (images as FER2013): 48 px, 3:1"
    assert "\u2060" in escape_markdown("https://a.example") and "\u2060" in escape_markdown("me@a.example")
