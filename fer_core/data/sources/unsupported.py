"""Explain why a file is no source of a dataset: what it is, and what to give instead."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fer_core.images.formats import HEAD_BYTES, detect_format

_UNPACK = "Unpack it, then give the folder, or pack the files as .zip."
_SAVE_AS_CSV = 'In Excel, choose "Save as" and the format "CSV UTF-8", and give the folder or archive that has it.'
_SIGNATURES = (
    (b"Rar!\x1a\x07", f"is a RAR archive, which can't be read. {_UNPACK}"),
    (b"7z\xbc\xaf\x27\x1c", f"is a 7-Zip archive, which can't be read. {_UNPACK}"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", f"is an Excel workbook or another Office file. {_SAVE_AS_CSV}"),
    (b"%PDF", "is a PDF file. Give a folder, or a .zip or .tar archive with the images."),
    (b"\x1f\x8b", "is a single compressed file. Unpack it, or pack the folder as .zip or .tar.gz."),
    (b"BZh", "is a single compressed file. Unpack it, or pack the folder as .zip or .tar.bz2."),
    (b"\xfd7zXZ\x00", "is a single compressed file. Unpack it, or pack the folder as .zip or .tar.xz."),
)
_EXCEL_MEMBERS = ("xl/workbook.xml", "xl/workbook.bin")


def explain_no_archive(path: Path, name: str, reason: object) -> str:
    """Explain why a file can't be opened as an archive.

    Args:
        name: the user's name for the file.
        reason: what the archive's reader says.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as exc:
        return f"{name} can't be read: {exc.strerror or exc}. Check its permissions."
    if not head:
        return f"{name} is empty (0 bytes), not a zip archive or a tar archive. Copy or download it again."
    if said := next((said for signature, said in _SIGNATURES if head.startswith(signature)), None):
        return f"{name} {said}"
    if detect_format(head) is not None:
        return f"{name} is an image. Give the folder or the archive that holds all images."
    return (
        f"{name} is not a zip archive or a tar archive, or was cut short ({reason}). Give a .zip, .tar or .tar.gz "
        "archive or a folder; if it is one, copy or download it again."
    )


def explain_excel_workbook(name: str, members: Sequence[str]) -> str:
    """Explain that an archive with these members is an Excel workbook; "" if it is not."""
    is_workbook = any(member in members for member in _EXCEL_MEMBERS)
    return f"{name} is an Excel workbook, which can't be read. {_SAVE_AS_CSV}" if is_workbook else ""


def explain_no_images(names: Sequence[str]) -> str:
    """Explain that a source with these files has no images."""
    return (
        f"{describe_files(names)} None is an image: give the folder or archive that holds them, such as .png or .jpg."
    )


def describe_files(names: Sequence[str]) -> str:
    """Describe the files of a source, and an Excel workbook among them, which can't be read."""
    if not names:
        return "It has no files."
    number = "1 file" if len(names) == 1 else f"{len(names):,} files"
    found = f"It has {number}, such as {names[0]!r}."
    workbook = next((name for name in names if name.lower().endswith((".xlsx", ".xls"))), None)
    return f"{found} {workbook} is an Excel workbook: save it as CSV UTF-8." if workbook else found
