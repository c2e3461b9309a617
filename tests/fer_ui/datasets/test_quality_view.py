from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.quality.messages import MESSAGES, FindingKind
from fer_core.data.quality.report import quality_report
from fer_core.jobs.job import JobKind
from fer_core.jobs.store import JobStore
from fer_core.settings import Settings
from fer_ui.datasets import quality_view
from fer_ui.datasets.faces import face_grid
from fer_ui.datasets.quality_view import pair_notes, summarize_quality
from fer_ui.navigation import Page
from tests.support.app_test import page_text, press
from tests.support.faulty_dataset import DUPLICATES, ID, SAME_PERSON, TEST_COPY, TRAIN_COPY, N, import_faulty
from tests.support.gallery import gallery, select, shown_ids
from tests.support.texts import assert_mentions

Open = Callable[..., AppTest]


@pytest.fixture
def dataset(store: Settings, tmp_path: Path) -> Iterator[StoredDataset]:
    for cache in (st.cache_resource, st.cache_data):
        cache.clear()
    yield import_faulty(tmp_path / "faces", store)
    from fer_ui.resources import job_store

    job_store().dispose()
    for cache in (st.cache_resource, st.cache_data):
        cache.clear()


def page() -> None:
    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.quality_view import show_quality

    show_quality(open_dataset("faulty", settings()))


