"""Tables of predictions: a row for each face, and for each image without faces or with an error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from fer_core.calibration import OperatingPoint
from fer_core.inference.predictor import ImagePrediction
from fer_core.labels import Expression

NO_FACE = "no face was found"
_BOX_COLUMNS = ("x", "y", "width", "height")
_FACE_COLUMNS = ("face", *_BOX_COLUMNS, "detector", "label", "confidence", "uncertain", "reason")


Row = dict[str, object]


def build_prediction_table(rows: Sequence[Row], *, model: str, point: OperatingPoint) -> pd.DataFrame:
    """Build the table of all images.

    Args:
        rows: of `prediction_rows`, for each image.
        model: its id.
    Returns:
        columns `source`, `problem` (why an image has no prediction), `faces` (their number; NA after an error), `face`
        (1, 2, …), the box in pixels of the file, the label with its confidence, all probabilities, `model`, `point`.
    """
    expressions = [str(e) for e in Expression if any(str(e) in row for row in rows)]
    table = pd.DataFrame(rows, columns=["source", "problem", "faces", *_FACE_COLUMNS, *expressions])
    integers = dict.fromkeys(("faces", "face", *_BOX_COLUMNS), "Int64")
    return table.astype({**integers, "uncertain": "boolean"}).assign(model=model, point=str(point))


def prediction_rows(prediction: ImagePrediction) -> Iterator[Row]:
    """Yield the rows of one image."""
    source = prediction.source.encode(errors="replace").decode()  # a file name may not be UTF-8
    if prediction.error:
        yield {"source": source, "problem": prediction.error.encode(errors="replace").decode()}
    elif not prediction.faces:
        yield {"source": source, "problem": NO_FACE, "faces": 0}
    for number, face in enumerate(prediction.faces, 1):
        yield {
            "source": source,
            "problem": "",
            "faces": len(prediction.faces),
            "face": number,
            **dict(zip(_BOX_COLUMNS, face.box.as_list(), strict=True)),
            "detector": face.detector,
            "label": str(face.label),
            "confidence": round(face.confidence, 4),
            "uncertain": face.uncertain,
            "reason": face.reason,
            **{str(e): round(value, 4) for e, value in face.probabilities.items()},
        }
