"""What Live's forms of a network cost in accuracy: in 32 bits and in 8, in two passes (flip test-time augmentation) and
in one.

    python -m bench.live_accuracy --data ferplus.zip [--split valid] [--model default] [--json]

A face that stays is read by Live in two passes, spread over two frames; one that moves in one pass a frame.
"""

from __future__ import annotations

import argparse
from typing import Any

from bench.table import show
from fer_core.cli.judged_images import add_model_and_data, judged_images
from fer_core.evaluation.report import reports
from fer_core.inference.bundle import Bundle
from fer_core.inference.catalog import find_model
from fer_core.inference.fastest import FORMS
from fer_core.inference.score import score
from fer_core.settings import settings


def main() -> None:
    """Read the images with each form, print a row a form, protocol and operating point."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_model_and_data(parser)
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    asked = parser.parse_args()
    model = find_model(asked.model, settings())
    folder = model.folder
    rows: list[dict[str, Any]] = []
    with judged_images(asked, model) as judged:
        for name in (name for name in FORMS if (folder / name).is_file()):
            for passes in (2, 1):
                bundle = Bundle.open(folder, model_file=name, flip_tta=passes == 2)
                predictions = score(bundle, judged.rows, judged.source)
                found = reports(predictions, bundle.calibration, bundle.contract.label_set)
                form = f"{FORMS[name]}, {'two passes' if passes == 2 else 'one pass'}"
                rows += [_row(form, each, rows) for each in found]
    show("Macro-F1, accuracy and calibration error in percent", rows)


def _row(form: str, report: dict[str, Any], earlier: list[dict[str, Any]]) -> dict[str, Any]:
    """A report's figures, and how many points of macro-F1 the first form had more."""
    key = {"protocol": report["protocol"], "point": report["point"]}
    first = next((row for row in earlier if key.items() <= row.items()), None)
    macro_f1 = round(100 * report["macro_f1"], 2)
    return {
        "form": form,
        **key,
        "n": report["n"],
        "macro_f1": macro_f1,
        "lost": round(first["macro_f1"] - macro_f1, 2) if first else 0.0,
        "accuracy": round(100 * report["accuracy"], 2),
        "ece": round(100 * report["ece"], 2),
    }


if __name__ == "__main__":
    main()
