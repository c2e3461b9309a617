"""What the stage of Live says and keeps: answers, places of labels, baseline, test, log."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from fer_core.faces import FaceBox
from fer_core.inference.abstention import REASON_TEXTS, REMEDIES
from fer_core.labels import Expression
from fer_core.live.overlay import place_labels
from fer_ui.live.stage import label_value
from tests.e2e.live.scripts_page import run_script

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

LABELS = [label_value(expression) for expression in Expression]
NEUTRAL, HAPPINESS = 0, 1
TEXTS = {"reasons": {str(k): v for k, v in REASON_TEXTS.items()}, "remedies": {str(k): v for k, v in REMEDIES.items()}}


def answer(page: Page, probabilities: list[float], label: int, reasons: list[str]) -> Any:
    face = {"id": 3, "probabilities": probabilities, "label": label, "reasons": reasons}
    script = 'const { toAnswer } = await load("stage/answer.js"); return toAnswer(face, labels, texts, 0.6);'
    return run_script(page, script, face=face, labels=LABELS, texts=TEXTS)


def test_an_answer_says_the_same_in_the_picture_and_beside_it(scripts_page: Page) -> None:
    found = answer(scripts_page, [0.1, 0.826, 0.074, 0, 0, 0, 0, 0], HAPPINESS, [])
    assert found["tag"] == "happiness 83 %"
    assert found["title"] == "Read as happiness"
    assert found["detail"] == "Confidence 83 %."
    assert found["label"]["name"] == "happiness"


@pytest.mark.parametrize(
    ("reason", "detail", "remedy"),
    [
        ("low_confidence", "Most likely happiness (52 %), below the 60 % needed.", ""),
        ("small_margin", "Most likely happiness (52 %), too close to sadness.", ""),
        ("profile", "Most likely happiness (52 %), the face is seen from the side.", "Turn to the camera."),
        ("blurred", "Most likely happiness (52 %), the face is too blurred.", "Hold still, or get more light."),
    ],
)
def test_a_doubt_has_its_reason_and_what_can_be_done(scripts_page: Page, reason: str, detail: str, remedy: str) -> None:
    found = answer(scripts_page, [0.04, 0.52, 0.44, 0, 0, 0, 0, 0], HAPPINESS, [reason, "low_confidence"])
    assert (found["tag"], found["title"], found["label"]) == ("uncertain", "Uncertain", None)
    assert (found["detail"], found["remedy"]) == (detail, remedy)


def test_labels_are_where_python_places_them(scripts_page: Page) -> None:
    generator = np.random.default_rng(0)
    scenes = []
    for count in (1, 2, 5, 8):
        corners = generator.integers((-20, -20), (600, 440), (count, 2))
        sides = generator.integers((30, 30), (180, 200), (count, 2))
        sizes = [[int(width), 20] for width in generator.integers(60, 200, count)]
        scenes.append(([[*map(int, (*corner, *side))] for corner, side in zip(corners, sides, strict=True)], sizes))
    script = """
        const { placeLabels } = await load("stage/label_places.js");
        const toBox = ([x, y, width, height]) => ({ x, y, width, height });
        return scenes.map(([boxes, sizes]) => placeLabels(boxes.map(toBox),
            sizes.map(([width, height]) => ({ width, height })), { width: 640, height: 480 }));"""
    for (boxes, sizes), places in zip(scenes, run_script(scripts_page, script, scenes=scenes), strict=True):
        faces = [FaceBox(*box) for box in boxes]
        expected = place_labels(faces, [(width, height) for width, height in sizes], (640, 480))
        for place, other in zip(places, expected, strict=True):
            assert [*place.values()] == pytest.approx(other.as_list(), abs=4)  # its gap is wider


def correct(page: Page, at_rest: list[float], later: list[float], readings: int = 30) -> Any:
    script = """
        const { BaselineRecorder, correct } = await load("stage/baseline.js");
        const recorder = new BaselineRecorder(0);
        for (let i = 0; i < readings; i++) recorder.add(atRest);
        const correction = recorder.finish();
        return correction && correct(correction, later);"""
    return run_script(page, script, atRest=at_rest, later=later, readings=readings)


def test_a_face_that_rests_sad_is_read_as_neutral_after_calibration(scripts_page: Page) -> None:
    at_rest = [0.4, 0.02, 0.5, 0.02, 0.02, 0.01, 0.02, 0.01]
    found = correct(scripts_page, at_rest, at_rest)
    assert sum(found) == pytest.approx(1)
    assert found[NEUTRAL] == max(found) and found[NEUTRAL] > 0.7
    smiling = [0.05, 0.9, 0.02, 0.01, 0.005, 0.005, 0.005, 0.005]
    assert correct(scripts_page, at_rest, smiling)[HAPPINESS] > 0.9
    crying = [0.01, 0.0, 0.97, 0.0, 0.01, 0.0, 0.01, 0.0]
    assert correct(scripts_page, at_rest, crying)[2] > 0.6, "a clear expression is still seen"


def test_a_face_that_rests_neutral_is_not_changed(scripts_page: Page) -> None:
    at_rest = [0.93] + [0.01] * 7
    later = [0.3, 0.4, 0.1, 0.1, 0.04, 0.02, 0.02, 0.02]
    assert correct(scripts_page, at_rest, later) == pytest.approx(later)


def test_without_a_face_there_is_no_calibration(scripts_page: Page) -> None:
    assert correct(scripts_page, [1.0] + [0.0] * 7, [1.0] + [0.0] * 7, readings=3) is None


def test_the_test_counts_only_while_an_expression_is_held(scripts_page: Page) -> None:
    script = """
        const { describeResult, matrixHtml, resultPage, TestMe } = await load("stage/test_me.js");
        const test = new TestMe(labels, 100);
        let steps = 0;
        for (let at = 100; test.step(at); at += 0.1, steps++) {
            const { index } = test.step(at);
            // Fear is read as surprise, contempt is never sure; while somebody gets ready everything is neutral.
            test.note(!test.step(at).counts ? 0 : index === 4 ? 3 : index === 7 ? null : index, at);
        }
        return { steps, ...test.result, text: describeResult(test.result), html: matrixHtml(test.result),
            page: resultPage(test.result, "<script>", new Date(0)) };"""
    found = run_script(scripts_page, script, labels=LABELS)
    counts = np.array(found["counts"])
    assert counts.shape == (8, 9)
    assert found["steps"] == pytest.approx(8 * 50, abs=2)
    assert counts.sum(1) == pytest.approx(30, abs=1)
    assert counts[4, 3] == counts[4].sum() and counts[7, 8] == counts[7].sum()
    assert found["text"] == (
        "The model read 6 of your 8 expressions as asked. It read fear as surprise. It was not sure about contempt."
    )
    assert found["html"].count("<tr>") == 9
    assert "<script>" not in found["page"]
    assert found["text"] in found["page"]


def test_the_log_has_faces_and_marks_as_csv_and_json(scripts_page: Page) -> None:
    script = """
        const { SessionLog } = await load("stage/session_log.js");
        const log = new SessionLog(["neutral", "fear"], new Date(0), 50);
        log.add([{ id: 1, label: { name: "fear" }, probabilities: [0.25, 0.75] },
                 { id: 2, label: null, probabilities: [0.5, 0.5] }], ["", "blurred"], 50.5);
        log.addMark(51);
        return { csv: log.toCsv(), json: log.toJson() };"""
    found = run_script(scripts_page, script)
    rows = list(csv.DictReader(io.StringIO(found["csv"])))
    assert [row["seconds"] for row in rows] == ["0.500", "0.500", "1.000"]
    assert rows[0]["read_as"] == "fear" and rows[0]["fear"] == "0.7500"
    assert rows[1]["read_as"] == "uncertain" and rows[1]["reason"] == "blurred"
    assert rows[2]["mark"] == "1" and not rows[2]["face"]
    log = json.loads(found["json"])
    assert log["started"] == "1970-01-01T00:00:00.000Z"
    assert log["rows"][0] == {
        "seconds": 0.5,
        "face": 1,
        "read_as": "fear",
        "probabilities": {"neutral": 0.25, "fear": 0.75},
    }
    assert log["rows"][2] == {"seconds": 1, "mark": 1}


@pytest.mark.parametrize(
    ("state", "seconds", "text"),
    [("sadness", 70, "Read as sadness for 92 % of the time."), ("sadness", 40, ""), ("neutral", 70, "")],
)
def test_a_stuck_expression_is_warned_about(scripts_page: Page, state: str, seconds: float, text: str) -> None:
    script = """
        const { faceNote } = await load("stage/face_note.js");
        const segments = [{ state: "fear", startS: 0, endS: 6 }, { state, startS: 6, endS: 6 + seconds }];
        return faceNote(segments, { found: 1, faces: [1], atS: 6 + seconds });"""
    note = run_script(scripts_page, script, state=state, seconds=seconds)
    assert note.startswith(text) and bool(note) is bool(text)


def test_remembered_choices_of_another_version_are_mended(scripts_page: Page) -> None:
    script = """
        const { DEFAULTS, loadChoices, saveChoices } = await load("stage/choices.js");
        const found = [];
        for (const stored of ["nonsense", '{"smoothing": "gone", "mirror": "yes", "facesMax": 2, "more": 1}', "null"]) {
            localStorage.setItem("ferscope-live", stored);
            found.push(loadChoices());
        }
        saveChoices({ ...DEFAULTS, point: "balanced" });
        return [DEFAULTS, ...found, loadChoices()];"""
    defaults, nonsense, old, null, saved = run_script(scripts_page, script)
    assert nonsense == null == defaults
    assert old == {**defaults, "facesMax": 2}
    assert saved == {**defaults, "point": "balanced"}
