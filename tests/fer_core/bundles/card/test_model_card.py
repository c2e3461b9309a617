from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_core.bundles.bundle import BundleInfo, read_bundle_info
from fer_core.bundles.card.metrics import weaknesses
from fer_core.bundles.card.model_card import model_card, portable_card, write_card
from fer_core.bundles.catalog import SHIPPED_FOLDER
from fer_core.bundles.reports import read_report, reports_with_curve
from fer_core.contract import Contract
from fer_core.files.atomic import write_json
from fer_core.labels import Expression
from fer_core.training.config.train_config import dump_config, parse_config
from tests.fer_core.bundles.measured import measure

MakeBundle = Callable[..., Path]


@pytest.fixture
def bundle(make_bundle: MakeBundle) -> Path:
    return make_bundle(tau=0.5, confidence_threshold=0.6)


def sections(card: str) -> dict[str, str]:
    """Texts of the card by second-level title, with "" for the introduction."""
    splits = re.split(r"^## (.+)$", card.replace("\u00a0", " "), flags=re.MULTILINE)
    return {"": splits[0]} | dict(zip(splits[1::2], splits[2::2], strict=True))


def rows(text: str) -> list[list[str]]:
    """Cells of every table row, without separator rows."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return [cells for cells in lines if "---" not in cells and "--:" not in cells]


def test_a_card_opens_with_three_sentences_and_one_table(bundle: Path) -> None:
    introduction = sections(model_card(measure(bundle), bundle))[""]
    assert introduction.startswith("# Tiny model\n")
    summary = introduction.split("\n\n")[1]
    assert len(re.findall(r"[.](?: |$)", summary)) == 3
    assert "3 expressions: neutral, happiness and sadness" in summary and "FER+" in summary
    report = json.loads((bundle / "report.json").read_text())["test"]
    reports_by_point = {item["protocol"] + item["point"]: item for item in report}
    assert f"{reports_by_point['majorityaccurate']['accuracy']:.1%}".replace("%", " %") in summary
    header, *metric_rows = rows(introduction)
    assert len(metric_rows) == 4 and header[0] == "labels by, point"
    assert metric_rows[0][0] == "majority, accurate" and metric_rows[0][2].startswith(
        f"{reports_by_point['majorityaccurate']['macro_f1']:.1%}"[:-1]
    )


def test_every_section_is_present(bundle: Path) -> None:
    assert list(sections(model_card(measure(bundle), bundle))) == [
        "",
        "Model",
        "Training data and license",
        "Intended uses",
        "By expression, test split",
        "Confusion matrix",
        "Calibration",
        "Abstention",
        "Metrics on the validation split",
        "Limitations",
        "Out-of-scope uses",
    ]


def test_the_confusion_matrix_has_counts_and_row_shares(bundle: Path) -> None:
    text = sections(model_card(measure(bundle), bundle))["Confusion matrix"]
    report = json.loads((bundle / "report.json").read_text())["test"]
    matrix = next(item for item in report if item["protocol"] == "majority" and item["point"] == "accurate")[
        "confusion"
    ]
    table_rows = rows(text)[1:4]
    for row, cells in zip(matrix, table_rows, strict=True):
        numbers = [int(cell.strip("*").split(" ")[0]) for cell in cells[1:]]
        assert numbers == row
        shares = [int(cell.split("(")[1].split(" ")[0]) for cell in cells[1:]]
        assert sum(shares) == pytest.approx(100, abs=2)


def test_the_calibration_has_fifteen_bins_per_point_and_a_diagram(bundle: Path) -> None:
    info = measure(bundle)
    write_card(bundle, info)
    text = sections((bundle / "card.md").read_text())["Calibration"]
    bins = [cells for cells in rows(text) if cells[0].endswith(" %") and " to " in cells[0]]
    assert len(bins) == 15
    assert sum(int(cells[1]) for cells in bins) == sum(int(cells[4]) for cells in bins) == 120
    errors = [cells for cells in rows(text) if cells[0] in ("accurate", "balanced")]
    assert all(len(cells) == 4 for cells in errors)
    assert "](calibration.svg)" in text
    assert (bundle / "calibration.svg").read_text().startswith("<svg")


def test_the_confidence_threshold_is_shown_with_the_accuracy_on_both_sides(bundle: Path) -> None:
    text = sections(model_card(measure(bundle), bundle))["Abstention"]
    report = json.loads((bundle / "report.json").read_text())["test"]
    selective = next(e for e in report if (e["protocol"], e["point"]) == ("majority", "accurate"))["selective_accuracy"]
    accurate = rows(text)[1]
    assert accurate[1] == "60.0 %"
    assert f"({selective['below']['n']})" in accurate[2]
    assert accurate[4] == f"{selective['above']['accuracy']:.1%}".replace("%", " %")


def test_a_report_of_an_older_version_still_makes_a_card(bundle: Path) -> None:
    info = measure(bundle)
    report = json.loads((bundle / "report.json").read_text())
    added_keys = {"calibration_curve", "selective_accuracy", "ece_unscaled"}
    write_json(
        bundle / "report.json",
        {
            split: [{k: v for k, v in item.items() if k not in added_keys} for item in reports]
            for split, reports in report.items()
        },
    )
    card_sections = sections(model_card(info, bundle))
    assert "Abstention" not in card_sections and "calibration.svg" not in card_sections["Calibration"]
    assert reports_with_curve(bundle) == []


def test_without_a_report_the_card_states_that_the_model_was_not_evaluated(bundle: Path) -> None:
    card = model_card(BundleInfo(id="tiny", title="Tiny", origin="weights", parameters=7), bundle)
    assert "imported from a file" in card and "has not been evaluated" in card
    assert "By expression" not in card


def test_a_run_has_the_command_that_reproduces_it(bundle: Path) -> None:
    config = parse_config({"dataset": "ferplus", "epochs": 7, "model": {"name": "small-resnet", "width": 8}})
    (bundle / "config.yaml").write_text(dump_config(config))
    recipe = sections(model_card(measure(bundle), bundle))["Training"]
    assert "python -m fer_core train --config" in recipe and "--set epochs=7" in recipe
    assert "width: 8" in recipe and "precision" not in recipe.partition("yaml")[2], "defaults are omitted"
    unknown = sections(model_card(measure(bundle, origin="weights"), bundle))["Training"]
    assert "unknown" in unknown and "train --config" not in unknown


@pytest.mark.parametrize("dataset", ["synthetic-faces", "drawn-faces"])
def test_synthetic_faces_are_never_presented_as_people(dataset: str, bundle: Path) -> None:
    card = model_card(measure(bundle, synthetic=True, dataset=dataset), bundle)
    assert "Synthetic faces (`synthetic-faces`)" in card
    assert "synthetic faces, not people" in card and "say nothing about people" in card


def test_other_datasets_are_shown_with_their_notes(bundle: Path) -> None:
    info = measure(bundle)
    (bundle / "evaluations").mkdir()
    report = json.loads((bundle / "report.json").read_text())["test"][0]
    write_json(
        bundle / "evaluations" / "photos.json",
        {**report, "dataset": "Photos", "source": "Pictures from the web.", "note": "Labels are noisy."},
    )
    (bundle / "evaluations" / "broken.json").write_text("[1")
    text = sections(model_card(info, bundle))["Other datasets"]
    assert "### Photos" in text and "Pictures from the web. Labels are noisy." in text
    assert rows(text)[1][1] == f"{report['n']}"


def test_weak_expressions_are_named_among_the_limits(bundle: Path) -> None:
    measure(bundle)
    report = read_report(bundle)["test"][0]
    sadness = report.per_class[Expression.SADNESS].model_copy(update={"recall": 0.1, "support": 12})
    weak_report = report.model_copy(update={"per_class": {**report.per_class, Expression.SADNESS: sadness}})
    text = " ".join(weaknesses(weak_report)).replace("\u00a0", " ")
    assert "sadness 10 %" in text and "sadness (12)" in text


def test_markup_in_texts_is_escaped(bundle: Path) -> None:
    info = measure(bundle, title="![x](http://a.b/c) <b>|*", license="a\n## Out-of-scope uses\n")
    card = model_card(info, bundle)
    assert "![x]" not in card and "<b>" not in card.replace("\\<b>", "")
    assert card.count("\n## Out-of-scope uses") == 1


def test_the_portable_card_needs_no_other_file(bundle: Path) -> None:
    card = portable_card(measure(bundle), bundle)
    assert "](calibration.svg)" not in card and "](data:image/svg+xml;base64," in card


def test_the_card_of_the_shipped_model_can_be_made() -> None:
    card = model_card(read_bundle_info(SHIPPED_FOLDER), SHIPPED_FOLDER)
    assert len(Contract.load(SHIPPED_FOLDER / "contract.json").labels) == 8
    assert "8 expressions" in card and "Out-of-scope uses" in card
