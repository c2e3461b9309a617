"""Folders of unfinished imports in the store; renamed to dataset folders when complete. See docs/data-flow.md."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fer_core.data.ingest.locks import LOCK, lock_import
from fer_core.data.manifest import Manifest, dump_manifest, read_manifest
from fer_core.data.sources.archive import is_compressed_tar
from fer_core.data.sources.fetch import fetch, is_url, repack_tar
from fer_core.data.sources.source import Source, check_readable, open_source
from fer_core.errors import DatasetError
from fer_core.files.atomic import atomic_folder, atomic_path, write_json, write_text
from fer_core.files.migration import IMPORT_KEYS, rename_keys
from fer_core.ids import check_id
from fer_core.progress import Progress, no_progress
from fer_core.settings import Settings
from fer_core.text import to_valid_utf8

DATASET_MARKER = "dataset.json"
INDEX, PAIRS, MANIFEST = "index.parquet", "pairs.parquet", "manifest.yaml"
CHUNKS, STAMP = "parts", "stamp.json"

_MARKER = "import.json"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Import:
    """An unfinished import.

    Attributes:
        source: a path or a URL.
        name: the user's name for the source.
        move: whether the source file is moved into the store.
        created: time at which the import was started, ISO 8601.
    """

    folder: Path
    source: str
    name: str
    move: bool
    created: str

    @property
    def id(self) -> str:
        """The id that the dataset will have."""
        return self.folder.name

    @property
    def ready(self) -> bool:
        """Whether the source can be read; otherwise `prepare` must fetch or repack it first."""
        path = self._source_path()
        try:
            return path is not None and not (path.is_file() and is_compressed_tar(path))
        except OSError:  # it is on disk, but the system refuses it: `open_files` says why
            return True

    @property
    def manifest(self) -> Manifest | None:
        """The chosen layout and labels; None before they are chosen."""
        path = self.folder / MANIFEST
        return read_manifest(path) if path.is_file() else None

    @property
    def n_chunks(self) -> int:
        """Number of finished chunks of the index."""
        return len(list((self.folder / CHUNKS).glob("*.parquet")))

    def path(self) -> Path:
        """The folder or archive to read.

        Raises:
            DatasetError: it must be fetched first.
        """
        path = self._source_path()
        if path is None or not self.ready:
            raise DatasetError(f"{self.source} must be fetched into the store first. Prepare the import {self.id!r}.")
        return path

    @contextmanager
    def open_files(self, settings: Settings) -> Iterator[Source]:
        """Open the files for reading; errors name the user's file, not its copy in the store.

        Raises:
            DatasetError: they must be fetched first, or can't be read.
        """
        with open_source(self.path(), settings, self.name) as source:
            yield source

    def prepare(self, settings: Settings, progress: Progress = no_progress) -> None:
        """Fetch a URL, or repack a compressed tar archive, into the store.

        Raises:
            DatasetError: the URL can't be fetched.
            ArchiveError: the archive is damaged or not safe.
        """
        if self.ready:
            return
        path = self._source_path() or fetch(self.source, self.folder, settings, progress)
        if is_compressed_tar(path):
            repack_tar(path, self.folder / "source.zip", settings, progress, self.name)
            if path.parent == self.folder:
                path.unlink()

    def set_manifest(self, manifest: Manifest) -> None:
        """Save the chosen layout and labels, and drop chunks that were indexed with others."""
        if manifest != self.manifest:
            shutil.rmtree(self.folder / CHUNKS, ignore_errors=True)
        write_text(self.folder / MANIFEST, dump_manifest(manifest))

    def _stored_source(self) -> Path | None:
        """The archive in this folder."""
        # A kill while repacking may leave the original beside the zip.
        return max(self.folder.glob("source.*"), key=lambda path: path.suffix == ".zip", default=None)

    def _source_path(self) -> Path | None:
        """Where the source is on disk; None for a URL that is not fetched yet."""
        return self._stored_source() or (None if is_url(self.source) else Path(self.source))

    def finish(self, settings: Settings, n: int, fingerprint: str) -> Path:
        """Turn the complete folder into a dataset of `n` images and return the new folder."""
        stored = self._stored_source()
        if stored is None and self.move:
            stored = _stored_path(self)
            _move(Path(self.source), stored)
        # A kill may have left temporary files, or an archive beside the zip that was made from it.
        for leftover in {*self.folder.glob("source.*"), *self.folder.glob(".*.tmp")} - {stored}:
            leftover.unlink()
        marker = {
            "source": stored.name if stored else self.source,
            "n": n,
            "fingerprint": fingerprint,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_json(self.folder / DATASET_MARKER, marker)
        target = settings.datasets_dir / self.id
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():  # the rest of an interrupted deletion: with a marker, `start_import` would have refused
            shutil.rmtree(target)
        self.folder.replace(target)
        shutil.rmtree(target / CHUNKS)
        for name in (_MARKER, STAMP, LOCK):
            (target / name).unlink(missing_ok=True)
        if self.move and stored is not None and not is_url(self.source):  # the store has a copy by now
            Path(self.source).unlink(missing_ok=True)
        return target


def start_import(
    source: str | Path, dataset_id: str, settings: Settings, *, name: str = "", move: bool = False
) -> Import:
    """Start an import, or open the unfinished one of the same source.

    Args:
        source: a folder, an archive, or an fsspec URL.
        name: the user's name for the source; that of the file or folder by default.
        move: move the file into the store; an upload is moved at once, another file at the end.
    Raises:
        DatasetError: the id is taken, or belongs to an unfinished import of another source.
    """
    folder = settings.imports_dir / check_id(dataset_id, "dataset")
    if (settings.datasets_dir / dataset_id / DATASET_MARKER).is_file():
        raise DatasetError(f"There is a dataset {dataset_id!r} already. Choose another id, or delete that one.")
    location = str(source) if is_url(str(source)) else str(_absolute(source))
    if (folder / _MARKER).is_file():
        unfinished = open_import(dataset_id, settings)
        if unfinished.source == location:
            return unfinished
        origin = unfinished.name if unfinished.move else unfinished.source
        raise DatasetError(
            f"There is an unfinished import {dataset_id!r} of {origin}. Continue or discard it, or choose another name."
        )
    if not is_url(location):
        check_readable(Path(location))
    if move and Path(location).is_dir():
        raise DatasetError(f"Only a file can be moved into the store; {location} is a folder. Leave it where it is.")
    shutil.rmtree(folder, ignore_errors=True)  # a kill may have left it without a marker
    created = datetime.now(UTC).isoformat(timespec="seconds")
    name = name or location.rstrip("/").rpartition("/")[2]
    with atomic_folder(folder) as temporary:
        write_json(temporary / _MARKER, {"source": location, "name": name, "move": move, "created": created})
    started = Import(folder, location, name, move, created)
    if move and Path(location).is_relative_to(settings.uploads_dir):
        _move(Path(location), _stored_path(started))
    return started


def open_import(dataset_id: str, settings: Settings) -> Import:
    """Open an unfinished import by its id.

    Raises:
        DatasetError: there is none, or its folder is damaged.
    """
    folder = settings.imports_dir / check_id(dataset_id, "dataset")
    try:
        marker = rename_keys(json.loads((folder / _MARKER).read_text()), IMPORT_KEYS)
        source, name, created = (str(marker[key]) for key in ("source", "name", "created"))
        return Import(folder, source, name, bool(marker["move"]), created)
    except FileNotFoundError:
        raise DatasetError(f"There is no unfinished import {dataset_id!r}.") from None
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise DatasetError(f"The folder {folder} is damaged ({exc}). Discard the import.") from exc


def list_imports(settings: Settings) -> list[Import]:
    """List the unfinished imports, sorted by id. Damaged ones are logged and skipped."""
    imports = []
    for marker in sorted(settings.imports_dir.glob(f"*/{_MARKER}")):
        if marker.parent.name.startswith("."):
            continue
        try:
            imports.append(open_import(marker.parent.name, settings))
        except DatasetError as exc:
            _log.warning("%s", exc)
    return imports


def discard_import(dataset_id: str, settings: Settings) -> None:
    """Delete an unfinished import with its files in the store. The source stays unless it was an upload.

    Raises:
        DatasetError: there is none, or it is running.
    """
    folder = settings.imports_dir / check_id(dataset_id, "dataset")
    if not folder.is_dir():
        raise DatasetError(f"There is no unfinished import {dataset_id!r}.")
    with lock_import(folder):
        with suppress(DatasetError):
            work = open_import(dataset_id, settings)
            if work.move and Path(work.source).is_relative_to(settings.uploads_dir):  # a kill came before the move
                Path(work.source).unlink(missing_ok=True)
        (folder / _MARKER).unlink(missing_ok=True)  # first, so that a half-deleted folder is no import
        shutil.rmtree(folder)


def _absolute(source: str | Path) -> Path:
    """Return the absolute path of a source; ~ stands for the home folder.

    Raises:
        DatasetError: there is no such home folder.
    """
    try:
        return Path(source).expanduser().absolute()
    except RuntimeError as exc:
        raise DatasetError(f"{source} begins with ~ but there is no such user. Give the whole path.") from exc


def source_name(source: str | Path) -> str:
    """Return the name of a file, folder or URL without its suffixes."""
    return to_valid_utf8(str(source)).rstrip("/").rpartition("/")[2].split(".")[0] or "unnamed"


def _stored_path(work: Import) -> Path:
    """Where a moved source goes in the import's folder."""
    name = Path(work.source).name.lower()
    suffix = "".join(Path(name).suffixes[-2:]) if ".tar." in name else Path(name).suffix
    return work.folder / f"source{suffix or '.zip'}"


def _move(path: Path, target: Path) -> None:
    """Move a file; a kill leaves it complete in one place or in both."""
    try:
        path.replace(target)
    except OSError:  # a different file system
        with atomic_path(target) as temporary:
            shutil.copyfile(path, temporary)
        path.unlink()
