"""Search every image of a dataset for a face."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from fer_core.data.catalog import StoredDataset
from fer_core.data.index.images import BOX_COLUMNS, Box, crop_box, get_face_refs, try_decode
from fer_core.data.index.workers import process_pool
from fer_core.data.sources.byte_range import ByteRange, OpenFiles, read_bytes
from fer_core.detection.multi_scale import detect_at_scales
from fer_core.detection.open_detector import OpenedDetector, open_detector
from fer_core.errors import InputError
from fer_core.faces import RgbImage
from fer_core.files.atomic import atomic_path, write_json
from fer_core.progress import Progress, no_progress
from fer_core.settings import Settings

SIDE_MIN_PX = 160
"""Smaller images are enlarged to this before the search."""

SCORE_MIN_01 = 0.5
"""By measurement on FER+ (48x48), enlarged to 160 px: of 600 faces on which seven or more of ten voters agree, YuNet
finds 99.7 % at 0.5 and 98.5 % at 0.7; of the two images that most voters call no face, none."""

_CHUNK_ROWS = 1024
_IN_FLIGHT = 3


def search_faces(dataset: StoredDataset, settings: Settings, progress: Progress = no_progress) -> pd.DataFrame:
    """Search every readable image and store the result with the dataset; a stopped search continues.

    Returns:
        columns `id`, `faces` (how many were found) and `score_01` (of the best, 0 where there is none); the rows of the
        index that can be read, in its order.
    Raises:
        CancelledError: `progress` asked to stop; what was searched is kept.
    """
    opened = open_detector(settings, score_min_01=SCORE_MIN_01)
    parts = dataset.folder / f"faces-parts-{opened.detector.name}"
    parts.mkdir(exist_ok=True)
    rows = dataset.raw_index(["id", "path", "problem", *BOX_COLUMNS])
    rows = rows[rows["problem"] == ""].reset_index(drop=True)
    done = 0
    processes = settings.threads or os.cpu_count() or 1
    with dataset.source(settings) as source, process_pool(processes) as pool:
        try:
            waiting: set[Future[int]] = set()
            for first in range(0, len(rows), _CHUNK_ROWS):
                part, target = rows[first : first + _CHUNK_ROWS], parts / f"{first:09d}.parquet"
                if target.is_file():
                    done += len(part)
                    continue
                faces = get_face_refs(part)
                places = [source.locate(face.path) for face in faces]
                boxes = [face.box for face in faces]
                waiting.add(pool.submit(_search_chunk, settings, part["id"].tolist(), places, boxes, target))
                while len(waiting) >= _IN_FLIGHT * processes or (waiting and first + _CHUNK_ROWS >= len(rows)):
                    finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    done += sum(future.result() for future in finished)
                    progress(done / len(rows), f"Looked for faces in {done:,} of {len(rows):,} images")
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    found = pd.concat([pd.read_parquet(path) for path in sorted(parts.glob("*.parquet"))], ignore_index=True)
    with atomic_path(dataset.folder / "faces.parquet") as temporary:
        found.to_parquet(temporary, index=False)
    write_json(dataset.folder / "faces.json", {"detector": opened.detector.name, "message": opened.warning})
    shutil.rmtree(parts)
    progress(1.0, f"{int((found['faces'] == 0).sum()):,} of {len(found):,} images show no face that was found")
    return found


def load_face_search(dataset: StoredDataset) -> tuple[pd.DataFrame, str] | None:
    """Load the result of the last search and the detector's name; None before there is one."""
    try:
        detector = str(json.loads((dataset.folder / "faces.json").read_text())["detector"])
        return pd.read_parquet(dataset.folder / "faces.parquet"), detector
    except (OSError, ValueError, KeyError):
        return None


def _search_chunk(
    settings: Settings, ids: Sequence[str], places: Sequence[ByteRange], boxes: Sequence[Box | None], target: Path
) -> int:
    """Search some images, write the result and return their number. Runs in a worker process."""
    detector = _detector(settings).detector
    counts, scores = [], []
    for pixels in _pictures(places, boxes):
        found = detect_at_scales(detector, _enlarged(pixels)) if pixels is not None else []
        counts.append(len(found))
        scores.append(max((face.score_01 for face in found), default=0.0))
    table = pd.DataFrame({"id": ids, "faces": np.array(counts, np.int16), "score_01": np.array(scores, np.float32)})
    with atomic_path(target) as temporary:
        table.to_parquet(temporary, index=False)
    return len(table)


@lru_cache(maxsize=1)
def _detector(settings: Settings) -> OpenedDetector:
    return open_detector(settings, score_min_01=SCORE_MIN_01)


def _pictures(places: Sequence[ByteRange], boxes: Sequence[Box | None]) -> Iterator[RgbImage | None]:
    files = OpenFiles()
    try:
        for place, box in zip(places, boxes, strict=True):
            try:
                pixels = try_decode(read_bytes(place, files))
            except InputError:
                pixels = None
            yield None if pixels is None else crop_box(pixels, box)
    finally:
        files.close()


def _enlarged(pixels: RgbImage) -> RgbImage:
    """Convert to color, and enlarge to at least `SIDE_MIN_PX`."""
    color = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB) if pixels.ndim == 2 else pixels
    scale = SIDE_MIN_PX / max(color.shape[:2])
    if scale > 1:
        color = cv2.resize(color, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    return np.asarray(color, np.uint8)
