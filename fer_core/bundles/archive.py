"""Pack a bundle into a reproducible zip file, and unpack one safely."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fer_core.bundles.bundle import MODEL_FILE
from fer_core.calibration import CALIBRATION_FILE
from fer_core.contract import CONTRACT_FILE, NO_CONTRACT
from fer_core.data.sources.source import Source, open_source
from fer_core.errors import BundleError, DatasetError
from fer_core.files.atomic import atomic_path
from fer_core.settings import Settings

SUFFIX = ".zip"
BUNDLE_BYTES_MAX = 4 * 2**30
"""Size limit of all files; an ONNX file, a protocol buffer, has at most half of that."""

FILES_MAX = 1_000
_DATE = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16

_REQUIRED_FILES = {
    CONTRACT_FILE: NO_CONTRACT,
    MODEL_FILE: "That is the network. Export the bundle again.",
    CALIBRATION_FILE: "Without it the probabilities are not reliable. Export the bundle again.",
}
"""With the remedy if one is missing."""


def is_bundle_file(path: Path) -> bool:
    """Whether a path is a bundle as one file, by its suffix."""
    return path.suffix.lower() == SUFFIX


def write_bundle_file(folder: Path, target: Path) -> None:
    """Pack a bundle's folder into one file, atomically. Times and order are fixed, and files are not compressed, as
    compressed bytes can differ between machines and weights hardly shrink."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    with atomic_path(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            member = zipfile.ZipInfo(name, _DATE)
            member.external_attr = _MODE
            archive.writestr(member, (folder / name).read_bytes())


def unpack_bundle(path: Path, folder: Path, settings: Settings) -> None:
    """Copy the files of a bundle, a folder or one file, into an empty folder.

    Inside an archive the bundle may be in a subfolder, as when a folder was packed by hand.

    Raises:
        BundleError: it is not a bundle, lacks a file, exceeds a limit, or the archive is unsafe or damaged.
    """
    try:
        with open_source(path, settings) as source:
            names = _member_names(source, path)
            _check_size(source, list(names), path)
            for name, relative in names.items():
                target = folder / relative
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(source.read(name))
    except (
        DatasetError,
        FileExistsError,
        NotADirectoryError,
    ) as exc:  # a file and a folder of one name
        raise BundleError(f"{path.name} can't be read as a bundle. {exc}") from exc


@contextmanager
def unpacked_bundle(path: Path, settings: Settings) -> Iterator[Path]:
    """Yield the folder of a bundle: `path` itself, or a temporary folder if it is one file."""
    if not path.is_file():
        yield path
        return
    with TemporaryDirectory(prefix="ferscope-bundle-") as temporary:
        folder = Path(temporary) / path.stem
        folder.mkdir()
        unpack_bundle(path, folder, settings)
        yield folder


def _member_names(source: Source, path: Path) -> dict[str, str]:
    """Map each file's name in the source to its name in the bundle, and check that the required files are there."""
    names = list(source.names())
    top = _top_folder(names)
    members = {name: name.removeprefix(top) for name in names}
    for required, remedy in _REQUIRED_FILES.items():
        if required not in members.values():
            raise BundleError(f"{path.name} has no {required}. {remedy}")
    return members


def _top_folder(names: list[str]) -> str:
    """Find the folder that contains all files, with a slash at its end; "" if there is none."""
    tops = {name.partition("/")[0] for name in names}
    return f"{tops.pop()}/" if len(tops) == 1 and all("/" in name for name in names) else ""


def _check_size(source: Source, names: list[str], path: Path) -> None:
    if len(names) > FILES_MAX:
        raise BundleError(f"{path.name} holds {len(names):,} files; a bundle has {FILES_MAX:,} at most.")
    size = sum(source.locate(name).size_bytes() for name in names)
    if size > BUNDLE_BYTES_MAX:
        raise BundleError(f"{path.name} holds {size:,} bytes unpacked; a bundle has {BUNDLE_BYTES_MAX:,} at most.")
