"""A bundle as one file: a zip archive, the same bytes for the same bundle; and taking one apart safely."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fer_core.bundles.bundle import CALIBRATION_FILE, CONTRACT_FILE, MODEL_FILE
from fer_core.data.sources.source import Source, open_source
from fer_core.errors import BundleError, DatasetError
from fer_core.files.atomic import atomic_path
from fer_core.settings import Settings

SUFFIX = ".zip"
BUNDLE_BYTES_MAX = 4 * 2**30
"""Of all its files. An ONNX file, a protocol buffer, is at most half of that."""

FILES_MAX = 1_000
_DATE = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16

_PARTS = (CONTRACT_FILE, MODEL_FILE, CALIBRATION_FILE)
_REMEDIES = {
    CONTRACT_FILE: "Without its preprocessing contract nobody knows how a face becomes its input, or what its outputs "
    "mean. Where it is a file of weights, import that with --preset; else export the bundle again.",
    MODEL_FILE: "That is the network itself. Export the bundle again.",
    CALIBRATION_FILE: "Without it its probabilities could not be trusted. Export the bundle again.",
}


def is_bundle_file(path: Path) -> bool:
    """Whether a path means a bundle as one file, going by its ending."""
    return path.suffix.lower() == SUFFIX


def write_bundle_file(folder: Path, target: Path) -> None:
    """Pack a bundle's folder into one file, atomically. Times and order are fixed, and nothing is compressed: weights
    hardly shrink, and what compresses may differ from one machine to the next."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    with atomic_path(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            member = zipfile.ZipInfo(name, _DATE)
            member.external_attr = _MODE
            archive.writestr(member, (folder / name).read_bytes())


def unpack_bundle(path: Path, folder: Path, settings: Settings) -> None:
    """Write a bundle's files, of a folder or of one file, into an empty folder.

    The bundle may lie in a folder of its own inside the archive, as when a folder was packed by hand.

    Raises:
        BundleError: it is no bundle, lacks a part, or is over a limit; the message says what to do.
        DatasetError: the archive is not safe or damaged.
    """
    try:
        with open_source(path, settings) as source:
            names = _own_names(source, path)
            _check_size(source, list(names), path)
            for name, own in names.items():
                target = folder / own
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(source.read(name))
    except (DatasetError, FileExistsError, NotADirectoryError) as exc:  # the latter: a file is a folder as well
        raise BundleError(f"{path.name} can't be read as a bundle. {exc}") from exc


@contextmanager
def unpacked_bundle(path: Path, settings: Settings) -> Iterator[Path]:
    """The folder of a bundle: `path` itself, or that of a bundle as one file, unpacked until the end of the block."""
    if not path.is_file():
        yield path
        return
    with TemporaryDirectory(prefix="ferscope-bundle-") as temporary:
        folder = Path(temporary) / path.stem
        folder.mkdir()
        unpack_bundle(path, folder, settings)
        yield folder


def _own_names(source: Source, path: Path) -> dict[str, str]:
    """Every file of the bundle: its name in the source, and in the bundle.

    Raises:
        BundleError: a part that every bundle has is missing.
    """
    names = list(source.names())
    top = _top_folder(names)
    own = {name: name.removeprefix(top) for name in names}
    for part in _PARTS:
        if part not in own.values():
            raise BundleError(f"{path.name} has no {part}. {_REMEDIES[part]}")
    return own


def _top_folder(names: list[str]) -> str:
    """The one folder that everything lies in, with a slash behind it; "" where there is none."""
    tops = {name.partition("/")[0] for name in names}
    return f"{tops.pop()}/" if len(tops) == 1 and all("/" in name for name in names) else ""


def _check_size(source: Source, names: list[str], path: Path) -> None:
    if len(names) > FILES_MAX:
        raise BundleError(f"{path.name} holds {len(names):,} files; a bundle has {FILES_MAX:,} at most.")
    held = sum(source.locate(name).size_bytes() for name in names)
    if held > BUNDLE_BYTES_MAX:
        raise BundleError(f"{path.name} holds {held:,} bytes unpacked; a bundle has {BUNDLE_BYTES_MAX:,} at most.")
