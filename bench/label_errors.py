"""Label errors: how many of the first 100 labels that are called wrong were flipped on purpose.

    python -m bench.label_errors [--model default] [--data ferplus] [--split valid] [--protocol majority] [--json]

5 and 10 % of the labels of the images that the model was not trained on are replaced by another class, at random, with
five seeds. Images with a near-duplicate in training are left out. What the dataset itself has mislabeled counts as a
false alarm. Precision is that of the first 100 over all seeds, for each ranking of cleanlab on the same flips. Its 95 %
interval (Wilson) treats the seeds as independent although their images are the same, so the range over the seeds is
beside it. Recall is the share of the flipped labels that are listed at all, which no ranking changes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bench.support.report import argument_parser, print_table
from fer_core.bundles.catalog import find_model
from fer_core.calibration import OperatingPoint
from fer_core.data.catalog import open_dataset
from fer_core.errors import InputError
from fer_core.evaluation.analysis.label_errors import find_label_errors
from fer_core.evaluation.analysis.slices import without_near_duplicates
from fer_core.evaluation.dataset_predictions import load_predictions
from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_core.evaluation.predictions import PROTOCOLS
from fer_core.intervals import wilson_interval
from fer_core.settings import settings

_SHARES_01 = (0.05, 0.1)
_SEEDS = 5
_FIRST = 100
_RANKINGS = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")


def main() -> None:
    """Flip labels, find them, and print a row for each share of flipped labels."""
    parser = argument_parser(__doc__)
    parser.add_argument("--model", default="default")
    parser.add_argument("--data", default="ferplus")
    parser.add_argument("--split", default="valid")
    parser.add_argument("--protocol", choices=PROTOCOLS, default="majority")
    arguments = parser.parse_args()
    model = find_model(arguments.model, settings())
    dataset = open_dataset(arguments.data, settings())
    predictions = load_predictions(model.folder, dataset, settings())
    if predictions.seen is None:
        raise InputError(f"{model.id} does not list its training images. Choose another model.")
    point = OperatingPoint.ACCURATE
    every = predictions.evaluate(arguments.split, arguments.protocol, point, with_copied=True)
    images, duplicates = without_near_duplicates(every, dataset.pairs(), predictions.seen.trained_on)
    title = f"{model.info.title} on {len(images.truth):,} images of {arguments.data}, {arguments.split}"
    title += f", {arguments.protocol}; {duplicates:,} with a near-duplicate in training left out"
    rows = [row for share in _SHARES_01 for row in _measure(images, share)]
    print_table(title, rows, as_json=arguments.json)


def _measure(images: EvaluatedImages, share_01: float) -> list[dict[str, Any]]:
    """Flip a share of the labels with each seed and count how many of the first labels of each ranking were flipped."""
    from cleanlab.rank import get_label_quality_scores

    hits: dict[str, list[int]] = {ranking: [] for ranking in _RANKINGS}
    found = flipped = listed = 0
    for seed in range(_SEEDS):
        rng = np.random.default_rng(seed)
        flips = rng.random(len(images.truth)) < share_01
        truth = images.truth.copy()
        truth[flips] = (truth[flips] + rng.integers(1, len(images.labels), flips.sum())) % len(images.labels)
        numbers = find_label_errors(replace(images, truth=truth)).numbers
        probabilities = images.probabilities[numbers].astype(float)
        probabilities /= probabilities.sum(1, keepdims=True)
        for ranking in _RANKINGS:
            quality = get_label_quality_scores(truth[numbers], probabilities, method=ranking)
            first = numbers[np.argsort(quality, kind="stable")[:_FIRST]]
            hits[ranking].append(int(flips[first].sum()))
        found, listed = found + int(flips[numbers].sum()), listed + len(numbers)
        flipped += int(flips.sum())
    return [_row(share_01, ranking, hits[ranking], found / flipped, listed // _SEEDS) for ranking in _RANKINGS]


def _row(share_01: float, ranking: str, hits: list[int], recall_01: float, listed: int) -> dict[str, Any]:
    low, high = wilson_interval(sum(hits), _SEEDS * _FIRST)
    return {
        "flipped": f"{share_01:.0%}",
        "ranking": ranking,
        f"precision of the first {_FIRST}": f"{sum(hits) / (_SEEDS * _FIRST):.3f}",
        "95 %": f"{low:.3f} to {high:.3f}",
        "seeds": f"{min(hits) / _FIRST:.2f} to {max(hits) / _FIRST:.2f}",
        "recall": f"{recall_01:.3f}",
        "listed": listed,
    }


if __name__ == "__main__":
    main()
