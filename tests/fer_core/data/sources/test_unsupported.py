"""Files that are no source of a dataset: the error says what they are, under the user's name for them."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from fer_core.data.ingest.import_folder import start_import
from fer_core.data.readers import detect_reader
from fer_core.data.sources.source import check_readable, open_source
from fer_core.errors import ArchiveError, DatasetError, FerscopeError, LayoutUnknownError
from fer_core.settings import Settings
from tests.support.sources import write_folder

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def _zip(*names: str, password: bool = False) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    content = bytearray(file.getvalue())
    if password:  # the flag, in both headers of the member
        content[content.find(b"PK\x03\x04") + 6] |= 1
        content[content.find(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"not a zip", "is not a zip archive or a tar archive"),
        (b"Rar!\x1a\x07\x01\x00rest", "a RAR archive.*pack the files as .zip"),
        (b"7z\xbc\xaf\x27\x1crest", "a 7-Zip archive.*pack the files as .zip"),
        pytest.param(bytes.fromhex("d0cf11e0a1b11ae1"), "Excel workbook.*CSV UTF-8", id="xls"),
        pytest.param(_zip("[Content_Types].xml", "xl/workbook.xml"), "Excel workbook.*CSV UTF-8", id="xlsx"),
        pytest.param(_zip("a.png", password=True), "protected by a password", id="zip with a password"),
        pytest.param(gzip.compress(b"a,b"), "single compressed file", id="gzip"),
        pytest.param(PNG, "is an image. Give the folder", id="png"),
        (b"%PDF-1.7", "is a PDF file"),
    ],
)
def test_a_file_that_is_no_archive_is_named_as_the_user_knows_it(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "source.zip"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=rf"^my faces\.zip .*{words}"), open_source(path, Settings(), "my faces.zip"):
        pass


@pytest.mark.parametrize("source", ["~nobody-has-this-name/x", "/tmp/" + "x" * 5_000, "/nothing/here", "/tmp/a\0b"])
def test_a_path_that_can_not_be_opened_is_an_error_of_ours(source: str, store: Settings) -> None:
    with pytest.raises(DatasetError) as caught:
        start_import(source, "mine", store)
    assert len(str(caught.value)) < 400


def test_a_path_that_the_system_refuses_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("fer_core.data.sources.source.os.scandir", refuse)
    with pytest.raises(DatasetError, match="can't be read: Permission denied"):
        check_readable(tmp_path)


def test_a_loop_of_links_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with open_source(tmp_path, Settings()) as source, pytest.raises(FerscopeError):
        source.read("loop")


def test_a_source_without_images_says_so(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "texts", {"readme.txt": "hello"})
    with (
        open_source(folder, Settings()) as source,
        pytest.raises(DatasetError, match=r"It has 1 file.*None is an image"),
    ):
        detect_reader(source)


def test_an_unknown_layout_with_an_excel_workbook_names_it(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "mixed", {"a.png": PNG, "labels.xlsx": b"x"})
    with (
        open_source(folder, Settings()) as source,
        pytest.raises(LayoutUnknownError, match=r"labels\.xlsx is an Excel"),
    ):
        detect_reader(source)
