"""Copy sources without random access into a zip archive in the store: URLs (fsspec) and compressed tar archives."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from fer_core.data.sources.archive import (
    ARCHIVE_SUFFIXES,
    RENAMED_COMMENT,
    ArchiveLimits,
    TarMember,
    detect_compression,
)
from fer_core.data.sources.source import is_data_file
from fer_core.errors import ArchiveError, DatasetError
from fer_core.files.atomic import atomic_path
from fer_core.progress import Progress, no_progress
from fer_core.settings import Settings
from fer_core.text import is_valid_utf8, to_valid_utf8

_FILE_SUFFIXES = (*ARCHIVE_SUFFIXES, ".csv", ".parquet")
"""Suffixes of an archive or a table with images. Any other URL is that of a folder."""

_CHUNK_BYTES = 2**20
_PADDING_CHUNKS_MAX = 16
_WEB = ("http", "https")
_LOCAL_PROTOCOLS = ("file", "local", "memory")
_PACKAGES = {
    "s3": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    **dict.fromkeys(_WEB, "aiohttp"),
}


def is_url(text: str) -> bool:
    """Whether a source is an fsspec URL, such as s3://bucket/faces.zip, not a path."""
    return "://" in text


def fetch(url: str, folder: Path, settings: Settings, progress: Progress = no_progress) -> Path:
    """Download a file, or the files of a folder as a zip archive, into `folder` and return its path.

    Raises:
        DatasetError: the URL is not found or FERSCOPE_OFFLINE is set, or a package for the protocol is missing.
        ArchiveError: it exceeds the limits.
    """
    protocol = url.partition("://")[0].lower()
    if settings.offline and protocol not in _LOCAL_PROTOCOLS:
        raise DatasetError(f"{url} can't be fetched: FERSCOPE_OFFLINE is set. Unset it, or give a path.")
    try:
        import fsspec  # type: ignore[import-untyped]

        # Without block reads: many web servers ignore range requests.
        files, root = fsspec.core.url_to_fs(url, **({"block_size": 0} if protocol in _WEB else {}))
        suffix = _file_suffix(url.partition("?")[0] if protocol in _WEB else url)
        if suffix:
            target = folder / f"source{suffix}"
            _copy_file(files, root, target, url, settings, progress)
        else:
            target = folder / "source.zip"
            _zip_folder(files, root, target, url, settings, progress)
    except ImportError as exc:
        package = _PACKAGES.get(protocol, "the package that fsspec names")
        raise DatasetError(f"{url} can't be opened ({exc}). Install it with: pip install {package}.") from exc
    except ValueError as exc:
        raise DatasetError(f"{url} can't be opened ({exc}). Use a URL of file, http, https, s3 or gs.") from exc
    except FileNotFoundError as exc:
        raise DatasetError(f"There is nothing at {url}, or it can't be reached. Check the URL.") from exc
    except _connection_errors() as exc:
        raise DatasetError(f"{url} can't be fetched: {exc or type(exc).__name__}. Check the URL.") from exc
    return target


def repack_tar(path: Path, target: Path, settings: Settings, progress: Progress = no_progress, name: str = "") -> None:
    """Repack a compressed tar archive as a zip archive.

    Args:
        name: the user's name for the archive, for messages; that of the file by default.
    Raises:
        ArchiveError: it is damaged, unsafe or beyond the limits.
    """
    title = name or path.name
    limits = ArchiveLimits(title, settings)
    packed = path.stat().st_size

    def fill(archive: zipfile.ZipFile) -> None:
        with path.open("rb") as raw, _decompress(raw) as content:
            with tarfile.open(fileobj=content, mode="r|", tarinfo=TarMember) as tar:
                for number, member in enumerate(tar):
                    if member.isdir():
                        continue
                    name = limits.add_tar_member(member)
                    limits.check_ratio(packed)
                    file = tar.extractfile(member)
                    if file is not None and is_data_file(name):
                        with archive.open(_zip_member(name), "w", force_zip64=True) as copy:
                            shutil.copyfileobj(file, copy)
                    tar.members = []  # type: ignore[attr-defined]  # tarfile would keep all members
                    if number % 200 == 0:
                        progress(raw.tell() / max(1, packed), f"Unpacked {number:,} files of {title}")
            _read_padding(content)

    try:
        write_zip(target, fill)
    except (tarfile.TarError, EOFError, OSError, ValueError, RecursionError, zlib.error, lzma.LZMAError) as exc:
        raise ArchiveError(f"{title} is damaged or was cut short ({exc}). Download the archive again.") from exc


