"""Readings as a table: a row a face, and a row a picture in which nobody was found or which could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from fer_core.inference.predictor import ImagePrediction
from fer_core.labels import Expression

NO_FACE = "no face was found"
_BOX = ("x", "y", "width", "height")
_ABOUT_A_FACE = ("face", *_BOX, "detector", "label", "confidence", "uncertain", "reason")


Row = dict[str, object]


def readings_table(rows: Sequence[Row], *, model: str, point: str) -> pd.DataFrame:
    """Every picture that was given, in its order.

    Args:
        rows: of `reading_rows`, for each picture.
        model: the id of the model that read them.
        point: the operating point.
    Returns:
        the columns `source`, `problem` (why a picture has no reading, else empty), `faces` (how many were found; none
        where it could not be read), `face` (its number), the box in pixels of the file, how the face was read, how
        sure, every probability, `model` and `point`.
    """
    expressions = [str(e) for e in Expression if any(str(e) in row for row in rows)]
    table = pd.DataFrame(rows, columns=["source", "problem", "faces", *_ABOUT_A_FACE, *expressions])
    whole = dict.fromkeys(("faces", "face", *_BOX), "Int64")
    return table.astype({**whole, "uncertain": "boolean"}).assign(model=model, point=point)


def reading_rows(reading: ImagePrediction) -> Iterator[Row]:
    """The rows of one picture; they hold no pixels."""
    source = reading.source.encode(errors="replace").decode()  # a name on disk need not be UTF-8, a table must be
    if reading.error:
        yield {"source": source, "problem": reading.error.encode(errors="replace").decode()}
    elif not reading.faces:
        yield {"source": source, "problem": NO_FACE, "faces": 0}
    for number, face in enumerate(reading.faces, 1):
        yield {
            "source": source,
            "problem": "",
            "faces": len(reading.faces),
            "face": number,
            **dict(zip(_BOX, face.box.as_list(), strict=True)),
            "detector": face.detector,
            "label": str(face.label),
            "confidence": round(face.confidence, 4),
            "uncertain": face.uncertain,
            "reason": face.reason,
            **{str(e): round(value, 4) for e, value in face.probabilities.items()},
        }
