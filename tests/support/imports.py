"""Unfinished imports of a few class folders."""

from __future__ import annotations

from pathlib import Path

from fer_core.data.ingest.import_folder import Import, start_import
from fer_core.settings import Settings
from tests.support.sources import EMPTY_MANIFEST, class_folders, write_tar, write_zip

FILES = class_folders(12)


class Killed(BaseException):
    """Simulates a kill of the process; nothing catches it."""


def write_upload(store: Settings, name: str = "faces.zip") -> Path:
    store.uploads_dir.mkdir(parents=True, exist_ok=True)
    pack = write_zip if name.endswith(".zip") else write_tar
    return pack(store.uploads_dir / name, FILES, *(["gz"] if name.lower().endswith("gz") else []))


def start_with_manifest(source: Path, store: Settings, *, move: bool = False) -> Import:
    work = start_import(source, "sample", store, move=move)
    work.set_manifest(EMPTY_MANIFEST)
    return work
