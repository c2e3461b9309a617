"""Predictions of evaluated images as a table, for CSV and Parquet files."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fer_core.evaluation.evaluated_images import EvaluatedImages


def predictions_as_table(images: EvaluatedImages, confidence_threshold: float = 0.0) -> pd.DataFrame:
    """Tabulate predictions.

    Args:
        confidence_threshold: predictions of a lower confidence are marked as uncertain.
    Returns:
        columns `id`, `label` (NA without one), `predicted`, `confidence`, `correct` (NA without a label), `uncertain`,
        and the probability of each class by its name.
    """
    names = np.array([*map(str, images.labels)], object)
    labeled = images.truth >= 0
    label = pd.array([names[code] if code >= 0 else None for code in images.truth], dtype="string")
    correct = pd.array(images.predicted == images.truth, dtype="boolean")
    correct[~labeled] = pd.NA
    return pd.DataFrame(
        {
            "id": images.ids,
            "label": label,
            "predicted": names[images.predicted],
            "confidence": images.confidence,
            "correct": correct,
            "uncertain": images.confidence < confidence_threshold,
            **{str(name): images.probabilities[:, code] for code, name in enumerate(images.labels)},
        }
    )
