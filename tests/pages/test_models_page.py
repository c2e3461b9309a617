"""Models: what each can do, the proof, and how one comes in and goes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.bundles.bundle import read_bundle_info
from fer_core.bundles.catalog import SHIPPED, SHIPPED_FOLDER, find_model, model_in_use, use_model
from fer_core.bundles.export_bundle import export_bundle
from fer_core.bundles.import_bundle import import_bundle
from fer_core.bundles.quantization_report import REPORT_FILE as INT8_REPORT
from fer_core.bundles.quantization_report import QuantizationReport, QuantizationResult, Scores
from fer_core.bundles.reports import read_report
from fer_core.settings import Settings
from fer_ui.charts.calibration import TITLE as RELIABILITY_TITLE
from fer_ui.formatting import format_percent
from fer_ui.navigation import Page
from tests.pages.conftest import OpenPage, words
from tests.support.sample_store import RUN

SECTIONS = ("metrics", "confusion", "calibration", "robustness", "card", "files")


@pytest.fixture
def imported(furnished: Settings, tmp_path: Path) -> Iterator[str]:
    """The furnished store's run, exported and imported as a model of its own."""
    path = export_bundle(find_model(RUN, furnished), tmp_path / "tiny.zip")
    entry = import_bundle(path, furnished, model_id="tiny")
    yield entry.id
    shutil.rmtree(entry.folder, ignore_errors=True)
    (furnished.store / "model-in-use.json").unlink(missing_ok=True)


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def said(app: AppTest) -> str:
    html = " ".join(str(block.value) for block in app.get("html"))
    return words(app) + html.replace("&nbsp;", " ")


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens_for_a_run(furnished: Settings, open_page: OpenPage, section: str) -> None:
    app = open_page(Page.MODELS, model=RUN, section=section)
    assert not app.exception and not app.error
    assert "Tiny network" in words(app)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens_for_the_shipped_model(store: Settings, open_page: OpenPage, section: str) -> None:
    app = open_page(Page.MODELS, section=section)
    assert not app.exception and not app.error


def test_the_figures_follow_protocol_and_point(store: Settings, open_page: OpenPage) -> None:
    report = {(each["protocol"], each["point"]): each for each in read_report(SHIPPED_FOLDER)["test"]}
    for (protocol, point), metrics in report.items():
        shown = said(open_page(Page.MODELS, protocol=protocol, point=point))
        assert format_percent(metrics["accuracy"]) in shown and format_percent(metrics["macro_f1"]) in shown
        assert "Precision, recall and F1 by class" in shown


def test_what_8_bits_cost_is_told_by_the_chosen_protocol_at_the_chosen_point(
    furnished: Settings, imported: str, open_page: OpenPage
) -> None:
    before = Scores(accuracy=0.9, balanced_accuracy=0.7, macro_f1=0.71, ece=0.02)
    held = [
        QuantizationResult(
            protocol="argmax",
            point=point,
            n=40,
            fp32=before,
            int8=before.model_copy(update={"accuracy": 0.9 - lost_01}),
            accuracy_drop_01=lost_01,
            accuracy_drop_interval=(lost_01 - 0.001, lost_01 + 0.001),
            agreement_01=0.99,
        )
        for point, lost_01 in (("accurate", 0.0012), ("balanced", -0.0021))
    ]
    path = find_model(imported, furnished).folder / INT8_REPORT
    QuantizationReport(dataset="ferplus", split="valid", calibration_images=8, comparisons=tuple(held)).save(path)
    shown = words(open_page(Page.MODELS, model=imported, protocol="argmax"))
    assert "On 40 images of the split that ferplus calls valid its accuracy is 89.9 %" in shown
    assert "-0.12 percentage points of accuracy against FP32 (95 %: -0.22 to -0.02)" in shown
    shown = words(open_page(Page.MODELS, model=imported, protocol="argmax", point="balanced"))
    assert "+0.21 percentage points of accuracy against FP32" in shown
    path.write_text("{}")
    app = open_page(Page.MODELS, model=imported)
    assert "int8.json" in app.error[0].value and not app.exception


def test_the_calibration_is_drawn_and_the_limit_told(furnished: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.MODELS, model=RUN, section="calibration")
    assert RELIABILITY_TITLE in said(app)
    assert "is shown as uncertain" in words(app)


def test_the_card_is_shown_and_can_be_taken_away(furnished: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.MODELS, model=RUN, section="card")
    assert "Out-of-scope uses" in words(app) and "calibration.svg" not in words(app)
    assert any(button.proto.label == "Download as Markdown" for button in app.get("download_button"))


