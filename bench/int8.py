"""A model of 8 bits against the same of 32: what it costs in accuracy, and what it wins in time, one thread, in turn.

    python -m bench.int8 [--model default] [--data ferplus] [--split valid] [--faces 512] [--json]

The dataset is in the store. Ranges are taken from `--faces` images of its training part (else of the judged part).
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.table import show, timed_in_turn
from fer_core.calibration import POINT_NAMES
from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.images import face_refs, images_in_order
from fer_core.data.record import Split
from fer_core.evaluation.predictions import PROTOCOLS
from fer_core.evaluation.report import report
from fer_core.inference.bundle import MODEL_FILE, Bundle
from fer_core.inference.catalog import find_model
from fer_core.inference.quantise import quantise
from fer_core.inference.score import score
from fer_core.settings import settings

_INT8_FILE = "model-int8.onnx"
_ROUNDS = 200


def main() -> None:
    """Print a row a model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="default")
    parser.add_argument("--data", default="ferplus")
    parser.add_argument("--split", default=str(Split.VALID))
    parser.add_argument("--faces", type=int, default=512)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    folder = find_model(asked.model, settings()).folder
    dataset = open_dataset(asked.data, settings())
    index = dataset.index()
    index = index[~index["excluded"] & index["label"].notna()]
    judged = index[index["split"] == asked.split]
    train = index[index["split"] == str(Split.TRAIN)]
    chosen = (train if len(train) else judged).sample(asked.faces, random_state=0)
    with tempfile.TemporaryDirectory() as temporary:
        small = Path(temporary) / "int8"
        shutil.copytree(folder, small)
        contract = Bundle.open(folder, threads=1).contract
        (small / _INT8_FILE).write_bytes(quantise(folder, contract.apply_batch(_faces(dataset, chosen))))
        files = {"fp32": MODEL_FILE, "int8": _INT8_FILE}
        bundles = {name: Bundle.open(small, threads=1, model_file=file) for name, file in files.items()}
        kib = {f"kib_{name}": (small / file).stat().st_size // 1024 for name, file in files.items()}
        show(f"{asked.model} on {asked.data} {asked.split}", [row | kib for row in _rows(bundles, dataset, judged)])


def _rows(bundles: dict[str, Bundle], dataset: StoredDataset, judged: pd.DataFrame) -> list[dict[str, Any]]:
    with dataset.source(settings()) as source:
        tables = {name: score(bundle, judged, source) for name, bundle in bundles.items()}
    face = next(iter(bundles.values())).contract.apply_batch(_faces(dataset, judged.head(1)))
    seconds = timed_in_turn({name: _asked_once(bundle, face) for name, bundle in bundles.items()}, _ROUNDS)
    rows = []
    for protocol in (name for name in PROTOCOLS if name in tables["fp32"]):
        for point in POINT_NAMES:
            found = {
                name: report(tables[name], bundle.calibration, bundle.contract.label_set, protocol, point)
                for name, bundle in bundles.items()
            }
            rows.append(_row(protocol, point, found, seconds))
    return rows


def _row(protocol: str, point: str, found: dict[str, Any], seconds: dict[str, float]) -> dict[str, Any]:
    row: dict[str, Any] = {"protocol": protocol, "point": point, "n": found["fp32"]["n"]}
    for figure in ("accuracy", "macro_f1", "balanced_accuracy", "ece"):
        row |= {f"{figure}_{name}": round(each[figure], 4) for name, each in found.items()}
    row["accuracy_points_lost"] = round(100 * (row["accuracy_fp32"] - row["accuracy_int8"]), 2)
    row["macro_f1_points_lost"] = round(100 * (row["macro_f1_fp32"] - row["macro_f1_int8"]), 2)
    row |= {f"ms_a_face_{name}": round(1e3 * each, 3) for name, each in seconds.items()}
    row["times_faster"] = round(seconds["fp32"] / seconds["int8"], 2)
    return row


def _asked_once(bundle: Bundle, face: NDArray[np.float32]) -> Any:
    return lambda: bundle.logits(face)


def _faces(dataset: StoredDataset, rows: pd.DataFrame) -> list[Any]:
    with dataset.source(settings()) as source:
        return [pixels for pixels in images_in_order(source, face_refs(rows)) if pixels is not None]


if __name__ == "__main__":
    main()