def write_zip(target: Path, fill: Callable[[zipfile.ZipFile], None]) -> None:
    """Write a zip archive atomically; members are stored, as images are compressed already."""
    with atomic_path(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        fill(archive)


def _zip_member(name: str) -> zipfile.ZipInfo:
    """Make a zip member. One whose name is not UTF-8 gets another name and a comment that marks it."""
    member = zipfile.ZipInfo(to_valid_utf8(name))
    member.comment = b"" if is_valid_utf8(name) else RENAMED_COMMENT
    return member


def _copy_file(files: Any, root: str, target: Path, url: str, settings: Settings, progress: Progress) -> None:
    with files.open(root, "rb") as source, atomic_path(target) as temporary, temporary.open("wb") as copy:
        size = files.size(root) or 0
        done = 0
        while chunk := source.read(_CHUNK_BYTES):
            done += len(chunk)
            if done > settings.archive_bytes_max:
                raise ArchiveError(
                    f"{url} is larger than {settings.archive_bytes_max:,} bytes (FERSCOPE_ARCHIVE_BYTES_MAX)."
                )
            copy.write(chunk)
            progress(done / size if size else 0.0, f"Fetched {done / 2**20:,.0f} MiB")


def _zip_folder(files: Any, root: str, target: Path, url: str, settings: Settings, progress: Progress) -> None:
    paths = sorted(files.find(root))
    base = PurePosixPath(root)
    names = {path: PurePosixPath(path).relative_to(base).as_posix() for path in paths if path != root}
    if not names:
        raise DatasetError(f"There is nothing at {url}. Check the URL; an archive's ends in .zip, .tar or .tar.gz.")
    limits = ArchiveLimits(url, settings)

    def fill(archive: zipfile.ZipFile) -> None:
        for number, (path, name) in enumerate(names.items(), 1):
            limits.add_file(name, 0)
            if is_data_file(name):
                with files.open(path, "rb") as content, archive.open(_zip_member(name), "w", force_zip64=True) as copy:
                    while chunk := content.read(_CHUNK_BYTES):
                        limits.add_bytes(len(chunk))  # the sizes that a server states are not trusted
                        copy.write(chunk)
            if number % 20 == 0:
                progress(number / len(names), f"Fetched {number:,} of {len(names):,} files")

    write_zip(target, fill)


def _decompress(raw: BinaryIO) -> BinaryIO:
    """Open the content of a compressed file. Unlike tarfile's own stream modes, this verifies checksums."""
    kind = detect_compression(raw.read(6))
    raw.seek(0)
    openers: dict[str, Callable[..., Any]] = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}
    return cast(BinaryIO, openers[kind](raw, "rb"))


def _read_padding(content: BinaryIO) -> None:
    """Read the padding after a tar archive's last file, up to the checksum of the compression."""
    for _ in range(_PADDING_CHUNKS_MAX):
        if not content.read(_CHUNK_BYTES):
            return


def _file_suffix(path: str) -> str:
    """Return the suffix of an archive or table; "" for a folder."""
    lowered = path.lower().rstrip("/")
    return next((suffix for suffix in sorted(_FILE_SUFFIXES, key=len, reverse=True) if lowered.endswith(suffix)), "")


def _connection_errors() -> tuple[type[Exception], ...]:
    """Exceptions of a connection: the system's, and those of the HTTP client, if it is installed."""
    try:
        from aiohttp import ClientError
    except ImportError:
        return (OSError,)
    return (OSError, ClientError)
