"""Input files of the browser tests: archives to import, a video for the fake camera."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import zipfile
from pathlib import Path

CAMERA = "scale=640:480:force_original_aspect_ratio=increase,crop=640:480"
_PER_CLASS = {"FER2013Train": 30, "FER2013Valid": 12}


def write_small_ferplus(source: Path, target: Path) -> Path:
    """Write a subset of a FER+ archive: up to 30 training and 12 validation images of each class."""
    with zipfile.ZipFile(source) as full, zipfile.ZipFile(target, "w") as small:
        for folder, per_class in _PER_CLASS.items():
            rows = list(csv.reader(io.StringIO(full.read(f"{folder}/label.csv").decode())))
            selected: list[list[str]] = []
            for column in range(2, 10):
                agreed = [row for row in rows if int(row[column]) == max(int(vote) for vote in row[2:])]
                selected += [row for row in agreed[:per_class] if row not in selected]
            table = io.StringIO()
            csv.writer(table).writerows(selected)
            small.writestr(f"{folder}/label.csv", table.getvalue())
            for row in selected:
                small.writestr(f"{folder}/{row[0]}", full.read(f"{folder}/{row[0]}"))
    return target


def write_camera_video(source: Path, target: Path, seconds: int = 10) -> Path:
    """Write a video for Chromium's fake camera: motion JPEG, 640x480, 30 frames per second."""
    ffmpeg = shutil.which("ffmpeg")
    assert ffmpeg, "ffmpeg is missing: `make setup` installs it"
    still = ["-loop", "1"] if source.suffix in {".jpg", ".png"} else ["-stream_loop", "-1"]
    command = [ffmpeg, "-loglevel", "error", "-y", *still, "-t", str(seconds), "-i", str(source), "-vf", CAMERA]
    command += ["-r", "30", "-an", "-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p", str(target)]
    subprocess.run(command, check=True, timeout=120)
    return target


def write_archive_with_copies(source: Path, target: Path, copies: int) -> Path:
    """Write a FER+ archive in which copies of the first validation images are training images too."""
    with zipfile.ZipFile(source) as full, zipfile.ZipFile(target, "w") as copied:
        names = [name for name in full.namelist() if not name.endswith("FER2013Train/label.csv")]
        for name in names:
            copied.writestr(name, full.read(name))
        validation_rows = list(csv.reader(io.StringIO(full.read("FER2013Valid/label.csv").decode())))[:copies]
        added = [["copy-" + row[0], *row[1:]] for row in validation_rows]
        for row in validation_rows:
            copied.writestr(f"FER2013Train/copy-{row[0]}", full.read(f"FER2013Valid/{row[0]}"))
        table = io.StringIO()
        csv.writer(table).writerows(added)
        copied.writestr("FER2013Train/label.csv", full.read("FER2013Train/label.csv").decode() + table.getvalue())
    return target
