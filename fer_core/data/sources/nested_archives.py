"""Flattening of archives nested in an archive or a folder into one archive."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from fer_core.data.readers.file_names import is_image
from fer_core.data.sources.archive import ARCHIVE_SUFFIXES, ArchiveLimits, is_compressed_tar, list_members
from fer_core.data.sources.fetch import repack_tar, write_zip
from fer_core.data.sources.source import ArchiveSource, Source, open_source_unflattened
from fer_core.errors import ArchiveError
from fer_core.progress import Progress, no_progress
from fer_core.settings import Settings

_DEPTH_MAX = 3
_NESTED_BYTES_MAX = 8 * 2**30
"""Largest nested archive in bytes: it is read into memory."""


def find_nested_archives(names: Sequence[str]) -> list[str]:
    """List a source's nested archives, unless there are images beside them."""
    archives = [name for name in names if name.lower().endswith(ARCHIVE_SUFFIXES)]
    return [] if archives and any(map(is_image, names)) else archives


@contextmanager
def open_flattened(source: Source, settings: Settings) -> Iterator[Source]:
    """Yield the source or, where its images are in nested archives, a temporary source with all their files.

    Raises:
        ArchiveError: a nested archive is damaged or not safe.
    """
    if not find_nested_archives(source.names()):
        yield source
        return
    with TemporaryDirectory(prefix="ferscope-") as folder:
        flat = Path(folder) / "source.zip"
        flatten(source, flat, settings)
        yield ArchiveSource(list_members(flat, settings))


def flatten(source: Source, target: Path, settings: Settings, progress: Progress = no_progress) -> None:
    """Write a source's files into one zip archive, those of a nested archive into a folder of its name.

    Raises:
        ArchiveError: a nested archive is damaged, not safe or too large, or they are nested too deeply.
    """
    limits = ArchiveLimits(target.name, settings)
    write_zip(target, lambda archive: _write(source, "", archive, limits, settings, progress, _DEPTH_MAX))


def _write(
    source: Source,
    folder: str,
    archive: zipfile.ZipFile,
    limits: ArchiveLimits,
    settings: Settings,
    progress: Progress,
    depth: int,
) -> None:
    nested = set(find_nested_archives(source.names()))
    if nested and not depth:
        raise ArchiveError(f"{folder.rstrip('/')} nests archives deeper than {_DEPTH_MAX} levels. Unpack it.")
    for name in source.names():
        if name not in nested:
            content = source.read(name)
            limits.add_file(folder + name, len(content))
            archive.writestr(zipfile.ZipInfo(folder + name), content)
            continue
        progress(0.0, f"Unpacking {name}")
        with _unpack(source, name, settings) as inner:
            _write(inner, f"{folder}{_strip_suffix(name)}/", archive, limits, settings, progress, depth - 1)


@contextmanager
def _unpack(source: Source, name: str, settings: Settings) -> Iterator[Source]:
    """Write a nested archive to a temporary file and open it."""
    size = source.locate(name).size_bytes()
    if size > _NESTED_BYTES_MAX:
        raise ArchiveError(
            f"The nested archive {name} has {size:,} bytes; the limit is {_NESTED_BYTES_MAX:,}. Unpack the outer "
            "archive and import the folder."
        )
    with TemporaryDirectory(prefix="ferscope-") as temporary:
        path = Path(temporary) / PurePosixPath(name).name
        path.write_bytes(source.read(name))
        if is_compressed_tar(path):
            repacked = Path(temporary) / "repacked.zip"
            repack_tar(path, repacked, settings)
            path = repacked
        with open_source_unflattened(path, settings) as inner:
            yield inner


def _strip_suffix(name: str) -> str:
    suffix = max((suffix for suffix in ARCHIVE_SUFFIXES if name.lower().endswith(suffix)), key=len)
    return name[: -len(suffix)]
