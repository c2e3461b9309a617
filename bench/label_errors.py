"""Label errors: how many of the first 100 labels that are called wrong were flipped on purpose.

    python -m bench.label_errors [--model default] [--data ferplus] [--split valid] [--protocol majority] [--json]

5 and 10 % of the labels of the images that the model was not trained on are replaced by another class, at random, with
five seeds. What the dataset itself has mislabeled counts as a false alarm. Precision is that of the first 100 over all
seeds, with its 95 % interval (Wilson); recall is the share of the flipped labels that are found at all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bench.support.report import argument_parser, print_table
from fer_core.bundles.catalog import find_model
from fer_core.calibration import OperatingPoint
from fer_core.data.catalog import open_dataset
from fer_core.evaluation.analysis.label_errors import find_label_errors
from fer_core.evaluation.evaluated_images import EvaluatedImages, load_predictions
from fer_core.evaluation.predictions import PROTOCOLS
from fer_core.intervals import wilson_interval
from fer_core.settings import settings

_SHARES_01 = (0.05, 0.1)
_SEEDS = 5
_FIRST = 100


def main() -> None:
    """Flip labels, find them, and print a row for each share of flipped labels."""
    parser = argument_parser(__doc__)
    parser.add_argument("--model", default="default")
    parser.add_argument("--data", default="ferplus")
    parser.add_argument("--split", default="valid")
    parser.add_argument("--protocol", choices=PROTOCOLS, default="majority")
    arguments = parser.parse_args()
    model = find_model(arguments.model, settings())
    predictions = load_predictions(model.folder, open_dataset(arguments.data, settings()), settings())
    images = predictions.evaluate(arguments.split, arguments.protocol, OperatingPoint.ACCURATE).labeled
    title = f"{model.info.title} on {len(images.truth):,} images of {arguments.data}, {arguments.split}"
    print_table(title, [_measure(images, share) for share in _SHARES_01], as_json=arguments.json)


def _measure(images: EvaluatedImages, share_01: float) -> dict[str, Any]:
    """Flip a share of the labels with each seed and count how many of the first labels found were flipped."""
    hits = found = flipped = listed = 0
    for seed in range(_SEEDS):
        rng = np.random.default_rng(seed)
        flips = rng.random(len(images.truth)) < share_01
        truth = images.truth.copy()
        truth[flips] = (truth[flips] + rng.integers(1, len(images.labels), flips.sum())) % len(images.labels)
        errors = find_label_errors(replace(images, truth=truth))
        hits += int(flips[errors.numbers[:_FIRST]].sum())
        found, listed = found + int(flips[errors.numbers].sum()), listed + len(errors.numbers)
        flipped += int(flips.sum())
    low, high = wilson_interval(hits, _SEEDS * _FIRST)
    return {
        "flipped": f"{share_01:.0%}",
        f"precision of the first {_FIRST}": f"{hits / (_SEEDS * _FIRST):.3f}",
        "95 %": f"{low:.3f} to {high:.3f}",
        "recall": f"{found / flipped:.3f}",
        "listed": listed // _SEEDS,
    }


if __name__ == "__main__":
    main()
