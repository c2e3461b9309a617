"""The page of one run in every state of the run and its job."""

from __future__ import annotations

import pytest

from fer_core.errors import JobError
from fer_core.jobs.job import JobState
from fer_core.jobs.store import JobStore
from fer_core.runs.folder import open_run
from fer_core.settings import Settings
from fer_ui.charts.training.class_curves import TITLE as CLASS_CURVES_TITLE
from fer_ui.charts.training.loss_and_scores import LOSS_TITLE, SCORES_TITLE
from fer_ui.charts.training.rate_and_speed import CONCORDANCE_TITLE, RATE_TITLE
from fer_ui.training.monitor.files_view import files_table
from tests.fer_ui.small_run import DATA, begin, finish, make_run, rows
from tests.fer_ui.training.monitor.conftest import Show, add_job, change_epoch, charts, plain_text
from tests.support.app_test import headlines, progress_bars
from tests.support.texts import assert_mentions


def test_a_finished_run_opens_with_its_report_and_split(store: Settings, show: Show) -> None:
    run = finish(begin(make_run(store, "done", rows(3))))
    app = show("done")
    numbers = headlines(app)
    assert list(numbers) == ["Macro-F1", "Balanced accuracy", "Epochs", "Speed"]
    assert (numbers["Macro-F1"], numbers["Epochs"], numbers["Speed"]) == ("41.0 %", "3 of 20", "303/s")
    text = plain_text(app)
    assert "95 %: 39.0 to 44.0 %" in text and "best: epoch 2" in text
    assert (
        "Finished: epoch 2 of 3 is the best" in text and "1,234 test images" in text and "not used for training" in text
    )
    finish(run, split="valid", macro_f1=0.52)
    text = plain_text(app.run())
    assert headlines(app)["Macro-F1"] == "52.0 %" and "validation images, also used to choose the epoch" in text


def test_a_finished_run_has_links(store: Settings, show: Show, jobs: JobStore) -> None:
    finish(make_run(store, "done", rows(3)))
    text = plain_text(show("done", add_job(jobs, "done", JobState.SUCCEEDED)))
    assert "Confusion matrix: evaluation {'run': 'done'}" in text
    assert "Use as model: models {'model': 'done'}" in text
    assert "Train a copy: training {'from': 'done'}" in text
    assert "Job details: jobs {'job': 'succeeded'}" in text
    assert "notes of done" not in text, "only the open tab is drawn"
    assert "notes of done" in plain_text(show("done", tab="Notes and tags"))


def test_a_running_run_shows_best_epoch_and_time_left(store: Settings, show: Show, jobs: JobStore) -> None:
    run = begin(make_run(store, "now", rows(5), "monitor=macro_f1"))
    job = add_job(jobs, "now", JobState.RUNNING)
    jobs.heartbeat(job, 0.25, "Epoch 6 of 20, batch 1 of 9", 7200.0)
    app = show("now", job)
    text, numbers = plain_text(app), headlines(app)
    assert (numbers["Macro-F1"], numbers["Balanced accuracy"]) == ("50.0 %", "60.0 %")
    assert (numbers["Epochs"], numbers["Speed"]) == ("5 of 20", "305/s")
    assert "Epoch 5 of 20 finished, the best by macro-F1 was epoch 4, 1 epoch ago." in text
    assert "about 2 h left" in text and "validation, epoch 4" in text
    assert "Epoch 6 of 20, batch 1 of 9, about 2 h left" in [text for _, text in progress_bars(app)]
    assert [button.label for button in app.button if button.key == "cancel-running"] == ["Cancel"]
    assert not [button for button in app.button if str(button.key).startswith("delete")]
    change_epoch(run, 4, valid_macro_f1=0.777)
    assert headlines(app.run())["Macro-F1"] == "77.7 %"
    run.append_metrics(rows(6)[-1] | {"best_epoch": 6})
    assert headlines(app.run())["Epochs"] == "6 of 20" and "the best so far by macro-F1" in plain_text(app)


def test_charts_follow_the_available_metrics(store: Settings, show: Show) -> None:
    make_run(store, "plain", rows(3))
    assert charts(show("plain")) == [LOSS_TITLE, SCORES_TITLE]
    assert CLASS_CURVES_TITLE in charts(show("plain", tab="F1 by class"))
    assert charts(show("plain", tab="Rate and speed"))[:3] == [LOSS_TITLE, SCORES_TITLE, RATE_TITLE]
    make_run(store, "affect", rows(3, valid_ccc_valence=[0.1, 0.2, 0.3], valid_ccc_arousal=[0.1, None, 0.25]))
    app = show("affect", tab="Rate and speed")
    assert CONCORDANCE_TITLE in charts(app)
    assert_mentions(plain_text(app), "epoch 2", "valence 0.20")