@pytest.fixture
def show(dataset: StoredDataset, monkeypatch: pytest.MonkeyPatch) -> Open:
    def fake_link(page: Page, label: str = "Go", **query: str) -> None:
        st.markdown(f"{label}: {page} {query}")  # there are no pages to link to here

    monkeypatch.setattr(quality_view, "link_to", fake_link)
    monkeypatch.setattr(quality_view, "go_to", fake_link)

    def run_page(**query: str) -> AppTest:
        app = AppTest.from_function(page, default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        return app.run()

    return run_page


def finding_choices(app: AppTest) -> list[str]:
    return [option.replace("\\", "") for option in app.radio(key="finding").options]


def test_the_view_shows_the_summary_and_every_check(show: Open) -> None:
    app = show()
    assert not app.exception
    first = app.markdown[0].value
    assert_mentions(first, f"8 of {N} images", "unreadable (1 image)")
    assert finding_choices(app)[:2] == [
        "Unreadable: **1 image**",
        "The same image in two splits: **2 images in 1 pair**",
    ]
    text = page_text(app)
    assert "No findings: Near duplicates; Augmented copies; Tiny; Under-exposed" in text
    assert "Not checked: No face found (faces were not searched for yet)." in text
    shown_text = " ".join(finding_choices(app)) + text
    assert all(MESSAGES[kind].title in shown_text for kind in FindingKind)
    assert len(app.get("download_button")) == 2


def test_a_finding_in_the_query_is_explained_and_shown_in_pairs(show: Open) -> None:
    app = show(finding="conflict")
    assert app.radio(key="finding").value == "conflict"
    text = page_text(app)
    assert "The same face under different labels: 2 images in 1 pair" in text
    assert MESSAGES[FindingKind.CONFLICT].explanation in app.subheader[0].proto.help.replace("\\", "")
    assert gallery(app)["notes"] == ["correlation 1.000; 0 of 64 bits differ"]
    app.segmented_control(key="faulty-conflict-how").set_value("images").run()
    assert gallery(app)["notes"] is None and len(shown_ids(app)) == 2


def test_choosing_a_finding_writes_it_to_the_query(show: Open) -> None:
    app = show()
    app.radio(key="finding").set_value("exact_duplicate").run()
    assert app.query_params["finding"] == "exact_duplicate"
    assert "identical pixels" in gallery(app)["notes"]
    assert show(finding="nothing of the kind").radio(key="finding").value == "unreadable"


@pytest.mark.parametrize(
    ("kind", "label", "excluded"),
    [
        ("exact_duplicate", "Exclude all but one of each group (2 images)", {TRAIN_COPY, DUPLICATES[1]}),
        ("duplicate_across_splits", "Exclude copies, keep validation and test images (1 image)", {TRAIN_COPY}),
        ("identity_across_splits", "Exclude these people from training (1 image)", {SAME_PERSON[0]}),
    ],
)
def test_a_fix_corrects_all_images_of_its_finding(
    kind: str, label: str, excluded: set[str], show: Open, dataset: StoredDataset
) -> None:
    app = show(finding=kind)
    button = app.button(key=f"fix-{kind}")
    assert button.label == label
    button.click().run()
    index = dataset.index(["id"])
    assert set(index["id"][index["excluded"]]) == excluded
    assert dataset.corrections().history()[0].reason == kind
    assert not any(choice.startswith(MESSAGES[FindingKind(kind)].title) for choice in finding_choices(app))
    assert f":material/check_circle: {len(excluded)} image" in page_text(app)
    press(app, "Undo")
    assert any(choice.startswith(MESSAGES[FindingKind(kind)].title) for choice in finding_choices(app))


def test_conflicts_are_marked_as_ambiguous(show: Open, dataset: StoredDataset) -> None:
    app = show(finding="conflict")
    assert app.button(key="fix-conflict").label == "Mark all 2 as ambiguous"
    app.button(key="fix-conflict").click().run()
    index = dataset.index(["id"])
    assert set(index["id"][index["ambiguous"]]) == {TEST_COPY, TRAIN_COPY}
    assert not any("different labels" in choice for choice in finding_choices(app))


def test_single_images_of_a_finding_are_corrected(show: Open, dataset: StoredDataset) -> None:
    app = show(finding="exact_duplicate")
    app = select(app, "faulty-exact_duplicate-pairs", shown_ids(app)[0])
    app.button(key="faulty-exact_duplicate-pairs-corrections-exclude").click().run()
    change = dataset.corrections().history()[0]
    assert (len(change.ids), change.reason) == (1, "exact_duplicate")
    assert f"1 of {N}" not in app.markdown[0].value
    assert f"of {N - 1} images" in app.markdown[0].value


def test_what_is_beside_the_faces_follows_a_correction(
    show: Open, dataset: StoredDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a browser a correction reruns the gallery's fragment alone, which then has to rerun the page."""
    reruns = []
    monkeypatch.setattr(face_grid.st, "rerun", lambda: reruns.append(1))
    show(finding="exact_duplicate")
    assert not reruns
    before = dataset.corrections().version
    dataset.corrections().mark(Action.EXCLUDE, dataset.raw_index(["id"])["id"].iloc[:1], "test")
    for face, version, expected in (("", None, 0), ("", before + 1, 0), ("x.png", before, 0), ("", before, 1)):
        monkeypatch.setattr(face_grid, "get_param", lambda _param, face=face: face)
        reruns.clear()
        face_grid._rerun_if_corrected(dataset, version)
        assert len(reruns) == expected, (face, version)


def test_the_last_correction_can_be_undone_after_its_finding_is_gone(show: Open, dataset: StoredDataset) -> None:
    app = show(finding="unreadable")
    app = select(app, "faulty-unreadable", *shown_ids(app))
    app.button(key="faulty-unreadable-corrections-exclude").click().run()
    assert app.radio(key="finding").value != "unreadable"
    press(app, "Undo")
    assert not dataset.index(["id"])["excluded"].any()


def test_face_detection_is_started_and_then_linked(
    show: Open, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted = []

    def submit(dataset_id: str, settings: Settings) -> SimpleNamespace:
        submitted.append(dataset_id)
        return SimpleNamespace(id="job-1")

    monkeypatch.setattr(quality_view, "submit_face_search", submit)
    app = show()
    app.button(key="search-faces").click().run()
    assert submitted == [ID]
    assert "'section': 'quality', 'job': 'job-1'" in page_text(app)
    with JobStore(store) as jobs:
        jobs.submit(JobKind.QUALITY, "Look for faces", ("datasets", "quality", ID, "--faces"), ID, job_id="job-2")
    app = show()
    assert "Face detection is running: datasets" in page_text(app)
    assert not [button for button in app.button if button.key == "search-faces"]


def test_images_without_a_face_are_a_finding_after_face_detection(show: Open, dataset: StoredDataset) -> None:
    ids = dataset.raw_index(["id"])["id"]
    counts = [0 if name in DUPLICATES else 1 for name in ids]
    pd.DataFrame({"id": ids, "faces": counts, "score_01": 0.9}).to_parquet(dataset.folder / "faces.parquet")
    (dataset.folder / "faces.json").write_text('{"detector": "yunet"}')
    app = show(finding="no_face")
    assert "No face found: 2 images" in page_text(app)
    assert "YuNet" in app.subheader[0].proto.help
    # Faces were searched for, and faceless images need a manual decision.
    assert not [button for button in app.button if button.key in ("search-faces", "fix-no_face")]


def test_an_outdated_index_is_named_with_the_command_that_updates_it(show: Open, dataset: StoredDataset) -> None:
    path = dataset.folder / "index.parquet"
    pd.read_parquet(path).drop(columns=["dark_01"]).to_parquet(path, index=False)
    message = show().info[0].value.replace("\\", "")
    assert "datasets index faulty" in message
    assert "near-duplicates" not in message and "Predict" not in message
    st.cache_resource.clear()
    pd.read_parquet(path).drop(columns=["mode"]).to_parquet(path, index=False)
    assert "differently from Predict" in show().info[0].value
    st.cache_resource.clear()
    pd.read_parquet(path).drop(columns=["signature"]).to_parquet(path, index=False)
    app = show()
    assert "missed, above all near-duplicates." in app.info[0].value
    assert "only hashes within 3 bits were looked for" in page_text(app)


def test_a_dataset_without_findings_shows_a_message(show: Open, dataset: StoredDataset) -> None:
    report = quality_report(dataset)
    while remaining := [finding for finding in report.findings if len(finding.rows)]:
        dataset.corrections().mark(Action.EXCLUDE, dataset.index(["id"])["id"].iloc[remaining[0].rows], "test")
        report = quality_report(dataset)
    assert_mentions(summarize_quality(report), "no findings", "12 of 14 checks")
    app = show()
    assert not app.exception
    assert not app.radio
    assert not app.get("download_button")


def test_a_fully_excluded_dataset_is_no_error(show: Open, dataset: StoredDataset) -> None:
    dataset.corrections().mark(Action.EXCLUDE, dataset.raw_index(["id"])["id"], "test")
    app = show()
    assert not app.exception
    assert "Every image is excluded" in app.markdown[0].value


def test_pairs_of_a_person_are_noted_with_the_name(dataset: StoredDataset) -> None:
    finding = quality_report(dataset).get(FindingKind.IDENTITY_ACROSS_SPLITS)
    assert finding is not None and finding.pairs is not None
    (note,) = pair_notes(finding, dataset.index().iloc[finding.pairs["a"]])
    assert re.fullmatch(r"both show p55; \d+ of 64 bits differ", note), "the two were not compared"
