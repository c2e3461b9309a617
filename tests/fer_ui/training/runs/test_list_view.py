"""The list of runs: filters, selection, comparison and deletion."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.comparison.compare import RUNS_MAX
from fer_core.comparison.run_summary import RunMetrics, RunSummary
from fer_core.jobs.job import JobKind
from fer_core.jobs.store import JobStore
from fer_core.runs.folder import RunState, list_runs
from fer_core.runs.notes import write_notes
from fer_core.settings import Settings
from fer_ui.training.runs.list_view import best_runs, sort_runs
from tests.fer_ui.datasets.small_dataset import open_view
from tests.support.app_test import charts, page_text, press
from tests.support.runs import make_run

LONG = "Effective-number weights, mixup 0.4 and *stars*, cosine schedule with a warm-up of five epochs, seed number 12"


def view() -> None:
    import streamlit as st

    from fer_ui.navigation import build_pages
    from fer_ui.training.runs.list_view import show_runs

    st.navigation(list(build_pages().values()), position="hidden")
    show_runs()


def compare_view() -> None:
    import streamlit as st

    from fer_ui.navigation import build_pages
    from fer_ui.training.runs.list_view import show_compared_runs

    st.navigation(list(build_pages().values()), position="hidden")
    show_compared_runs()


@pytest.fixture
def runs(store: Settings) -> Iterator[Settings]:
    """Five runs of two datasets; the newest is `e`."""
    st.cache_resource.clear()
    make_run("20260101-000000-a", store, title="First", macro_f1=0.5)
    write_notes(make_run("20260102-000000-b", store, title="Second", macro_f1=0.6, batch_size=32), add=["good"])
    make_run("20260103-000000-c", store, title=LONG, macro_f1=0.9, dataset="drawn", synthetic=True)
    write_notes(make_run("20260104-000000-d", store, title="Fourth", finished=False), text="Stopped by a storm")
    make_run("20260105-000000-e", store, title="Fifth", macro_f1=0.7, report_split="valid", images=["x", "y"])
    yield store
    st.cache_resource.clear()


def titles(app: AppTest) -> list[str]:
    return app.dataframe[0].value["Run"].tolist()


def select_rows(app: AppTest, *indices: int) -> AppTest:
    """Select exactly these rows of the table."""
    app.session_state[app.dataframe[0].key] = {"selection": {"rows": list(indices), "columns": [], "cells": []}}
    return app.run()


def get_query_values(app: AppTest, name: str) -> list[str]:
    values = app.query_params.get(name, [])
    return values if isinstance(values, list) else [values]


def test_an_empty_store_shows_an_empty_state(store: Settings) -> None:
    st.cache_resource.clear()
    app = open_view(view)
    assert not app.exception
    assert [item.value for item in app.subheader] == ["No runs yet"]
    assert not app.dataframe


def test_the_best_run_of_each_dataset_and_split_comes_first(runs: Settings) -> None:
    app = open_view(view)
    assert not app.exception and not app.error
    text = page_text(app)
    assert "Best macro-F1 on FER+, test: 60.0 % (95 %: 55.0 to 65.0 %), best of 2 runs: Second." in text
    assert "Best macro-F1 on FER+, validation" in text and "best of 2 runs: Fifth" in text
    assert "Best macro-F1 on drawn, test" in text
    assert "can't be compared" in text and "nothing about people" in text
    assert "5 runs: 4 finished and 1 unfinished." in text
    assert titles(app) == ["Fifth", "Fourth", LONG, "Second", "First"]


def test_a_single_run_is_shown(store: Settings) -> None:
    st.cache_resource.clear()
    make_run("only", store, title="Only")
    app = open_view(view)
    assert not app.exception
    assert "the only run: Only" in page_text(app) and "can't be compared" not in page_text(app)
    table = app.dataframe[0].value
    assert table[["Run", "Test set", "Images", "State"]].to_numpy().tolist() == [["Only", "FER+, test", 3, "finished"]]
    app = select_rows(app, 0)
    assert "Rename" in [button.label for button in app.button]
    assert not [button for button in app.button if button.label.startswith("Compare")]


def test_filters_are_in_the_query(runs: Settings) -> None:
    assert titles(open_view(view, tag="good")) == ["Second"]
    assert titles(open_view(view, dataset="drawn")) == [LONG]
    app = open_view(view, dataset="gone")
    assert get_query_values(app, "dataset") == ["gone"] and "No matching run" in page_text(app)
    assert titles(open_view(view, find="storm")) == ["Fourth"]
    assert titles(open_view(view, find="SECOND batch")) == ["Second"]
    assert titles(open_view(view, order="best")) == ["Second", "First", LONG, "Fifth", "Fourth"]
    app = open_view(view)
    app = app.selectbox(key="dataset").set_value("drawn").run()
    assert get_query_values(app, "dataset") == ["drawn"] and titles(app) == [LONG]
    app = app.text_input(key="find").set_value("nothing").run()
    assert not app.exception and not app.dataframe
    assert "No matching run" in page_text(app)


def test_selected_runs_are_in_the_query_and_compared(runs: Settings) -> None:
    app = select_rows(open_view(view), 3, 4)
    assert not app.exception and not app.error
    selected = "20260102-000000-b,20260101-000000-a"
    assert get_query_values(app, "runs") == [selected]
    assert "Compare 2 runs" in [button.label for button in app.button]
    assert get_query_values(select_rows(app, 4), "runs") == ["20260101-000000-a"]
    app = open_view(compare_view, runs=selected)
    assert app.subheader[0].value == "2 runs compared"
    assert "Second is ahead of First by 10.0 points" in page_text(app)
    assert len(charts(app)) == 1
    metrics, differences = app.dataframe[0].value, app.dataframe[1].value
    assert metrics["Run"].tolist() == ["A: Second", "B: First"]
    assert metrics["Macro-F1"].tolist()[0] == "60.0 % (55.0 to 65.0 %)"
    assert differences.to_numpy().tolist() == [["batch_size", "32", "64"]]


def test_a_link_selects_its_runs(runs: Settings) -> None:
    link = "20260101-000000-a,gone,20260103-000000-c"
    app = open_view(compare_view, runs=link, metric="loss", split="both", axis="time")
    assert not app.exception and not app.error
    assert "There is no run 'gone' in this store" in app.warning[0].value.replace("\\", "")
    assert "can't be ranked: they were evaluated on different datasets (FER+, drawn)" in page_text(app)
    assert app.dataframe[0].value["Run"].tolist()[0] == "A: First"
    assert app.selectbox(key="metric").value == "loss"
    app = open_view(view, runs=link).run()
    assert "There is no run 'gone' in this store" in app.warning[0].value.replace("\\", "")
    assert get_query_values(app, "runs") == [link], "the address is not rewritten"
    assert "Deselect all 2" in [button.label for button in app.button]
    assert get_query_values(select_rows(app, 4), "runs") == ["20260101-000000-a"]
    assert "Nothing to compare" in [item.value for item in open_view(compare_view, runs="gone").subheader]


def test_a_filter_hides_selected_runs_but_keeps_them_selected(runs: Settings) -> None:
    app = select_rows(open_view(view), 3, 4)
    app = app.selectbox(key="dataset").set_value("drawn").run()
    assert "2 of the selected runs are hidden" in page_text(app)
    app = select_rows(app, 0)
    assert get_query_values(app, "runs") == ["20260102-000000-b,20260101-000000-a,20260103-000000-c"]
    app = app.selectbox(key="dataset").set_value("*").run()
    assert "Compare 3 runs" in [button.label for button in app.button]
    app = press(app, "Deselect all 3")
    assert get_query_values(app, "runs") == []


def test_the_number_of_compared_runs_is_limited(runs: Settings) -> None:
    for number in range(4):
        make_run(f"more-{number}", runs)
    app = select_rows(open_view(view), *range(9))
    assert not app.exception
    assert f"At most {RUNS_MAX} runs" in page_text(app)
    assert len(get_query_values(app, "runs")[0].split(",")) == RUNS_MAX
    assert "Deselect all 9" in [button.label for button in app.button]


def test_selected_runs_are_deleted_with_their_jobs(runs: Settings) -> None:
    with JobStore(runs) as jobs:
        jobs.submit(JobKind.TRAIN, "First", (), "20260101-000000-a", job_id="done")
        jobs.request_cancel("done")
    app = select_rows(open_view(view), 3, 4)
    delete = next(button for button in app.button if button.label == "Delete")
    assert delete.disabled and "Removes Second and First" in page_text(app)
    checkbox = next(box for box in app.checkbox if box.label == "I want to delete it")
    app = press(checkbox.check().run(), "Delete")
    assert not app.exception
    assert "Deleted: Second and First." in page_text(app)
    assert titles(app) == ["Fifth", "Fourth", LONG]
    assert get_query_values(app, "runs") == []
    with JobStore(runs) as jobs:
        assert jobs.list() == []


def test_an_active_run_is_not_deleted(runs: Settings) -> None:
    with JobStore(runs) as jobs:
        jobs.submit(JobKind.TRAIN, "Fourth", (), "20260104-000000-d", job_id="now")
    app = open_view(view)
    assert app.dataframe[0].value["State"].tolist()[1] == "queued"
    app = select_rows(app, 1)
    assert "Fourth is queued or training" in page_text(app) and "can't be deleted" in page_text(app)
    assert "Delete" not in [button.label for button in app.button]
    app = select_rows(app, 0, 1)
    checkbox = next(box for box in app.checkbox if box.label == "I want to delete it")
    app = press(checkbox.check().run(), "Delete")
    assert "Deleted: Fifth." in page_text(app) and "Fourth" in titles(app)


def test_a_run_whose_job_has_started_meanwhile_is_kept(runs: Settings) -> None:
    app = select_rows(open_view(view), 4)
    checkbox = next(box for box in app.checkbox if box.label == "I want to delete it")
    app = checkbox.check().run()
    delete = next(button for button in app.button if button.label == "Delete")
    with JobStore(runs) as jobs:
        jobs.submit(JobKind.TRAIN, "First", (), "20260101-000000-a", job_id="now")
        app = delete.click().run()
        assert not app.exception
        assert "20260101-000000-a" in [run.id for run in list_runs(runs)]
        assert len(jobs.list()) == 1


def test_broken_runs_are_named(runs: Settings) -> None:
    (runs.runs_dir / "20260101-000000-a" / "model.onnx").unlink()
    (runs.runs_dir / "20260102-000000-b" / "config.yaml").write_text("dataset: [")
    (runs.runs_dir / "20260103-000000-c" / "metrics.jsonl").write_bytes(b"\xff\xff")
    (runs.runs_dir / "20260104-000000-d" / "metrics.jsonl").unlink()
    (runs.runs_dir / "empty").mkdir()
    app = open_view(view)
    assert not app.exception and not app.error
    assert app.warning[0].value.startswith("3 runs have damaged files")
    problems = app.dataframe[0].value["Problem"].tolist()
    assert sum(bool(problem) for problem in problems) == 3
    app = open_view(compare_view, runs=",".join(app.dataframe[0].value["ID"]))
    assert not app.exception and not app.error
    assert app.subheader[0].value == "6 runs compared"
    assert any("Unreadable config" in item.value for item in app.warning)


def test_every_run_can_be_opened_and_copied(runs: Settings) -> None:
    app = select_rows(open_view(view), 3)
    links = [element.proto for element in app.get("page_link")]
    assert {link.label: link.query_string for link in links} == {
        "Open": "run=20260102-000000-b",
        "Train a copy": "from=20260102-000000-b",
        "Confusion matrix": "run=20260102-000000-b",
    }


def row(name: str, score: float | None, dataset: str = "x", split: str = "test", synthetic: bool = False) -> RunSummary:
    metrics = None if score is None else RunMetrics(split, 9, "argmax", score, score, score, {})
    created = datetime(2026, 1, 1, tzinfo=UTC)
    return RunSummary(
        name, name, RunState.FINISHED, dataset=dataset, metrics=metrics, created=created, synthetic=synthetic
    )


def test_runs_are_ranked_by_dataset_and_split() -> None:
    rows = [row("a", 0.1), row("b", 0.9, "y"), row("c", 0.8, split="valid"), row("d", 0.2), row("e", None)]
    assert [(item.row.id, item.ranked) for item in best_runs(rows)] == [("d", 2), ("b", 1), ("c", 1)]
    assert [item.id for item in sort_runs(rows, "best")] == ["d", "a", "b", "c", "e"]
    assert sort_runs(rows, "newest") == rows


def test_synthetic_runs_are_ranked_last() -> None:
    rows = [row("a", 0.9, "drawn", synthetic=True), row("b", 0.9, "drawn", synthetic=True), row("c", 0.1)]
    assert [item.row.id for item in best_runs(rows)] == ["c", "a"]
