"""A user's way through the app in a browser; the tests build on each other, in this order."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from fer_core.bundles.bundle import read_bundle_info
from fer_core.bundles.catalog import SHIPPED_FOLDER
from tests.e2e.app_server import AppServer
from tests.e2e.conftest import TakeScreenshots
from tests.e2e.page_state import wait_until_ready

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

DATASET = "small-ferplus"
_LONG_MS = 300_000


def test_the_first_visit_through_a_link_shows_the_page_and_the_navigation(
    page: Page, take_screenshots: TakeScreenshots
) -> None:
    page.goto("/evaluation")
    expect(page.get_by_text("accuracy hides contempt")).to_be_visible(timeout=_LONG_MS)
    expect(page.get_by_role("link", name="Datasets")).to_be_visible()
    take_screenshots("empty-evaluation", "/evaluation")
    take_screenshots("empty-datasets", "/datasets")
    take_screenshots("empty-training", "/training")
    take_screenshots("predict-empty", "/predict")


def test_a_file_that_is_no_archive_is_refused_with_a_message(page: Page, server: AppServer, tmp_path: Path) -> None:
    fake = tmp_path / "faces.zip"
    fake.write_text("not a zip")
    _upload_archive(page, fake, "faces")
    expect(page.get_by_text("is not a zip archive")).to_be_visible()
    assert not any((server.store / "uploads").glob("*"))
    assert not (server.store / "datasets").exists()


def test_an_archive_is_imported(page: Page, ferplus_archive: Path, take_screenshots: TakeScreenshots) -> None:
    _upload_archive(page, ferplus_archive, DATASET)
    expect(page.get_by_text("Label mapping")).to_be_visible(timeout=_LONG_MS)
    expect(page.get_by_label("Layout")).to_be_visible()
    take_screenshots("datasets-preview", f"/datasets?view=import&import={DATASET}")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text(re.compile(r"Finished\. Imported"))).to_be_visible(timeout=_LONG_MS)
    page.get_by_role("button", name="Show the dataset").click()
    expect(page.get_by_role("heading", name="Class distribution")).to_be_visible()
    expect(page.get_by_text("Labeled images")).to_be_visible()
    expect(page).to_have_url(re.compile("dataset="))
    expect(page.locator(".ferscope-drawing .part").first).to_be_visible()
    take_screenshots("datasets", f"/datasets?dataset={DATASET}")
    take_screenshots("datasets-published", "/datasets?view=published&manifest=affectnet")
    take_screenshots("datasets-import", "/datasets?view=import")


def test_a_training_continues_after_a_reload_and_a_crash_of_the_server(
    page: Page, server: AppServer, take_screenshots: TakeScreenshots
) -> None:
    job = _start_training(page, epochs=3)
    expect(page.get_by_text(re.compile("Epoch [1-3] of 3")).first).to_be_visible(timeout=_LONG_MS)
    page.reload()
    expect(page.get_by_text(re.compile("Epoch [1-3] of 3|Finished|the best epoch")).first).to_be_visible(
        timeout=_LONG_MS
    )
    server.kill()
    server.start()
    page.goto(f"/training?job={job}")
    expect(page.get_by_text(re.compile("^Finished: epoch"))).to_be_visible(timeout=_LONG_MS)
    expect(page.get_by_text("Macro-F1").first).to_be_visible()
    expect(page.locator(".ferscope-drawing .ring").first).to_be_visible()
    take_screenshots("training-done", f"/training?job={job}")
    take_screenshots("training-form", f"/training?dataset={DATASET}")


def test_a_training_is_cancelled(page: Page, server: AppServer, take_screenshots: TakeScreenshots) -> None:
    job = _start_training(page, epochs=500)
    expect(page.get_by_text(re.compile("Epoch [2-9] of 500")).first).to_be_visible(timeout=_LONG_MS)
    take_screenshots("training-running", f"/training?job={job}")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text(re.compile("^Cancelled after epoch"))).to_be_visible(timeout=_LONG_MS)
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    assert list(server.store.glob("runs/*/checkpoint.pt")), "the checkpoint of the last epoch"


def test_the_time_of_a_training_is_estimated_before_it_starts(page: Page, take_screenshots: TakeScreenshots) -> None:
    page.goto(f"/training?dataset={DATASET}")
    wait_until_ready(page)
    page.get_by_role("button", name="Estimate time and memory").click()
    done = page.get_by_text("Per epoch", exact=True)
    again = page.get_by_role("button", name="Estimate again")
    expect(done.or_(again)).to_be_visible(timeout=_LONG_MS)
    if again.count():  # it took too long for the first try, on a busy machine
        again.click()
    expect(done).to_be_visible(timeout=_LONG_MS)
    expect(page.get_by_text("training images per second")).to_be_visible()


def test_runs_get_notes_and_are_compared_and_copied(
    page: Page, server: AppServer, take_screenshots: TakeScreenshots
) -> None:
    runs = sorted(folder.name for folder in (server.store / "runs").iterdir())
    assert len(runs) == 2
    page.goto(f"/training?run={runs[0]}")
    wait_until_ready(page)
    page.get_by_role("tab", name="Notes and tags").click()
    page.get_by_role("textbox", name="Note").fill("A first try")
    page.get_by_role("button", name="Save note").click()
    expect(page.get_by_text(re.compile("^Last changed"))).to_be_visible()
    page.goto(f"/training?view=compare&runs={','.join(runs)}")
    expect(page.get_by_role("heading", name="2 runs compared")).to_be_visible(timeout=_LONG_MS)
    expect(page.locator(".ferscope-drawing .ring").first).to_be_visible()
    expect(page.get_by_text("Config differences")).to_be_visible()
    take_screenshots("training-runs", page.url)
    page.goto(f"/training?from={runs[0]}")
    wait_until_ready(page)
    expect(page.get_by_role("spinbutton", name="Epochs (1 to 10,000)")).to_have_value("3")


def test_jobs_are_listed_opened_and_deleted(page: Page, server: AppServer, take_screenshots: TakeScreenshots) -> None:
    page.goto("/jobs?view=cancelled&kind=train")
    wait_until_ready(page)
    expect(page.get_by_text("cancelled", exact=False).first).to_be_visible()
    take_screenshots("jobs", "/jobs")
    page.get_by_test_id("stMain").get_by_role("button", name="Open").last.click()
    page.wait_for_url(re.compile("job="))
    wait_until_ready(page)
    expect(page.get_by_text(re.compile("^Cancelled"))).to_be_visible()
    page.get_by_text("Log", exact=True).click()
    expect(page.get_by_text(re.compile("epoch 1/500")).first).to_be_visible()
    take_screenshots("job", page.url)
    page.get_by_text("Delete this job").click()
    page.get_by_text("I want to delete it").click()
    wait_until_ready(page)
    page.get_by_role("button", name="Delete", exact=True).last.click()
    page.wait_for_url(lambda link: "job=" not in link)
    assert len(list((server.store / "runs").iterdir())) == 1


def test_the_confusion_matrix_of_the_finished_run_is_shown(page: Page, take_screenshots: TakeScreenshots) -> None:
    page.goto("/evaluation")
    wait_until_ready(page)
    headlines = page.locator("dl.ferscope-headline dt").all_inner_texts()
    assert headlines[:2] == ["Macro-F1", "Balanced accuracy"]
    expect(page.get_by_text("predicted", exact=True)).to_be_visible()
    page.get_by_text("By row").click()
    page.wait_for_url(re.compile("view=ratios"))
    take_screenshots("evaluation", page.url)


def test_a_cell_of_the_confusion_matrix_leads_to_its_faces(page: Page, take_screenshots: TakeScreenshots) -> None:
    page.goto("/evaluation")
    wait_until_ready(page)
    cells = page.locator('.ferscope-drawing [role="gridcell"]').all()
    cell = next(cell for cell in cells if _number(cell.get_attribute("aria-label") or ""))
    number = _number(cell.get_attribute("aria-label") or "")
    cell.click()
    page.wait_for_url(re.compile("cell="))
    expect(page.get_by_text(f"{number} image" if number == 1 else f"{number} images", exact=True)).to_be_visible()
    expect(page.locator('[aria-selected="true"][role="gridcell"]')).to_have_count(1)
    take_screenshots("evaluation-cell", page.url)
    page.get_by_role("button", name="Close").click()
    page.wait_for_url(lambda link: "cell=" not in link)


def test_corrections_of_a_cell_are_trained_with_and_the_page_says_what_they_bought(
    page: Page, server: AppServer, take_screenshots: TakeScreenshots
) -> None:
    page.goto("/evaluation")
    wait_until_ready(page)
    cells = page.locator('.ferscope-drawing [role="gridcell"]')
    hints = [hint for cell in cells.all() if (hint := cell.get_attribute("aria-label"))]
    wrong = {hint: _number(hint) for hint in hints if not re.match(r"Labeled (\w+), predicted as \1:", hint)}
    largest = max(wrong, key=wrong.__getitem__)
    page.get_by_label(largest, exact=True).click()
    faces = page.locator('[role="option"]')
    expect(faces.first).to_be_visible(timeout=_LONG_MS)
    run_link = page.url
    faces.first.focus()
    page.keyboard.press("x")
    expect(page.get_by_text(re.compile("^1 image corrected since this run was trained"))).to_be_visible()
    if wrong[largest] > 2:
        page.locator('[role="option"]').first.focus()
        page.keyboard.press("5")
        expect(page.get_by_text(re.compile("^2 images corrected since this run was trained"))).to_be_visible()
    take_screenshots("evaluation-corrected", run_link)
    page.get_by_role("button", name="Retrain with these corrections").click()
    bought = page.get_by_role("button", name=re.compile("^What it bought"))
    expect(bought).to_be_visible(timeout=_LONG_MS)
    bought.click()
    expect(page.get_by_text(re.compile("^The corrections bought"))).to_be_visible(timeout=_LONG_MS)
    expect(page.get_by_role("heading", name="Faces that flipped")).to_be_visible()
    take_screenshots("evaluation-bought", page.url)
    splits = [pd.read_parquet(path) for path in sorted(server.store.glob("runs/*/split.parquet"))]
    assert len(splits) == 2
    tested = [set(table.loc[table["split"] == "test", "id"]) for table in splits]
    assert tested[1] < tested[0] or tested[0] < tested[1], "the same test images but the excluded one"


def _number(hint: str) -> int:
    """Read the number of images of a cell."""
    return int(re.findall(r": ([\d,]+) of", hint)[0].replace(",", ""))


def test_a_run_becomes_the_active_model(page: Page, take_screenshots: TakeScreenshots) -> None:
    shipped = page.get_by_text(f"Model in use: {read_bundle_info(SHIPPED_FOLDER).title}").first
    page.goto("/models")
    expect(shipped).to_be_visible()
    take_screenshots("models", "/models")
    page.get_by_role("combobox", name="Model", exact=True).click()
    page.get_by_role("option").filter(has_text=re.compile("small-ferplus|Small residual")).first.click()
    _set_as_active(page)
    expect(shipped).to_have_count(0)
    take_screenshots("overview", "/")
    page.goto("/models?model=default")
    _set_as_active(page)
    expect(shipped).to_be_visible()


def test_a_model_is_exported_imported_verified_and_deleted(
    page: Page, tmp_path: Path, take_screenshots: TakeScreenshots
) -> None:
    page.goto("/models?model=default&section=files")
    wait_until_ready(page)
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download(timeout=_LONG_MS) as download:
        page.get_by_role("button", name=re.compile(r"^Download default\.zip")).click(timeout=_LONG_MS)
    file = tmp_path / "default.zip"
    download.value.save_as(file)

    page.get_by_role("radio", name="Import", exact=True).click()
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("default.zip").last).to_be_visible()
    page.get_by_role("textbox", name="Model name").fill("imported-copy")
    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url(re.compile("model=imported-copy"), timeout=_LONG_MS)
    sections = (
        ("metrics", "INT8"),
        ("calibration", "Calibration error"),
        ("robustness", "Worst macro-F1"),
        ("card", "Limitations"),
    )
    for section, text in sections:
        page.goto(f"/models?model=imported-copy&section={section}")
        expect(page.get_by_text(text).first).to_be_visible(timeout=_LONG_MS)
    page.goto("/models?model=imported-copy&section=files")
    wait_until_ready(page)
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("the model is unchanged")).to_be_visible(timeout=_LONG_MS)
    take_screenshots("model-files", page.url)

    page.get_by_text("Delete this model").click()
    page.get_by_text("I want to delete it").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("Deleted imported-copy")).to_be_visible(timeout=_LONG_MS)
    page.goto("/models?model=imported-copy")
    expect(page.get_by_text(re.compile("no model .?imported-copy"))).to_be_visible(timeout=_LONG_MS)


def test_the_server_never_loaded_torch(server: AppServer) -> None:
    libraries = server.loaded_libraries()
    assert "onnxruntime" in libraries
    assert "libtorch" not in libraries


def _upload_archive(page: Page, archive: Path, name: str) -> None:
    page.goto("/datasets?view=import")
    wait_until_ready(page)
    page.locator("input[type=file]").set_input_files(archive)
    expect(page.get_by_text(archive.name)).to_be_visible()
    page.get_by_role("textbox", name="Dataset name").fill(name)
    page.get_by_role("button", name="Preview").click()


def _set_as_active(page: Page) -> None:
    """Press the button and confirm the warning if the model is worse than the one in use."""
    page.get_by_role("button", name="Set as active model", exact=True).click()
    used = page.get_by_text(re.compile("In use$"))
    confirm = page.get_by_role("dialog").get_by_role("button", name=re.compile("anyway|Set as active"))
    expect(used.or_(confirm).first).to_be_visible()
    if confirm.is_visible():
        confirm.click()
    expect(used).to_be_visible()


def _start_training(page: Page, epochs: int) -> str:
    page.goto(f"/training?dataset={DATASET}")
    wait_until_ready(page)
    field = page.get_by_role("spinbutton", name="Epochs (1 to 10,000)")
    field.fill(str(epochs))
    field.press("Enter")
    wait_until_ready(page)
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url(re.compile("job="), timeout=_LONG_MS)
    return page.url.split("job=")[1].split("&")[0]
