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
    """The card's text by its second-level titles; what is above the first is called ""."""
    splits = re.split(r"^## (.+)$", card.replace("\u00a0", " "), flags=re.MULTILINE)
    return {"": splits[0]} | dict(zip(splits[1::2], splits[2::2], strict=True))


def rows(text: str) -> list[list[str]]:
    """The cells of every table row, heads and rules left out."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return [cells for cells in lines if "---" not in cells and "--:" not in cells]


def test_a_card_opens_with_three_sentences_and_one_table(bundle: Path) -> None:
    opening = sections(model_card(measure(bundle), bundle))[""]
    assert opening.startswith("# Tiny model\n")
    first = opening.split("\n\n")[1]
    assert len(re.findall(r"[.](?: |$)", first)) == 3
    assert "3 expressions: neutral, happiness and sadness" in first and "FER+" in first
    report = json.loads((bundle / "report.json").read_text())["test"]
    found = {each["protocol"] + each["point"]: each for each in report}
    assert f"{found['majorityaccurate']['accuracy']:.1%}".replace("%", " %") in first
    heads, *shown = rows(opening)
    assert len(shown) == 4 and heads[0] == "labels by, point"
    assert shown[0][0] == "majority, accurate" and shown[0][2].startswith(
        f"{found['majorityaccurate']['macro_f1']:.1%}"[:-1]
    )


def test_every_section_is_there(bundle: Path) -> None:
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


def test_the_confusion_has_counts_and_shares_of_the_row(bundle: Path) -> None:
    text = sections(model_card(measure(bundle), bundle))["Confusion matrix"]
    report = json.loads((bundle / "report.json").read_text())["test"]
    matrix = next(each for each in report if each["protocol"] == "majority" and each["point"] == "accurate")[
        "confusion"
    ]
    shown = rows(text)[1:4]
    for row, cells in zip(matrix, shown, strict=True):
        numbers = [int(cell.strip("*").split(" ")[0]) for cell in cells[1:]]
        assert numbers == row
        shares = [int(cell.split("(")[1].split(" ")[0]) for cell in cells[1:]]
        assert sum(shares) == pytest.approx(100, abs=2)


def test_the_calibration_has_fifteen_bins_at_each_point_and_a_picture(bundle: Path) -> None:
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
    found = next(e for e in report if (e["protocol"], e["point"]) == ("majority", "accurate"))["selective_accuracy"]
    accurate = rows(text)[1]
    assert accurate[1] == "60.0 %"
    assert f"({found['below']['n']})" in accurate[2]
    assert accurate[4] == f"{found['above']['accuracy']:.1%}".replace("%", " %")


def test_a_report_of_an_older_version_still_makes_a_card(bundle: Path) -> None:
    info = measure(bundle)
    report = json.loads((bundle / "report.json").read_text())
    new = {"calibration_curve", "selective_accuracy", "ece_unscaled"}
    write_json(
        bundle / "report.json",
        {split: [{k: v for k, v in each.items() if k not in new} for each in found] for split, found in report.items()},
    )
    found = sections(model_card(info, bundle))
    assert "Abstention" not in found and "calibration.svg" not in found["Calibration"]
    assert reports_with_curve(bundle) == []


def test_without_a_report_the_card_says_that_the_model_was_not_evaluated(bundle: Path) -> None:
    card = model_card(BundleInfo(id="tiny", title="Tiny", origin="weights", parameters=7), bundle)
    assert "imported from a file" in card and "has not been evaluated" in card
    assert "By expression" not in card


def test_a_run_says_by_which_command_it_is_made(bundle: Path) -> None:
    config = parse_config({"dataset": "ferplus", "epochs": 7, "model": {"name": "small-resnet", "width": 8}})
    (bundle / "config.yaml").write_text(dump_config(config))
    recipe = sections(model_card(measure(bundle), bundle))["Training"]
    assert "python -m fer_core train --config" in recipe and "--set epochs=7" in recipe
    assert "width: 8" in recipe and "precision" not in recipe.partition("yaml")[2], "defaults are left out"
    unknown = sections(model_card(measure(bundle, origin="weights"), bundle))["Training"]
    assert "unknown" in unknown and "train --config" not in unknown


@pytest.mark.parametrize("dataset", ["synthetic-faces", "drawn-faces"])
def test_synthetic_faces_are_never_presented_as_people(dataset: str, bundle: Path) -> None:
    card = model_card(measure(bundle, synthetic=True, dataset=dataset), bundle)
    assert "Synthetic faces (`synthetic-faces`)" in card
    assert "synthetic faces, not people" in card and "say nothing about people" in card


def test_other_data_is_shown_with_its_words(bundle: Path) -> None:
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
    weak = report.model_copy(update={"per_class": {**report.per_class, Expression.SADNESS: sadness}})
    text = " ".join(weaknesses(weak)).replace("\u00a0", " ")
    assert "sadness 10 %" in text and "sadness (12)" in text


def test_words_of_others_can_not_break_the_card(bundle: Path) -> None:
    info = measure(bundle, title="![x](http://a.b/c) <b>|*", license="a\n## Out-of-scope uses\n")
    found = model_card(info, bundle)
    assert "![x]" not in found and "<b>" not in found.replace("\\<b>", "")
    assert found.count("\n## Out-of-scope uses") == 1


def test_the_portable_card_needs_no_other_file(bundle: Path) -> None:
    card = portable_card(measure(bundle), bundle)
    assert "](calibration.svg)" not in card and "](data:image/svg+xml;base64," in card


def test_the_shipped_models_card_can_be_made() -> None:
    card = model_card(read_bundle_info(SHIPPED_FOLDER), SHIPPED_FOLDER)
    assert len(Contract.load(SHIPPED_FOLDER / "contract.json").labels) == 8
    assert "8 expressions" in card and "Out-of-scope uses" in card