def test_the_shipped_model_is_verified_on_the_page(store: Settings, open_page: OpenPage) -> None:
    app = press(open_page(Page.MODELS, section="files"), f"verify-{SHIPPED}")
    assert "passed" in app.success[0].value
    assert (app.dataframe[0].value["Passed"] == "yes").all()


def test_a_changed_model_fails_on_the_page(furnished: Settings, imported: str, open_page: OpenPage) -> None:
    (furnished.models_dir / imported / "card.md").write_text("It is perfect.")
    app = press(open_page(Page.MODELS, model=imported, section="files"), f"verify-{imported}")
    assert "1 of" in app.error[0].value and "failed" in app.error[0].value
    assert app.dataframe[0].value.iloc[0]["Check"] == "file card.md", "what failed comes first"


def test_a_run_becomes_one_file(furnished: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.MODELS, model=RUN, section="files")
    assert not any(button.key == f"verify-{RUN}" for button in app.button)
    app = press(app, f"export-{RUN}")
    assert not app.error
    assert any(button.proto.label.startswith(f"Download {RUN}.zip") for button in app.get("download_button"))


def test_an_imported_model_is_deleted_after_a_second_word(
    furnished: Settings, imported: str, open_page: OpenPage
) -> None:
    use_model(imported, furnished)
    app = open_page(Page.MODELS, model=imported, section="files")
    assert app.button(key=f"delete-model-{imported}").disabled
    app.checkbox(key=f"sure-model-{imported}").check().run()
    app = press(app, f"delete-model-{imported}")
    assert not (furnished.models_dir / imported).exists()
    assert model_in_use(furnished) == SHIPPED


@pytest.mark.parametrize("model", [SHIPPED, RUN])
def test_nothing_else_can_be_deleted_here(furnished: Settings, open_page: OpenPage, model: str) -> None:
    app = open_page(Page.MODELS, model=model, section="files")
    assert not any(str(button.key).startswith("delete-model") for button in app.button)


def test_a_link_to_a_model_that_is_gone_says_so_and_shows_another(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.MODELS, model="gone")
    assert "There is no model 'gone'" in app.warning[0].value.replace("\\", "")
    assert read_bundle_info(SHIPPED_FOLDER).title in words(app)


def test_one_model_is_open_and_the_others_are_offered(furnished: Settings, imported: str, open_page: OpenPage) -> None:
    app = open_page(Page.MODELS, model=imported)
    opened = {button.key for button in app.button if str(button.key).startswith("open-")}
    assert opened == {f"open-{SHIPPED}", f"open-{RUN}"}


def test_a_bundle_is_uploaded_verified_and_shown(furnished: Settings, open_page: OpenPage, tmp_path: Path) -> None:
    path = export_bundle(find_model(RUN, furnished), tmp_path / "tiny.zip")
    app = open_page(Page.MODELS)
    assert app.button(key="model-import").disabled
    app.file_uploader(key="model-upload").set_value(("tiny.zip", path.read_bytes(), "application/zip")).run()
    app.text_input(key="model-upload-id").set_value("uploaded").run()
    app = press(app, "model-import")
    assert not app.error
    assert (furnished.models_dir / "uploaded" / "model.onnx").is_file()
    shutil.rmtree(furnished.models_dir / "uploaded")


def test_what_is_no_bundle_is_refused_in_words(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.MODELS)
    app.file_uploader(key="model-upload").set_value(("tiny.zip", b"no archive", "application/zip")).run()
    app = press(app, "model-import")
    assert "can't be read as a bundle" in app.error[0].value
    assert list(store.uploads_dir.iterdir()) == [], "nothing of the upload is left"


def test_weights_ask_for_their_preset(store: Settings, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    def imported_apart(path: Path, *given: str) -> str:
        asked.append((path.name, path.read_bytes(), *given))
        return "mine"

    monkeypatch.setattr("fer_ui.models.import_view.import_weights_in_subprocess", imported_apart)
    app = open_page(Page.MODELS)
    assert not [box for box in app.selectbox if box.key == "model-upload-preset"]
    app.file_uploader(key="model-upload").set_value(("My Weights.PT", b"state", "")).run()
    app.selectbox(key="model-upload-preset").set_value("A-cnn").run()
    app.text_input(key="model-upload-license").set_value("MIT").run()
    press(app, "model-import")
    assert asked == [("My Weights.PT", b"state", "A-cnn", "", "MIT", "")]
