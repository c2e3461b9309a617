"""The table of predictions has every image."""

from __future__ import annotations

import numpy as np

from fer_core.faces import FaceBox
from fer_core.files.csv_file import csv_bytes
from fer_core.inference.prediction_table import NO_FACE, build_prediction_table, prediction_rows
from fer_core.inference.predictor import FacePrediction, ImagePrediction
from fer_core.labels import Expression

CROP = np.zeros((8, 8, 3), np.uint8)


def face(x: int) -> FacePrediction:
    probabilities = {Expression.HAPPINESS: 0.91234567, Expression.FEAR: 0.08765433}
    box, label = FaceBox(x, 2, 30, 40), Expression.HAPPINESS
    return FacePrediction(box, "fake", 0.9, label, probabilities[label], False, "", probabilities, CROP)


def test_images_without_a_face_and_unreadable_ones_have_a_row() -> None:
    predictions = [
        ImagePrediction("two.jpg", 100, 90, (), "", (face(1), face(50))),
        ImagePrediction("none.jpg", 100, 90, (), "", ()),
        ImagePrediction("=cmd|1+1.jpg", 0, 0, (), "it is not an image", ()),
    ]
    rows = [row for prediction in predictions for row in prediction_rows(prediction)]
    table = build_prediction_table(rows, model="default", point="balanced")
    assert table["source"].tolist() == ["two.jpg", "two.jpg", "none.jpg", "=cmd|1+1.jpg"]
    assert table["problem"].tolist() == ["", "", NO_FACE, "it is not an image"]
    assert table["faces"].tolist()[:3] == [2, 2, 0] and table["faces"].isna().tolist()[3]
    assert table["face"].tolist()[:2] == [1, 2]
    assert set(table["model"]) == {"default"} and set(table["point"]) == {"balanced"}
    lines = csv_bytes(table).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("source,problem,faces,face,x,y,width,height,detector,label,confidence,uncertain,reason")
    assert lines[2] == "two.jpg,,2,2,50,2,30,40,fake,happiness,0.9123,False,,0.9123,0.0877,default,balanced"
    assert lines[3] == "none.jpg,no face was found,0,,,,,,,,,,,,,default,balanced"
    assert lines[4].startswith("'=cmd|1+1.jpg,it is not an image,,,")


def test_a_table_of_unreadable_images_has_its_columns() -> None:
    table = build_prediction_table(
        [*prediction_rows(ImagePrediction("a\udcff", 0, 0, (), "broken", ()))], model="m", point="accurate"
    )
    assert table["source"].tolist() == ["a?"]
    assert {"label", "confidence", "model"} <= set(table)
