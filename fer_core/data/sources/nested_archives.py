"""Archives inside an archive or a folder: their files, put together in one archive."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from fer_core.data.readers.file_names import is_image
from fer_core.data.sources.archive import ArchiveLimits, is_compressed_tar, list_members
from fer_core.data.sources.fetch import repack_tar, write_zip
from fer_core.data.sources.source import ArchiveSource, Source, open_source_unflattened
from fer_core.errors import ArchiveError
from fer_core.progress import Progress, no_progress
from fer_core.settings import Settings

_ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_DEPTH_MAX = 3
_INNER_BYTES_MAX = 8 * 2**30
"""The largest archive inside another that is opened: it is read into memory whole."""


def find_nested_archives(names: Sequence[str]) -> list[str]:
    """The archives that hold a source's images: those in it, where there are no images beside them."""
    found = [name for name in names if name.lower().endswith(_ENDINGS)]
    return [] if found and any(map(is_image, names)) else found


@contextmanager
def open_flattened(source: Source, settings: Settings) -> Iterator[Source]:
    """The source itself or, where its images are in archives inside it, all of their files, until it is closed.

    Raises:
        ArchiveError: an archive inside is damaged or not safe.
    """
    if not find_nested_archives(source.names()):
        yield source
        return
    with TemporaryDirectory(prefix="ferscope-") as folder:
        flat = Path(folder) / "source.zip"
        flatten(source, flat, settings)
        yield ArchiveSource(list_members(flat, settings))


def flatten(source: Source, target: Path, settings: Settings, progress: Progress = no_progress) -> None:
    """Write a source's files into one zip archive, those of archives inside it into a folder of the archive's name.

    Raises:
        ArchiveError: an archive inside is damaged, not safe or too large, or archives lie in each other too deeply.
    """
    limits = ArchiveLimits(target.name, settings)

    def work(archive: zipfile.ZipFile) -> None:
        _write(source, "", archive, limits, settings, progress, _DEPTH_MAX)

    write_zip(target, work)


def _write(
    source: Source,
    folder: str,
    archive: zipfile.ZipFile,
    limits: ArchiveLimits,
    settings: Settings,
    progress: Progress,
    depth: int,
) -> None:
    inside = set(find_nested_archives(source.names()))
    if inside and not depth:
        raise ArchiveError(
            f"{folder.rstrip('/')} holds an archive in an archive in an archive, deeper than {_DEPTH_MAX}. Unpack it."
        )
    for name in source.names():
        if name not in inside:
            content = source.read(name)
            limits.add_file(folder + name, len(content))
            archive.writestr(zipfile.ZipInfo(folder + name), content)
            continue
        progress(0.0, f"Unpacking {name}")
        with _unpacked(source, name, settings) as inner:
            below = f"{folder}{_without_endings(name)}/"
            _write(inner, below, archive, limits, settings, progress, depth - 1)


@contextmanager
def _unpacked(source: Source, name: str, settings: Settings) -> Iterator[Source]:
    """An archive inside a source, by itself on disk."""
    size = source.locate(name).size_bytes()
    if size > _INNER_BYTES_MAX:
        raise ArchiveError(
            f"{name} inside the archive has {size:,} bytes; an archive inside another may have {_INNER_BYTES_MAX:,}. "
            "Unpack the outer one and import the folder."
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


def _without_endings(name: str) -> str:
    lower = name.lower()
    ending = max((each for each in _ENDINGS if lower.endswith(each)), key=len)
    return name[: -len(ending)]
