"""An import on its way: a folder in the store from the first look at a source to the finished dataset.

`imports/ID/` holds `import.json` (the source), `manifest.yaml` once it is decided what the files mean, a `source.zip`
where FERscope keeps the images itself, the index in parts, and at the end all that a dataset has: then the folder is
renamed into `datasets/`. Killed at any moment, it goes on from its last part.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from fer_core.data.manifest import Manifest, dump_manifest, read_manifest
from fer_core.data.sources.archive import is_compressed_tar
from fer_core.data.sources.fetch import fetch, is_url, repack_tar
from fer_core.errors import DatasetError
from fer_core.files.atomic import atomic_folder, atomic_path, write_json, write_text
from fer_core.ids import check_id
from fer_core.progress import Progress, no_progress
from fer_core.settings import Settings

DATASET_MARKER = "dataset.json"
INDEX, PAIRS, MANIFEST = "index.parquet", "pairs.parquet", "manifest.yaml"
PARTS, STAMP = "parts", "stamp.json"

_MARKER, _LOCK = "import.json", ".lock"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Import:
    """An import that is not finished.

    Attributes:
        source: a path or a URL.
        name: what the person calls it.
        take: a path's file is moved into the store.
        created: when it was begun, ISO.
    """

    folder: Path
    source: str
    name: str
    take: bool
    created: str

    @property
    def id(self) -> str:
        """The id that the dataset will have."""
        return self.folder.name

    @property
    def ready(self) -> bool:
        """Whether its files can be looked at; otherwise `prepare` brings them first."""
        at = self._at()
        return at is not None and not (at.is_file() and is_compressed_tar(at))

    @property
    def manifest(self) -> Manifest | None:
        """What was decided of its files; None before that."""
        path = self.folder / MANIFEST
        return read_manifest(path) if path.is_file() else None

    @property
    def n_parts(self) -> int:
        """How many parts of its index are finished."""
        return len(list((self.folder / PARTS).glob("*.parquet")))

    def path(self) -> Path:
        """The folder or archive to read.

        Raises:
            DatasetError: it must be brought first.
        """
        at = self._at()
        if at is None or not self.ready:
            raise DatasetError(f"{self.source} must be brought into the store first. Prepare the import {self.id!r}.")
        return at

    def prepare(self, settings: Settings, progress: Progress = no_progress) -> None:
        """Bring what can't be read where it is into the store: a URL, a compressed tar archive.

        Raises:
            DatasetError: it can't be had; ArchiveError: it is damaged or not safe.
        """
        if self.ready:
            return
        at = self._at() or fetch(self.source, self.folder, settings, progress)
        if is_compressed_tar(at):
            repack_tar(at, self.folder / "source.zip", settings, progress)
            if at.parent == self.folder:
                at.unlink()

    def set_manifest(self, manifest: Manifest) -> None:
        """Record what the files mean; parts that were made by another decision are made again."""
        if manifest != self.manifest:
            shutil.rmtree(self.folder / PARTS, ignore_errors=True)
        write_text(self.folder / MANIFEST, dump_manifest(manifest))

    def _kept(self) -> Path | None:
        """The archive that this folder holds."""
        # The zip is made of another, which a kill may have left beside it.
        return max(self.folder.glob("source.*"), key=lambda path: path.suffix == ".zip", default=None)

    def _at(self) -> Path | None:
        """Where the files are now; None while they are elsewhere."""
        return self._kept() or (None if is_url(self.source) else Path(self.source))

    def finish(self, settings: Settings, n: int, fingerprint: str) -> Path:
        """Make the folder, which holds all that a dataset has, a dataset of `n` images; the new folder."""
        kept = self._kept()
        if kept is None and self.take:
            kept = _keeping(self)
            _move(Path(self.source), kept)
        # What a kill left between two steps: a file beside the zip that was made of it, half a file.
        for left in {*self.folder.glob("source.*"), *self.folder.glob(".*.tmp")} - {kept}:
            left.unlink()
        marker = {
            "source": kept.name if kept else self.source,
            "n": n,
            "fingerprint": fingerprint,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_json(self.folder / DATASET_MARKER, marker)
        target = settings.datasets_dir / self.id
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():  # without a marker, or `start_import` would have refused: what a deletion left
            shutil.rmtree(target)
        self.folder.replace(target)
        shutil.rmtree(target / PARTS)
        for done in (_MARKER, STAMP, _LOCK):
            (target / done).unlink(missing_ok=True)
        if self.take and kept is not None and not is_url(self.source):  # the store has its content by now
            Path(self.source).unlink(missing_ok=True)
        return target


def start_import(
    source: str | Path, dataset_id: str, settings: Settings, *, name: str = "", take: bool = False
) -> Import:
    """Start an import, or find the unfinished one of the same source.

    Args:
        source: a folder, an archive, or an fsspec URL.
        dataset_id: the dataset's id.
        name: what the person calls it; the file's or folder's name by default.
        take: move the file into the store; one in the uploads folder is moved at once, another at the end.
    Raises:
        DatasetError: the id is taken, or is that of an unfinished import of another source.
    """
    folder = settings.imports_dir / check_id(dataset_id, "dataset")
    if (settings.datasets_dir / dataset_id / DATASET_MARKER).is_file():
        raise DatasetError(f"There is a dataset {dataset_id!r} already. Choose another id, or delete that one.")
    said = str(source) if is_url(str(source)) else str(Path(source).expanduser().absolute())
    if (folder / _MARKER).is_file():
        unfinished = open_import(dataset_id, settings)
        if unfinished.source == said:
            return unfinished
        raise DatasetError(
            f"There is an unfinished import {dataset_id!r} of {unfinished.source}. Resume it, discard it "
            f"(datasets discard {dataset_id}), or choose another id."
        )
    if not is_url(said) and not Path(said).exists():
        raise DatasetError(f"There is no file or folder at {said}. Check the path on the machine FERscope runs on.")
    if take and Path(said).is_dir():
        raise DatasetError(f"Only a file can be moved into the store; {said} is a folder. Leave it where it is.")
    shutil.rmtree(folder, ignore_errors=True)  # what a kill left before the marker was there
    created = datetime.now(UTC).isoformat(timespec="seconds")
    called = name or said.rstrip("/").rpartition("/")[2]
    with atomic_folder(folder) as temporary:
        write_json(temporary / _MARKER, {"source": said, "name": called, "take": take, "created": created})
    begun = Import(folder, said, called, take, created)
    if take and Path(said).is_relative_to(settings.uploads_dir):
        _move(Path(said), _keeping(begun))
    return begun


def open_import(dataset_id: str, settings: Settings) -> Import:
    """An unfinished import by its id.

    Raises:
        DatasetError: there is none, or its folder is damaged.
    """
    folder = settings.imports_dir / check_id(dataset_id, "dataset")
    try:
        said = json.loads((folder / _MARKER).read_text())
        return Import(folder, str(said["source"]), str(said["name"]), bool(said["take"]), str(said["created"]))
    except FileNotFoundError:
        raise DatasetError(f"There is no unfinished import {dataset_id!r}.") from None
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise DatasetError(f"The folder {folder} is damaged ({exc}). Discard the import.") from exc


def list_imports(settings: Settings) -> list[Import]:
    """Every import that is not finished, by id; of a damaged one the log says what is wrong."""
    found = []
    for marker in sorted(settings.imports_dir.glob(f"*/{_MARKER}")):
        if marker.parent.name.startswith("."):
            continue
        try:
            found.append(open_import(marker.parent.name, settings))
        except DatasetError as exc:
            _log.warning("%s", exc)
    return found


def discard_import(dataset_id: str, settings: Settings) -> None:
    """Remove an unfinished import with all that the store holds of it; the source stays unless it was an upload.

    Raises:
        DatasetError: there is none, or it is running.
    """
    folder = settings.imports_dir / check_id(dataset_id, "dataset")
    if not folder.is_dir():
        raise DatasetError(f"There is no unfinished import {dataset_id!r}.")
    with lock_import(folder):
        with suppress(DatasetError):
            work = open_import(dataset_id, settings)
            if work.take and Path(work.source).is_relative_to(settings.uploads_dir):  # killed before it was moved
                Path(work.source).unlink(missing_ok=True)
        (folder / _MARKER).unlink(missing_ok=True)  # first, so that a half-removed folder is no import
        shutil.rmtree(folder)


def _keeping(work: Import) -> Path:
    """Where a taken file is kept."""
    name = Path(work.source).name.lower()
    ending = "".join(Path(name).suffixes[-2:]) if ".tar." in name else Path(name).suffix
    return work.folder / f"source{ending or '.zip'}"


def _move(path: Path, target: Path) -> None:
    """Move a file, so that a kill leaves it whole in one place or in both."""
    try:
        path.replace(target)
    except OSError:  # another disk
        with atomic_path(target) as temporary:
            shutil.copyfile(path, temporary)
        path.unlink()


@contextmanager
def lock_import(folder: Path) -> Iterator[None]:
    """Hold an import's lock.

    Raises:
        DatasetError: another process holds it, or the import is not there any more.
    """
    if not folder.is_dir():
        raise DatasetError(f"There is no unfinished import {folder.name!r}.")
    lock = FileLock(folder / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise DatasetError(f"The import {folder.name!r} is running already. Wait for it, or cancel its job.") from None
    try:
        yield
    finally:
        lock.release()
