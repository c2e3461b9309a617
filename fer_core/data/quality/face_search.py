"""Detect faces in every image of a dataset."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from fer_core.data.catalog import StoredDataset
from fer_core.data.index.images import BOX_COLUMNS, Box, get_face_refs, read_face
from fer_core.data.index.workers import run_chunks
from fer_core.data.sources.byte_range import ByteRange, OpenFiles
from fer_core.data.sources.source import Source
from fer_core.detection.multi_scale import detect_at_scales
from fer_core.detection.open_detector import OpenedDetector, open_detector
from fer_core.faces import RgbImage
from fer_core.files.atomic import atomic_path, write_json
from fer_core.progress import Progress, no_progress
from fer_core.settings import Settings

SIDE_MIN_PX = 160
"""Smaller images are enlarged to this before the search."""

SCORE_MIN_01 = 0.5
"""Measured on FER+ (48x48), enlarged to 160 px: of 600 faces on which seven or more of ten annotators agree, YuNet
detects 99.7 % at 0.5 and 98.5 % at 0.7; of the two images that most annotators call no face, none."""

_CHUNK_ROWS = 1024


def search_faces(dataset: StoredDataset, settings: Settings, progress: Progress = no_progress) -> pd.DataFrame:
    """Detect faces in every readable image and store the result with the dataset; a canceled search can be resumed.

    Returns:
        one row for each readable image, in the order of the index: `id`, `faces` (how many were detected) and
        `score_01` (of the best; 0 if there is none).
    Raises:
        CancelledError: `progress` asked to stop; finished chunks stay.
    """
    opened = open_detector(settings, score_min_01=SCORE_MIN_01)
    folder = dataset.folder / f"faces-parts-{opened.detector.name}"
    folder.mkdir(exist_ok=True)
    rows = dataset.raw_index(["id", "path", "problem", *BOX_COLUMNS])
    rows = rows[rows["problem"] == ""].reset_index(drop=True)
    chunks = {
        folder / f"{start:09d}.parquet": rows[start : start + _CHUNK_ROWS] for start in range(0, len(rows), _CHUNK_ROWS)
    }
    chunks = {target: chunk for target, chunk in chunks.items() if not target.is_file()}
    done = len(rows) - sum(map(len, chunks.values()))

    def count_rows(count: int) -> None:
        nonlocal done
        done += count
        progress(done / len(rows), f"Looked for faces in {done:,} of {len(rows):,} images")

    with dataset.source(settings) as source:
        arguments = ((settings, *_locate_faces(source, chunk), target) for target, chunk in chunks.items())
        run_chunks(_search_chunk, arguments, settings.threads or os.cpu_count() or 1, count_rows)
    table = pd.concat([pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))], ignore_index=True)
    with atomic_path(dataset.folder / "faces.parquet") as temporary:
        table.to_parquet(temporary, index=False)
    write_json(dataset.folder / "faces.json", {"detector": opened.detector.name, "message": opened.warning})
    shutil.rmtree(folder)
    progress(1.0, f"No face was detected in {int((table['faces'] == 0).sum()):,} of {len(table):,} images")
    return table


def load_face_search(dataset: StoredDataset) -> tuple[pd.DataFrame, str] | None:
    """Load the result of the last search and the detector's name; None before there is one."""
    try:
        detector = str(json.loads((dataset.folder / "faces.json").read_text())["detector"])
        return pd.read_parquet(dataset.folder / "faces.parquet"), detector
    except (OSError, ValueError, KeyError):
        return None


def _locate_faces(source: Source, rows: pd.DataFrame) -> tuple[list[str], list[ByteRange], list[Box | None]]:
    """List the ids, files and boxes of some rows."""
    faces = get_face_refs(rows)
    return rows["id"].tolist(), [source.locate(face.path) for face in faces], [face.box for face in faces]


def _search_chunk(
    settings: Settings, ids: Sequence[str], byte_ranges: Sequence[ByteRange], boxes: Sequence[Box | None], target: Path
) -> int:
    """Search some images, write the result and return their number; runs in a worker process."""
    detector = _detector(settings).detector
    counts, scores = [], []
    with closing(OpenFiles()) as files:
        for byte_range, box in zip(byte_ranges, boxes, strict=True):
            pixels = read_face(byte_range, box, files)
            detected = [] if pixels is None else detect_at_scales(detector, _upscale(pixels))
            counts.append(len(detected))
            scores.append(max((face.score_01 for face in detected), default=0.0))
    table = pd.DataFrame({"id": ids, "faces": np.array(counts, np.int16), "score_01": np.array(scores, np.float32)})
    with atomic_path(target) as temporary:
        table.to_parquet(temporary, index=False)
    return len(table)


@lru_cache(maxsize=1)
def _detector(settings: Settings) -> OpenedDetector:
    return open_detector(settings, score_min_01=SCORE_MIN_01)


def _upscale(pixels: RgbImage) -> RgbImage:
    """Convert to color, and enlarge to at least `SIDE_MIN_PX`."""
    color = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB) if pixels.ndim == 2 else pixels
    scale = SIDE_MIN_PX / max(color.shape[:2])
    if scale > 1:
        color = cv2.resize(color, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    return np.asarray(color, np.uint8)
