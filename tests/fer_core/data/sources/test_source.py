from __future__ import annotations

import os
import random
import zipfile
from pathlib import Path

import pytest

from fer_core.data.sources.source import open_source
from fer_core.errors import ArchiveError, DatasetError
from fer_core.settings import Settings
from tests.support.sources import write_folder, write_tar, write_zip

SYSTEM_FILES = {
    "__MACOSX/happiness/._a.png": b"x",
    ".hidden/a.png": b"x",
    "happiness/.DS_Store": b"x",
    "Thumbs.db": b"x",
    "happiness/desktop.ini": b"x",
}


@pytest.fixture
def files() -> dict[str, bytes]:
    rng = random.Random(0)
    return {f"happiness/{name}.png": rng.randbytes(500) for name in "cab"}


def test_zip_tar_and_folder_read_the_same(files: dict[str, bytes], tmp_path: Path) -> None:
    files_on_disk = files | SYSTEM_FILES
    paths = (
        write_zip(tmp_path / "a.zip", files_on_disk, zipfile.ZIP_DEFLATED),
        write_tar(tmp_path / "a.tar", files_on_disk),
        write_folder(tmp_path / "folder", files_on_disk),
    )
    for path in paths:
        with open_source(path, Settings()) as source:
            assert list(source.names()) == ["happiness/a.png", "happiness/b.png", "happiness/c.png"]
            assert {name: source.read(name) for name in source.names()} == files


def test_a_single_table_is_a_source_of_one_file(tmp_path: Path) -> None:
    (tmp_path / "FER2013.CSV").write_text("emotion,pixels\n")
    with open_source(tmp_path / "FER2013.CSV", Settings()) as source:
        assert list(source.names()) == ["FER2013.CSV"]
        assert source.read("FER2013.CSV") == b"emotion,pixels\n"
        with pytest.raises(DatasetError, match=r"no 'a\.png' beside FER2013\.CSV"):
            source.read("a.png")


def test_a_missing_path_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"none\.zip"), open_source(tmp_path / "none.zip", Settings()):
        pass


@pytest.mark.parametrize(
    ("name", "compression"), [("a.tar.gz", "gz"), ("a.TGZ", "gz"), ("a.tbz2", "bz2"), ("a.txz", "xz")]
)
def test_a_compressed_tar_must_be_imported(name: str, compression: str, tmp_path: Path) -> None:
    path = write_tar(tmp_path / name, {"fear/a.png": b"x"}, compression)
    with pytest.raises(ArchiveError, match="Import it"), open_source(path, Settings()):
        pass


@pytest.mark.parametrize("name", ["happiness/d.png", "happiness", "", "happiness/a.png/", "../happiness/a.png"])
def test_a_missing_member_is_named_in_the_error(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    with (
        open_source(write_zip(tmp_path / "faces.zip", files), Settings()) as source,
        pytest.raises(ArchiveError) as caught,
    ):
        source.read(name)
    assert repr(name) in str(caught.value)


def test_the_last_of_duplicate_zip_members_is_used(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "faces.zip", {"fear/a.png": b"first", "fear/b.png": b"b"})
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("fear/a.png", b"last")
    with open_source(path, Settings()) as source:
        assert list(source.names()) == ["fear/a.png", "fear/b.png"]
        assert source.read("fear/a.png") == b"last"


@pytest.mark.parametrize("name", ["../secret.txt", "link.txt", "/etc/hostname", "none.png", "inner/none.png"])
def test_files_outside_a_folder_are_not_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    folder = write_folder(tmp_path / "folder", {"a.png": b"x"})
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "inner").symlink_to(tmp_path)
    with open_source(folder, Settings()) as source, pytest.raises(DatasetError) as caught:
        source.read(name)
    assert repr(name) in str(caught.value)


def test_links_to_files_are_read_and_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "folder", {"fear/a.png": b"x"})
    (folder / "fear" / "b.png").symlink_to(folder / "fear" / "a.png")
    (folder / "loop").symlink_to(folder)
    with open_source(folder, Settings()) as source:
        assert list(source.names()) == ["fear/a.png", "fear/b.png"]
        assert source.read("fear/b.png") == b"x"


def test_named_pipes_are_skipped(tmp_path: Path) -> None:
    """Reading it would block forever."""
    folder = write_folder(tmp_path / "folder", {"fear/a.png": b"x"})
    os.mkfifo(folder / "fear" / "b.png")
    with open_source(folder, Settings()) as source:
        assert list(source.names()) == ["fear/a.png"]


def test_an_unreadable_folder_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_folder(tmp_path / "folder", {"fear/a.png": b"x", "secret/b.png": b"x"})
    original = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(DatasetError, match=r"secret .*Permission denied"), open_source(folder, Settings()) as source:
        source.names()


def test_names_in_any_script_are_read(tmp_path: Path) -> None:
    files = {"angst/Müller.png": b"1", "怒り/顔.png": b"2", "sad ness/a b#1.png": b"3"}
    for path in (
        write_folder(tmp_path / "f", files),
        write_zip(tmp_path / "a.zip", files),
        write_tar(tmp_path / "a.tar", files),
    ):
        with open_source(path, Settings()) as source:
            assert {name: source.read(name) for name in source.names()} == files


@pytest.mark.parametrize("kind", ["folder", "zip", "tar"])
def test_the_state_changes_with_the_files(kind: str, files: dict[str, bytes], tmp_path: Path) -> None:
    pack = {"folder": write_folder, "zip": write_zip, "tar": write_tar}[kind]
    source_path = tmp_path / "faces"

    def state(content: dict[str, bytes], time_ns: int) -> str:
        pack(source_path, content)
        for path in (source_path, *source_path.rglob("*")):
            os.utime(path, ns=(time_ns, time_ns))
        with open_source(source_path, Settings()) as source:
            return source.state()

    first = state(files, 10**18)
    assert state(files, 10**18) == first
    name = next(iter(files))
    assert len({first, state(files | {name: b"longer" * 5000}, 10**18), state(files, 10**18 + 1)}) == 3
