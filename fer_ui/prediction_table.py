"""Readings as a table that a spreadsheet opens."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from fer_core.inference.predictor import ImageReading
from fer_core.labels import Expression


def readings_csv(readings: Sequence[ImageReading]) -> str:
    """A row a face: where it is, how it was read, how sure, and every probability."""
    rows = [
        {
            "source": reading.source,
            "face": number,
            **dict(zip(("x", "y", "width", "height"), face.box.as_list(), strict=True)),
            "detector": face.detector,
            "label": str(face.label),
            "confidence": round(face.confidence, 4),
            "uncertain": face.uncertain,
            "reason": face.reason,
            **{str(e): round(face.probabilities[e], 4) for e in Expression if e in face.probabilities},
        }
        for reading in readings
        for number, face in enumerate(reading.faces, 1)
    ]
    return pd.DataFrame(rows).to_csv(index=False)
