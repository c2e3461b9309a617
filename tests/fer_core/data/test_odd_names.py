"""File names that are not UTF-8 or have unusual characters: a problem of one image, never a failed import."""

from __future__ import annotations

import json
import os
import struct
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from fer_core.cli.main import main
from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.manifest import TableColumns
from fer_core.data.sources.source import open_source
from fer_core.errors import DatasetError
from fer_core.settings import Settings
from tests.support.sources import EMPTY_MANIFEST, png, write_folder, write_tar, write_zip

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="File names are bytes only on Linux.")

LATIN1_NAME = "fear/M\udcfcller.png"
"""`fear/Müller.png` in Latin-1, as Python decodes it (surrogateescape)."""

ESCAPED_NAME = r"fear/M\xfcller.png"
FILES = {f"fear/{number}.png": png(number) for number in range(3)}


def _raw_zip(path: Path, members: dict[bytes, bytes], *, flag: bool, extra: dict[bytes, str] | None = None) -> Path:
    """A zip archive with the given bytes as names, with or without the UTF-8 flag."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, (name, content) in enumerate(members.items()):
            info = zipfile.ZipInfo(f"{number:0{len(name)}d}")
            if extra and name in extra:
                field = b"\x01" + struct.pack("<I", zlib.crc32(name)) + extra[name].encode()
                info.extra = struct.pack("<HH", 0x7075, len(field)) + field
            archive.writestr(info, content)
    data = bytearray(path.read_bytes())
    for number, name in enumerate(members):
        placeholder = f"{number:0{len(name)}d}".encode()
        for magic, flags_at, name_at in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
            header = next(
                at
                for at in range(len(data))
                if data[at : at + 4] == magic and data[at + name_at : at + name_at + len(name)] == placeholder
            )
            data[header + name_at : header + name_at + len(name)] = name
            struct.pack_into("<H", data, header + flags_at, 0x800 if flag else 0)
    path.write_bytes(data)
    return path


def _write_source(kind: str, folder: Path) -> Path:
    """Three images with valid names and one whose name is not UTF-8."""
    files = FILES | {LATIN1_NAME: png(9)}
    if kind == "folder":
        path = write_folder(folder / "faces", FILES)
        with open(os.fsencode(path) + b"/fear/M\xfcller.png", "wb") as file:  # noqa: PTH123
            file.write(png(9))
        return path
    if kind == "zip":
        raw = {name.encode("utf-8", "surrogateescape"): content for name, content in files.items()}
        return _raw_zip(folder / "faces.zip", raw, flag=True)
    return write_tar(folder / f"faces.{kind}", files, kind.partition(".")[2])


def _problems(dataset: StoredDataset) -> dict[str, str]:
    index = dataset.index()
    return {path: problem for path, problem in zip(index["path"], index["problem"], strict=True) if problem}


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz"])
def test_an_image_whose_name_is_not_utf8_has_a_problem(kind: str, tmp_path: Path, store: Settings) -> None:
    dataset = import_dataset(_write_source(kind, tmp_path), store, dataset_id="odd", layout="folders")
    assert dataset.n == 4
    assert _problems(dataset) == {ESCAPED_NAME: f"The name of {ESCAPED_NAME} is not UTF-8. Rename the file."}


def test_a_name_that_is_not_utf8_is_printed_as_json_and_text(
    tmp_path: Path, store: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _write_source("folder", tmp_path)
    assert main(["datasets", "import", str(path), "--id", "odd", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["problems"] == 1
    assert main(["datasets", "preview", str(path)]) == 0
    assert "1 image has a name that is not UTF-8: rename it, such as " + ESCAPED_NAME in capsys.readouterr().out
    assert main(["datasets", "stats", "odd", "--json"]) == 0
    assert ESCAPED_NAME.replace("\\", "\\\\") in capsys.readouterr().out


def test_a_table_is_read_next_to_a_name_that_is_not_utf8(tmp_path: Path, store: Settings) -> None:
    path = _write_source("folder", tmp_path)
    rows = "fear/0.png,fear\nfear/1.png,fear\nfear/2.png,fear\nfear/Müller.png,fear\n"
    (path / "labels.csv").write_bytes(f"image,emotion\n{rows}".encode("cp1252"))
    columns = TableColumns(path="image", label="emotion")
    manifest = EMPTY_MANIFEST.model_copy(update={"layout": "table", "columns": columns})
    assert list(_problems(import_dataset(path, store, manifest=manifest))) == ["fear/Müller.png"]


def test_names_with_the_same_escaped_form_are_not_confused(tmp_path: Path) -> None:
    path = _write_source("folder", tmp_path)
    (path / ESCAPED_NAME).write_bytes(png(8))
    with open_source(path, Settings()) as source:
        assert list(source.names()).count(ESCAPED_NAME) == 1
        with pytest.raises(DatasetError, match="not UTF-8"):
            source.read(ESCAPED_NAME)


def test_a_folder_whose_name_is_not_utf8_is_imported(
    tmp_path: Path, store: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_folder(tmp_path / "faces", FILES)
    folder = path.rename(path.with_name("M\udcfcnchen"))
    assert main(["datasets", "import", str(folder)]) == 0
    assert main(["datasets", "list"]) == 0
    assert main(["datasets", "preview", str(folder), "--json"]) == 0
    assert "nchen" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("raw", "flag", "expected"),
    [
        ("fear/Zoë.png".encode(), True, "fear/Zoë.png"),
        ("fear/Zoë.png".encode(), False, "fear/Zoë.png"),  # as macOS packs them
        ("fear/怒り.png".encode(), False, "fear/怒り.png"),
        ("fear/Müller.png".encode("cp437"), False, "fear/Müller.png"),
        (b"fear/plain.png", False, "fear/plain.png"),
    ],
)
def test_zip_names_are_decoded_with_and_without_the_utf8_flag(
    raw: bytes, flag: bool, expected: str, tmp_path: Path
) -> None:
    path = _raw_zip(tmp_path / "a.zip", {raw: b"content", b"fear/b.png": b"b"}, flag=flag)
    with open_source(path, Settings()) as source:
        assert sorted(source.names()) == sorted(["fear/b.png", expected])
        assert source.read(expected) == b"content"


def test_the_unicode_path_field_of_a_zip_is_used_if_its_crc_matches(tmp_path: Path) -> None:
    raw = b"fear/Zo_.png\x89"
    path = _raw_zip(tmp_path / "a.zip", {raw: b"content"}, flag=False, extra={raw: "fear/Zoë.png"})
    with open_source(path, Settings()) as source:
        assert list(source.names()) == ["fear/Zoë.png"]
    renamed = path.read_bytes().replace(raw, b"fear/Max.png\x89")
    path.write_bytes(renamed)
    with open_source(path, Settings()) as source:
        assert list(source.names()) == ["fear/Max.pngë"]


UNUSUAL_NAMES = {
    "newline": "fear/a\nb.png",
    "control": "fear/\x1b[31mred\x07.png",
    "blanks": "fear/ a  .png",
    "quotes": "fear/\"'`<b>$x.png",
    "right-to-left": "fear/\u202egnp.exe.png",
    "long": f"fear/{'x' * 240}.png",
}


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz"])
def test_names_with_unusual_characters_are_imported(kind: str, tmp_path: Path, store: Settings) -> None:
    files = {name: png(number) for number, name in enumerate(UNUSUAL_NAMES.values())}
    pack = {"folder": write_folder, "zip": write_zip}
    path = (
        pack[kind](tmp_path / f"faces.{kind}", files)
        if kind in pack
        else write_tar(tmp_path / f"faces.{kind}", files, kind.partition(".")[2])
    )
    dataset = import_dataset(path, store, dataset_id="nasty", layout="folders")
    assert set(dataset.index()["path"]) == set(files)
    assert _problems(dataset) == {}


def test_a_very_long_name_is_read_from_an_archive(tmp_path: Path, store: Settings) -> None:
    name = f"fear/{'x' * 60_000}.png"
    dataset = import_dataset(write_zip(tmp_path / "a.zip", FILES | {name: png(7)}), store, layout="folders")
    assert _problems(dataset) == {}
    assert name in set(dataset.index()["path"])


def test_control_characters_are_escaped_in_the_output(
    tmp_path: Path, store: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'image,emotion\nfear/0.png,fear\n"gone\x1b[31m\x07\n.png",fear\n'
    path = write_folder(tmp_path / "faces", FILES | {"labels.csv": text})
    main(["datasets", "preview", str(path), "--layout", "table"])
    output = capsys.readouterr().out
    assert "\x1b" not in output
    assert "\x07" not in output
    assert r"gone\x1b[31m\x07" in output


def test_impossible_file_names_in_a_table_are_problems(tmp_path: Path, store: Settings) -> None:
    valid_rows = "".join(f"{name},fear\n" for name in FILES)
    text = f"image,emotion\n{valid_rows}fear/a\0b.png,fear\n{'y' * 5000}.png,fear\n../../etc/passwd,fear\n"
    path = write_folder(tmp_path / "faces", FILES | {"labels.csv": text})
    manifest = EMPTY_MANIFEST.model_copy(
        update={"layout": "table", "columns": TableColumns(path="image", label="emotion")}
    )
    problems = _problems(import_dataset(path, store, manifest=manifest))
    assert len(problems) == 3
    assert all("there is no file" in problem for problem in problems.values())


def test_a_tar_with_a_name_that_is_not_utf8_is_read(tmp_path: Path) -> None:
    with open_source(_write_source("tar", tmp_path), Settings()) as source:
        assert list(source.names()) == [*FILES, ESCAPED_NAME]
        assert source.read("fear/0.png") == FILES["fear/0.png"]
        with pytest.raises(DatasetError, match="not UTF-8"):
            source.read(ESCAPED_NAME)
    assert tarfile.is_tarfile(tmp_path / "faces.tar")
