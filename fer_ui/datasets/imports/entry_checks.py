"""What is wrong with the entries of the import forms, in a sentence beside the button that it disables."""

from __future__ import annotations

from fer_core.data.catalog import list_datasets
from fer_core.data.ingest.import_folder import list_imports
from fer_core.errors import InputError
from fer_core.ids import check_id, slug
from fer_core.settings import settings
from fer_ui.formatting import format_count

_UNREAD_SUFFIXES = {".rar": "a RAR archive", ".7z": "a 7-Zip archive", ".xlsx": "an Excel workbook"}
_UNREAD_SUFFIXES |= {".xls": "an Excel workbook", ".ods": "a spreadsheet"}
_SPREADSHEETS = (".xlsx", ".xls", ".ods")


def suggest_name(source: str) -> str:
    """Suggest the name of a dataset from that of its file, folder or URL; "" where that has no usable letter."""
    name = source.strip().rstrip("/\\").replace("\\", "/").rpartition("/")[2].partition("?")[0].split(".")[0]
    return slug(name) if any(letter.isascii() and letter.isalnum() for letter in name) else ""


def find_name_problem(name: str) -> str:
    """Find out why a dataset can't have a name; "" if it can."""
    if not name.strip():
        return "Enter a dataset name: 1 to 80 lowercase letters, digits, dots, dashes and underscores."
    try:
        dataset_id = check_id(name.strip(), "dataset")
    except InputError:
        return (
            f"{name.strip()!r} can't be a dataset name. Use 1 to 80 lowercase letters, digits, dots, dashes and "
            "underscores, beginning with a letter or digit."
        )
    if any(dataset.id == dataset_id for dataset in list_datasets(settings())):
        return f"There is a dataset {dataset_id!r} already. Choose another name."
    if any(work.id == dataset_id for work in list_imports(settings())):
        return f"There is an unfinished import {dataset_id!r}. Continue or discard it below, or choose another name."
    return ""


def find_file_problem(name: str) -> str:
    """Find out why an uploaded file of this name can't be a dataset; "" if it may be one."""
    suffix = next((suffix for suffix in _UNREAD_SUFFIXES if name.lower().endswith(suffix)), "")
    if not suffix:
        return ""
    remedy = "Save it as CSV UTF-8 and pack it" if suffix in _SPREADSHEETS else "Unpack it and pack the files"
    return f"{name} is {_UNREAD_SUFFIXES[suffix]}, which can't be read. {remedy} as .zip."


def find_range_problem(what: str, value: int | None, low: int, high: int) -> str:
    """Find out whether a number is missing or out of range; "" if it is in it."""
    if value is not None and low <= value <= high:
        return ""
    given = "is missing" if value is None else f"of {format_count(value)} is out of range"
    return f"The number of {what} {given}. Enter {format_count(low)} to {format_count(high)}."
