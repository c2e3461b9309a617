"""Sources that can't be read piece by piece where they are, brought into one zip archive in the store, once.

These are URLs (through fsspec), compressed tar archives, and tables that hold the pixels themselves.
"""

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

from fer_core.data.sources.archive import RENAMED_COMMENT, ArchiveLimits, TarMember, detect_compression
from fer_core.data.sources.source import is_data_file
from fer_core.errors import ArchiveError, DatasetError
from fer_core.files.atomic import atomic_path
from fer_core.progress import Progress, no_progress
from fer_core.settings import Settings
from fer_core.text import as_text, is_text

_ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".csv", ".parquet")
"""Of one file: archives, and a table that holds its images. Any other address is that of a folder."""

_PIECE_BYTES = 2**20
_PADDING_PIECES_MAX = 16
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
    """Whether a source is an fsspec URL, such as s3://bucket/faces.zip, rather than a path."""
    return "://" in text


def fetch(url: str, folder: Path, settings: Settings, progress: Progress = no_progress) -> Path:
    """Copy an archive, or a folder's files into one archive, from a URL into `folder`; where it now is.

    Raises:
        DatasetError: there is nothing there, fetching is switched off, or a package for the protocol is missing.
        ArchiveError: it is larger than the limits allow.
    """
    protocol = url.partition("://")[0].lower()
    if settings.offline and protocol not in _LOCAL_PROTOCOLS:
        raise DatasetError(f"{url} can't be fetched: FERSCOPE_OFFLINE is set. Unset it, or give a path.")
    try:
        import fsspec  # type: ignore[import-untyped]

        # Not in blocks: many web servers give a file only as a whole.
        files, root = fsspec.core.url_to_fs(url, **({"block_size": 0} if protocol in _WEB else {}))
        ending = _ending(url.partition("?")[0] if protocol in _WEB else url)
        if ending:
            target = folder / f"source{ending}"
            _copy_file(files, root, target, url, settings, progress)
        else:
            target = folder / "source.zip"
            _zip_folder(files, root, target, url, settings, progress)
    except ImportError as exc:
        package = _PACKAGES.get(protocol, "the one that fsspec names for it")
        raise DatasetError(f"{url} can't be opened ({exc}). Install it with: pip install {package}.") from exc
    except ValueError as exc:
        raise DatasetError(f"{url} can't be opened ({exc}). Use an address of file, http, https, s3 or gs.") from exc
    except FileNotFoundError as exc:
        raise DatasetError(f"There is nothing at {url}, or it can't be reached. Check the address.") from exc
    except Exception as exc:
        if not isinstance(exc, (OSError, *_client_errors())):
            raise
        raise DatasetError(f"{url} can't be fetched: {exc or type(exc).__name__}. Check the address.") from exc
    return target


def repack_tar(path: Path, target: Path, settings: Settings, progress: Progress = no_progress) -> None:
    """A compressed tar archive's files as a zip archive, read in one go; its limits are watched on the way.

    Raises:
        ArchiveError: it is damaged or not safe.
    """
    limits = ArchiveLimits(path.name, settings)
    packed = path.stat().st_size

    def work(archive: zipfile.ZipFile) -> None:
        with path.open("rb") as raw, _unpacking(raw) as whole:
            with tarfile.open(fileobj=whole, mode="r|", tarinfo=TarMember) as tar:
                for number, member in enumerate(tar):
                    if member.isdir():
                        continue
                    name = limits.add_tar_member(member)
                    limits.check_ratio(packed)
                    content = tar.extractfile(member)
                    if content is not None and is_data_file(name):
                        with archive.open(_zip_member(name), "w", force_zip64=True) as copy:
                            shutil.copyfileobj(content, copy)
                    tar.members = []  # type: ignore[attr-defined]  # or it keeps them all
                    if number % 200 == 0:
                        progress(raw.tell() / max(1, packed), f"Unpacked {number:,} files of {path.name}")
            _read_to_end(whole)

    try:
        write_zip(target, work)
    except (tarfile.TarError, EOFError, OSError, ValueError, RecursionError, zlib.error, lzma.LZMAError) as exc:
        raise ArchiveError(f"{path.name} is damaged or was cut short ({exc}). Fetch the archive again.") from exc


def write_zip(target: Path, work: Callable[[zipfile.ZipFile], None]) -> None:
    """Let `work` fill a zip archive, which is there whole or not at all; stored, as images are packed already."""
    with atomic_path(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        work(archive)


def _zip_member(name: str) -> zipfile.ZipInfo:
    """A member of a zip archive; one whose name is not UTF-8 gets another, and a comment that says so."""
    member = zipfile.ZipInfo(as_text(name))
    member.comment = b"" if is_text(name) else RENAMED_COMMENT
    return member


def _copy_file(files: Any, root: str, target: Path, url: str, settings: Settings, progress: Progress) -> None:
    with files.open(root, "rb") as source, atomic_path(target) as temporary, temporary.open("wb") as copy:
        size = files.size(root) or 0
        done = 0
        while piece := source.read(_PIECE_BYTES):
            done += len(piece)
            if done > settings.archive_bytes_max:
                raise ArchiveError(
                    f"{url} is larger than {settings.archive_bytes_max:,} bytes (FERSCOPE_ARCHIVE_BYTES_MAX)."
                )
            copy.write(piece)
            progress(done / size if size else 0.0, f"Fetched {done / 2**20:,.0f} MiB")


def _zip_folder(files: Any, root: str, target: Path, url: str, settings: Settings, progress: Progress) -> None:
    found = sorted(files.find(root))
    base = PurePosixPath(root)
    names = {path: PurePosixPath(path).relative_to(base).as_posix() for path in found if path != root}
    if not names:
        raise DatasetError(f"There is nothing at {url}. Check the address; an archive's ends in .zip, .tar or .tar.gz.")
    limits = ArchiveLimits(url, settings)

    def work(archive: zipfile.ZipFile) -> None:
        for number, (path, name) in enumerate(names.items(), 1):
            limits.add_file(name, 0)
            if is_data_file(name):
                with files.open(path, "rb") as content, archive.open(_zip_member(name), "w", force_zip64=True) as copy:
                    while piece := content.read(_PIECE_BYTES):
                        limits.add_bytes(len(piece))  # what a server says of its files' sizes is not counted on
                        copy.write(piece)
            if number % 20 == 0:
                progress(number / len(names), f"Fetched {number:,} of {len(names):,} files")

    write_zip(target, work)


def _unpacking(raw: BinaryIO) -> BinaryIO:
    """The content of a compressed file; unlike tarfile's own way, the check sums are looked at."""
    kind = detect_compression(raw.read(6))
    raw.seek(0)
    opened: dict[str, Callable[..., Any]] = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}
    return cast(BinaryIO, opened[kind](raw, "rb"))


def _read_to_end(whole: BinaryIO) -> None:
    """What follows a tar archive's last file: its padding, and after that the check sum."""
    for _ in range(_PADDING_PIECES_MAX):
        if not whole.read(_PIECE_BYTES):
            return


def _ending(path: str) -> str:
    """That of an archive or table, "" for a folder's name."""
    lowered = path.lower().rstrip("/")
    return next((ending for ending in sorted(_ENDINGS, key=len, reverse=True) if lowered.endswith(ending)), "")


def _client_errors() -> tuple[type[Exception], ...]:
    """What an HTTP client raises, where it is installed."""
    try:
        from aiohttp import ClientError
    except ImportError:
        return ()
    return (ClientError,)
