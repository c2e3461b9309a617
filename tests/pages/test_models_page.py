"""The Models page: metrics, verification, export, import, deletion."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.bundles.catalog import SHIPPED, SHIPPED_FOLDER, active_model_id, find_model, set_active_model
from fer_core.bundles.export_bundle import export_bundle
from fer_core.bundles.import_bundle import import_bundle
from fer_core.bundles.model_comparison import compare_models, evaluated_model
from fer_core.bundles.quantization_report import INT8_REPORT_FILE, QuantizationReport, QuantizationResult
from fer_core.bundles.reports import read_report
from fer_core.calibration import Calibration
from fer_core.contract import Contract
from fer_core.evaluation.report_schema import Scores, write_reports
from fer_core.settings import Settings
from fer_ui.charts.calibration import TITLE as RELIABILITY_TITLE
from fer_ui.formatting import format_percent
from fer_ui.model_choices import NOT_CALIBRATED
from fer_ui.models.table_view import ACTIVATE_KEY
from fer_ui.navigation import Page
from tests.pages.conftest import OpenPage
from tests.support.app_test import page_text
from tests.support.sample_store import RUN
from tests.support.texts import assert_mentions

SECTIONS = ("metrics", "confusion", "calibration", "robustness", "card", "files")


@pytest.fixture
def imported(filled_store: Settings, tmp_path: Path) -> Iterator[str]:
    """The run of `filled_store`, exported and imported as the model `tiny`."""
    path = export_bundle(find_model(RUN, filled_store), tmp_path / "tiny.zip")
    entry = import_bundle(path, filled_store, model_id="tiny")
    yield entry.id
    shutil.rmtree(entry.folder, ignore_errors=True)
    (filled_store.store / "model-in-use.json").unlink(missing_ok=True)


def press_key(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens_for_a_run(filled_store: Settings, open_page: OpenPage, section: str) -> None:
    app = open_page(Page.MODELS, model=RUN, section=section)
    assert not app.exception and not app.error
    assert "Tiny network" in page_text(app)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens_for_the_shipped_model(store: Settings, open_page: OpenPage, section: str) -> None:
    app = open_page(Page.MODELS, section=section)
    assert not app.exception and not app.error


def test_a_single_model_has_nothing_to_compare_with(store: Settings, open_page: OpenPage) -> None:
    text = page_text(open_page(Page.MODELS))
    assert "Only one model so far" in text
    assert "No two models" not in text


def test_metrics_follow_protocol_and_point(store: Settings, open_page: OpenPage) -> None:
    report = {(metrics.protocol, metrics.point): metrics for metrics in read_report(SHIPPED_FOLDER)["test"]}
    for (protocol, point), metrics in report.items():
        text = page_text(open_page(Page.MODELS, model=SHIPPED, protocol=protocol, point=point))
        assert format_percent(metrics.accuracy) in text and format_percent(metrics.macro_f1) in text
        assert "Precision, recall and F1 by class" in text


def test_the_int8_accuracy_drop_follows_protocol_and_point(
    filled_store: Settings, imported: str, open_page: OpenPage
) -> None:
    fp32 = Scores(accuracy=0.9, balanced_accuracy=0.7, macro_f1=0.71, ece=0.02)
    results = [
        QuantizationResult(
            protocol="argmax",
            point=point,
            n=40,
            fp32=fp32,
            int8=fp32.model_copy(update={"accuracy": 0.9 - drop_01}),
            accuracy_drop_01=drop_01,
            accuracy_drop_interval=(drop_01 - 0.001, drop_01 + 0.001),
            agreement_01=0.99,
        )
        for point, drop_01 in (("accurate", 0.0012), ("balanced", -0.0021))
    ]
    path = find_model(imported, filled_store).folder / INT8_REPORT_FILE
    QuantizationReport(dataset="ferplus", split="valid", calibration_images=8, comparisons=tuple(results)).save(path)
    text = page_text(open_page(Page.MODELS, model=imported, protocol="argmax"))
    assert_mentions(text, "40 images", "FER+", "valid", "89.9 %", "−0.12", "FP32", "95 %", "−0.22", "−0.02")
    text = page_text(open_page(Page.MODELS, model=imported, protocol="argmax", point="balanced"))
    assert_mentions(text, "+0.21 percentage points", "FP32")
    path.write_text("{}")
    app = open_page(Page.MODELS, model=imported)
    assert "int8.json" in app.error[0].value and not app.exception


def test_the_reliability_diagram_and_the_confidence_threshold_are_shown(
    filled_store: Settings, open_page: OpenPage
) -> None:
    app = open_page(Page.MODELS, model=RUN, section="calibration")
    assert RELIABILITY_TITLE in page_text(app)
    assert "is shown as uncertain" in page_text(app)


def test_the_card_is_shown_and_can_be_downloaded(filled_store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.MODELS, model=RUN, section="card")
    assert "Out-of-scope uses" in page_text(app) and "calibration.svg" not in page_text(app)
    assert any(button.proto.label == "Download card" for button in app.get("download_button"))


def test_the_shipped_model_is_verified_on_the_page(store: Settings, open_page: OpenPage) -> None:
    app = press_key(open_page(Page.MODELS, section="files"), f"verify-{SHIPPED}")
    assert "passed" in app.success[0].value
    assert (app.dataframe[0].value["Passed"] == "yes").all()


def test_a_changed_model_fails_on_the_page(filled_store: Settings, imported: str, open_page: OpenPage) -> None:
    (filled_store.models_dir / imported / "card.md").write_text("It is perfect.")
    app = press_key(open_page(Page.MODELS, model=imported, section="files"), f"verify-{imported}")
    assert "1 of" in app.error[0].value and "failed" in app.error[0].value
    assert app.dataframe[0].value.iloc[0]["Check"] == "file card.md", "failed checks come first"


def test_a_run_is_exported_as_one_file(filled_store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.MODELS, model=RUN, section="files")
    assert not any(button.key == f"verify-{RUN}" for button in app.button)
    app = press_key(app, f"export-{RUN}")
    assert not app.error
    assert any(button.proto.label.startswith(f"Download {RUN}.zip") for button in app.get("download_button"))


def test_an_imported_model_is_deleted_after_confirmation(
    filled_store: Settings, imported: str, open_page: OpenPage
) -> None:
    set_active_model(imported, filled_store)
    app = open_page(Page.MODELS, model=imported, section="files")
    assert app.button(key=f"delete-model-{imported}").disabled
    app.checkbox(key=f"sure-model-{imported}").check().run()
    app = press_key(app, f"delete-model-{imported}")
    assert not (filled_store.models_dir / imported).exists()
    assert active_model_id(filled_store) == SHIPPED


@pytest.mark.parametrize("model", [SHIPPED, RUN])
def test_other_models_can_not_be_deleted(filled_store: Settings, open_page: OpenPage, model: str) -> None:
    app = open_page(Page.MODELS, model=model, section="files")
    assert not any(str(button.key).startswith("delete-model") for button in app.button)


def test_a_link_to_a_missing_model_says_so_and_offers_the_others(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.MODELS, model="gone")
    assert "There is no model 'gone'" in app.warning[0].value.replace("\\", "")
    assert not app.dataframe, "no other model's numbers under this address"
    app.selectbox(key="model-instead").set_value(SHIPPED).run()
    assert "trained on FER+" in page_text(app)


def test_all_models_are_in_the_list_and_in_the_table_in_a_fixed_order(
    filled_store: Settings, imported: str, open_page: OpenPage
) -> None:
    titles = [find_model(each, filled_store).info.title for each in (SHIPPED, imported, RUN)]
    assert len(set(titles)) == 3, "an imported model's title is numbered if it is taken"
    for active in (SHIPPED, RUN, imported):
        set_active_model(active, filled_store)
        app = open_page(Page.MODELS)
        assert app.selectbox(key="model").options == ["All models", *titles]
        table = app.dataframe[0].value
        assert table["Model"].tolist() == titles
        assert (table["Action"] == "in use").tolist() == [active == each for each in (SHIPPED, imported, RUN)]
    app.selectbox(key="model").set_value(SHIPPED).run()
    assert "trained on FER+" in page_text(app) and not app.exception


def test_a_better_model_becomes_active_at_once(filled_store: Settings, imported: str, open_page: OpenPage) -> None:
    app = press_key(open_page(Page.MODELS, model=RUN), f"use-{RUN}")
    assert active_model_id(filled_store) == RUN
    assert "Model in use: Tiny network" in page_text(app), "the sidebar names it at once"
    assert not [button for button in app.button if button.key == f"use-{RUN}"]


def test_the_active_model_can_be_chosen_by_keyboard(filled_store: Settings, imported: str, open_page: OpenPage) -> None:
    """The buttons of the table are painted on a canvas, where no key presses them."""
    set_active_model(SHIPPED, filled_store)
    box = open_page(Page.MODELS).selectbox(key=ACTIVATE_KEY)
    assert box.options == [find_model(each, filled_store).info.title for each in (imported, RUN)]
    app = box.select_index(1).run()
    assert active_model_id(filled_store) == RUN and app.selectbox(key=ACTIVATE_KEY).value is None


def test_a_model_that_is_worse_on_the_same_images_asks_first(
    filled_store: Settings, imported: str, open_page: OpenPage
) -> None:
    path = find_model(imported, filled_store).folder / "report.json"
    reports = read_report(path.parent)
    for each in reports.values():
        for index, report in enumerate(each):
            intervals = report.intervals | {"macro_f1": (0.0, 0.001)}
            each[index] = report.model_copy(update={"macro_f1": 0.0005, "intervals": intervals})
    write_reports(path, reports)
    set_active_model(RUN, filled_store)
    app = press_key(open_page(Page.MODELS, model=imported), f"use-{imported}")
    assert active_model_id(filled_store) == RUN, "nothing changes before the confirmation"
    assert_mentions(page_text(app), "On the same", "the macro-F1 of Tiny network (2) is", "points lower than that of")
    press_key(app, "activate-anyway")
    assert active_model_id(filled_store) == imported


def test_a_bundle_is_uploaded_verified_and_shown(filled_store: Settings, open_page: OpenPage, tmp_path: Path) -> None:
    path = export_bundle(find_model(RUN, filled_store), tmp_path / "tiny.zip")
    app = open_page(Page.MODELS, view="import")
    assert app.button(key="model-import").disabled
    app.file_uploader(key="model-upload").set_value(("tiny.zip", path.read_bytes(), "application/zip")).run()
    app.text_input(key="model-upload-id").set_value("uploaded").run()
    app = press_key(app, "model-import")
    assert not app.error
    assert (filled_store.models_dir / "uploaded" / "model.onnx").is_file()
    shutil.rmtree(filled_store.models_dir / "uploaded")


def test_a_file_that_is_no_bundle_is_refused_with_a_message(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.MODELS, view="import")
    app.file_uploader(key="model-upload").set_value(("tiny.zip", b"no archive", "application/zip")).run()
    app = press_key(app, "model-import")
    assert "can't be read as a bundle" in app.error[0].value
    assert list(store.uploads_dir.iterdir()) == [], "the upload is deleted"


def test_the_network_of_weights_is_prefilled_from_their_tensors(
    filled_store: Settings, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[object, ...]] = []

    def record_import(path: Path, *arguments: object) -> str:
        calls.append((path.name, path.read_bytes(), *arguments))
        return RUN

    monkeypatch.setattr("fer_ui.models.import_view.import_weights_in_subprocess", record_import)
    content = (SHIPPED_FOLDER / "weights.safetensors").read_bytes()
    app = open_page(Page.MODELS, view="import")
    app.file_uploader(key="model-upload").set_value(("My Weights.SAFETENSORS", content, "")).run()
    network = app.selectbox(key="model-upload-network-halved-se-resnet")
    assert network.value == "halved-se-resnet"
    assert "8 outputs, width 32" in page_text(app)
    network.set_value("small-se-resnet").run()
    assert "The tensors look like Residual network of half the side" in page_text(app)
    app.text_input(key="model-upload-license").set_value("MIT").run()
    press_key(app, "model-import")
    assert calls == [("My Weights.SAFETENSORS", content, "", ("small-se-resnet", "eight", "", "MIT", ""))]


def test_the_order_of_outputs_of_a_foreign_network_is_asked_for(store: Settings, open_page: OpenPage) -> None:
    shapes = {"conv1.weight": [64, 3, 7, 7], "fc.weight": [8, 512], "layer1.0.conv1.weight": [64, 64, 3, 3]}
    shapes |= {"layer3.0.conv1.weight": [256, 128, 3, 3], "layer3.1.conv1.weight": [256, 256, 3, 3]}
    tensors = {name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]} for name, shape in shapes.items()}
    header = json.dumps(tensors).encode()
    app = open_page(Page.MODELS, view="import")
    content = len(header).to_bytes(8, "little") + header
    app.file_uploader(key="model-upload").set_value(("resnet.safetensors", content, "")).run()
    order = app.selectbox(key="model-upload-outputs-eight")
    assert order.value is None and app.button(key="model-import").disabled
    assert any("neutral, happiness, surprise, sadness" in option for option in order.options), "that of FER+"
    order.set_value("ferplus").run()
    assert not app.button(key="model-import").disabled


def test_the_run_is_compared_with_itself_image_by_image(filled_store: Settings) -> None:
    run = evaluated_model(find_model(RUN, filled_store))
    difference = compare_models(run, run)
    assert difference is not None and difference.paired
    assert difference.difference_01 == 0 and not difference.is_worse


def test_an_uncalibrated_model_says_so_wherever_its_confidence_is_shown(
    filled_store: Settings, imported: str, open_page: OpenPage
) -> None:
    folder = find_model(imported, filled_store).folder
    set_active_model(imported, filled_store)
    assert NOT_CALIBRATED not in page_text(open_page(Page.PREDICT))
    labels = Contract.load(folder / "contract.json").labels
    Calibration.identity(labels).save(folder / "calibration.json")
    assert NOT_CALIBRATED in page_text(open_page(Page.PREDICT))
    assert NOT_CALIBRATED in page_text(open_page(Page.MODELS, model=imported, section="calibration"))


def test_weights_of_an_unknown_network_are_refused_before_the_import(store: Settings, open_page: OpenPage) -> None:
    header = json.dumps({"dense.weight": {"dtype": "F32", "shape": [5, 2], "data_offsets": [0, 40]}}).encode()
    content = len(header).to_bytes(8, "little") + header + bytes(40)
    app = open_page(Page.MODELS, view="import")
    app.file_uploader(key="model-upload").set_value(("mine.safetensors", content, "")).run()
    assert "of no network that FERscope knows" in app.error[0].value
    assert "its last layer dense has 5 outputs" in app.error[0].value
    assert app.button(key="model-import").disabled