@pytest.mark.parametrize(
    ("log_message", "message"), [("Packed 72 of 600 images", "Now: Packed 72"), ("", "loads its images")]
)
def test_before_the_first_epoch_the_progress_is_shown(
    store: Settings, show: Show, jobs: JobStore, log_message: str, message: str
) -> None:
    make_run(store, "young")
    job = add_job(jobs, "young", JobState.RUNNING)
    jobs.heartbeat(job, 0.01, log_message, None)
    app = show("young", job)
    assert "No epoch has finished yet" in plain_text(app) and message in plain_text(app)
    assert not headlines(app) and LOSS_TITLE not in charts(app)
    begin(open_run("young", store)).append_metrics(rows(1)[0])
    assert headlines(app.run())["Epochs"] == "1 of 20" and LOSS_TITLE in charts(app)


@pytest.mark.parametrize(
    ("state", "error", "message", "button_label"),
    [
        (JobState.FAILED, "The loss became nan.", "It ended after epoch 2 of 20, the best", "Resume"),
        (JobState.CANCELLED, "", "Cancelled.", "Resume"),
        (JobState.INTERRUPTED, "Killed.", "Interrupted. Killed.", "Resume"),
        (JobState.QUEUED, "", "queued to resume", "Cancel"),
    ],
)
def test_the_state_of_the_job_and_its_actions_are_shown(
    store: Settings, show: Show, jobs: JobStore, state: JobState, error: str, message: str, button_label: str
) -> None:
    make_run(store, "one", rows(2))
    job = add_job(jobs, "one", state, error)
    jobs.log_path(jobs.get(job)).parent.mkdir(parents=True, exist_ok=True)
    jobs.log_path(jobs.get(job)).write_text("Traceback: deep down\n")
    app = show("one", job)
    text = plain_text(app)
    assert message in text and error in text and button_label in [button.label for button in app.button]
    assert ("deep down" in text) is (state in (JobState.FAILED, JobState.INTERRUPTED))


def test_a_job_cancelled_in_the_queue_starts_again(store: Settings, show: Show, jobs: JobStore) -> None:
    make_run(store, "one")
    jobs.request_cancel(add_job(jobs, "one", JobState.QUEUED))
    app = show("one", "queued")
    labels = [button.label for button in app.button]
    assert "Start again" in labels and not {"Resume", "Retry from the start"} & set(labels)
    assert "Cancelled before it started." in plain_text(app)


@pytest.mark.parametrize(
    ("metrics", "state", "verdict"),
    [
        ({}, JobState.RUNNING, "Training epoch 7 of 20"),
        ({}, JobState.CANCELLED, "Cancelled after epoch 6 of 20"),
        (
            {"valid_loss": [1.0, 0.8, 1.0, 1.2, 1.4, 1.6]},
            JobState.FAILED,
            "Failed after epoch 6 of 20, overfitting since epoch 2",
        ),
        (
            {"valid_loss": [1.0, 0.8, 0.7, 0.6, 0.5, 0.4]},
            JobState.INTERRUPTED,
            "Interrupted after epoch 6 of 20, validation loss still falling",
        ),
    ],
)
def test_the_verdict_says_state_and_trend_in_a_line(
    store: Settings, show: Show, jobs: JobStore, metrics: dict[str, list[float]], state: JobState, verdict: str
) -> None:
    make_run(store, "one", rows(6, **metrics))
    app = show("one", add_job(jobs, "one", state, "Killed." if state is JobState.INTERRUPTED else ""))
    assert next(block.value for block in app.markdown if block.value.startswith("**")).startswith(f"**{verdict}")


def test_the_page_updates_when_the_job_ends(store: Settings, show: Show, jobs: JobStore) -> None:
    run = make_run(store, "now", rows(3))
    job = add_job(jobs, "now", JobState.RUNNING)
    app = show("now", job)
    assert "Confusion matrix" not in plain_text(app)
    finish(run)
    jobs.finish(job, JobState.SUCCEEDED, 0, "")
    assert "Confusion matrix" in plain_text(app.run()) and headlines(app)["Macro-F1"] == "41.0 %"


def test_a_job_without_a_run_is_explained_and_can_be_deleted(store: Settings, show: Show, jobs: JobStore) -> None:
    job = add_job(jobs, "never-made", JobState.FAILED, "The disk was full.")
    app = show("never-made", job)
    assert "no run never-made" in plain_text(app) and "The disk was full." in plain_text(app)
    app.checkbox(key=f"sure-{job}").check().run()
    app.button(key=f"delete-{job}").click().run()
    assert "went to training {'view': 'runs'}" in plain_text(app)
    with pytest.raises(JobError):
        jobs.get(job)


def test_runs_with_and_without_a_job_can_be_deleted(store: Settings, show: Show, jobs: JobStore) -> None:
    for run_id, job in (("with", add_job(jobs, "with", JobState.CANCELLED)), ("without", "")):
        run = make_run(store, run_id, rows(2))
        app = show(run_id, job)
        assert app.button(key=f"delete-{job or run_id}").disabled
        app.checkbox(key=f"sure-{job or run_id}").check().run()
        assert run.folder.exists()
        app.button(key=f"delete-{job or run_id}").click().run()
        assert not run.folder.exists()
    assert not jobs.list()


def test_missing_files_of_a_run_are_named(store: Settings, show: Show) -> None:
    run = finish(make_run(store, "half", rows(3)))
    run.path("model.onnx").unlink()
    app = show("half")
    assert "model.onnx is missing" in app.warning[0].value.replace("\\", "")
    assert headlines(app)["Macro-F1"] == "50.0 %"  # from the best epoch, not the report
    assert "Use as model" not in plain_text(app)


def test_an_invalid_config_hides_only_itself(store: Settings, show: Show) -> None:
    run = make_run(store, "odd", rows(3))
    run.write("config.yaml", b"epochs: 5\nflux: 3\n")
    text = plain_text(show("odd", tab="Config and data"))
    assert "This version can't read the config" in text and "flux: 3" in text
    assert "Train a copy" not in text and LOSS_TITLE in charts(show("odd"))


def test_a_run_without_a_job_shows_how_to_resume(store: Settings, show: Show) -> None:
    run = begin(make_run(store, "typed", rows(2)))
    text = plain_text(show("typed", tab="Config and data"))
    assert "started on the command line, or its job was deleted; last change just now" in text
    assert "python -m fer_core train --run typed --resume" in text
    assert "--resume" not in plain_text(show(finish(run).id, tab="Config and data"))


def test_overfitting_is_named_above_the_curves_and_on_the_loss(store: Settings, show: Show) -> None:
    rising_loss = [1.0, 0.8, 1.0, 1.2, 1.4, 1.6]
    make_run(store, "gap", rows(6, valid_loss=rising_loss))
    app = show("gap")
    assert "Overfitting. Since epoch 2 the validation loss rises" in app.warning[0].value
    assert "Overfitting since epoch 2: the validation loss rises from 0.80 to 1.60" in plain_text(app)
    make_run(store, "none", rows(6))
    assert "Overfitting" not in plain_text(show("none"))


def test_a_diverged_loss_is_explained_with_a_hint(store: Settings, show: Show) -> None:
    make_run(store, "lost", rows(4, train_loss=[1.0, 0.9, None, None], valid_loss=[1.0, 0.9, None, None]))
    app = show("lost")
    assert "no longer a number since epoch 3: lower the learning rate" in app.error[0].value


def test_the_epoch_table_is_newest_first(store: Settings, show: Show) -> None:
    make_run(store, "long", rows(200))
    app = show("long", tab="Epochs")
    table = app.dataframe[0].value
    assert table["Epoch"].tolist() == list(range(200, 0, -1))
    assert table["Epoch"][table["Mark"] == "best"].tolist() == [199]
    assert table["Macro-F1, validation"].iloc[1] == pytest.approx(50)
    assert not [name for name in table if "Contempt" in name]
    app.toggle[0].set_value(True).run()
    assert {"F1 of Contempt, training", "F1 of Contempt, validation"} <= set(app.dataframe[0].value)
    assert any(button.proto.label == "Download all metrics as CSV" for button in app.get("download_button"))


def test_the_log_is_newest_first_and_names_the_image_source(store: Settings, show: Show) -> None:
    run = begin(make_run(store, "logged", rows(3)))
    app = show("logged", tab="Log")
    log = next(block.value for block in app.code if "epoch 3/20" in block.value)
    assert log.index("images come from") < log.index("epoch 3/20") < log.index("epoch 1/20")
    app = show("logged", tab="Rate and speed")
    assert "Images come from the pack on disk." in plain_text(app)
    assert "Compute bound: 25 % of the time" in plain_text(app)
    run.append_log("images come from files, decoded anew")
    assert "Images come from files, decoded anew." in plain_text(app.run())


def test_the_recipe_shows_the_data(store: Settings, show: Show) -> None:
    begin(make_run(store, "used", rows(1)))
    text = plain_text(show("used", tab="Config and data"))
    assert "80 training, 10 validation and 8 test images. Not used: 2 images" in text
    assert "The dataset gone is no longer in the store." in text and DATA["fingerprint"] in text
    assert "epochs: 20" in text
    assert "has not split its images yet" in plain_text(show(make_run(store, "not-begun").id, tab="Config and data"))


def test_files_have_sizes_and_events_a_command(store: Settings, show: Show) -> None:
    run = finish(make_run(store, "filed", rows(2)))
    assert "tensorboard" not in plain_text(show("filed"))
    (run.folder / "events").mkdir()
    (run.folder / "events" / "one").write_bytes(b"x" * 1500)
    table = files_table(run).set_index("name")
    assert table.loc["events/", "bytes"] == 1500
    assert table.loc["metrics.jsonl", "bytes"] == run.path("metrics.jsonl").stat().st_size
    assert f"tensorboard --logdir {run.folder}/events" in plain_text(show("filed", tab="Files"))
