"""Read and write the JSON files of models and runs, validated with pydantic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, ValidationError

from fer_core.errors import BundleError
from fer_core.files.atomic import write_text
from fer_core.files.migration import rename_json_keys
from fer_core.files.strict_model import StrictModel

JSON_BYTES_MAX = 8 * 2**20
TEXT_CHARACTERS_MAX = 2_000


def _check_printable(text: str) -> str:
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text.replace("\n", " ").replace("\t", " ")):
        raise ValueError("control characters are not allowed")
    return text


Text = Annotated[str, Field(max_length=TEXT_CHARACTERS_MAX), AfterValidator(_check_printable)]
"""Free text; shown as is, never rendered as Markdown or HTML."""

Line = Annotated[str, Field(max_length=200), AfterValidator(_check_printable)]
Name = Annotated[str, Field(max_length=80), AfterValidator(_check_printable)]

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=10**9)]


def _check_order(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"the interval from {bounds[0]:g} to {bounds[1]:g} is reversed")
    return bounds


Bounds = Annotated[tuple[Share, Share], AfterValidator(_check_order)]
"""Lower and upper bound of a share, 0..1."""


class JsonModel(StrictModel):
    """Base of models that are stored as JSON: frozen, without unknown keys, with finite numbers only."""

    model_config = ConfigDict(allow_inf_nan=False)

    def save(self, path: Path) -> None:
        """Write as JSON, atomically; fields that are None are left out."""
        write_text(path, self.model_dump_json(indent=2, exclude_none=True) + "\n")


_Model = TypeVar("_Model", bound=JsonModel)


def load_json_model(kind: type[_Model], path: Path, *, whole: str, remedy: str = "") -> _Model:
    """Read a file that `JsonModel.save` wrote.

    Args:
        whole: name of the location of an error that is in no single field.
        remedy: a sentence for the error message.
    Raises:
        BundleError: the file is invalid or too large; names file, folder, field, value and remedy.
    """
    try:
        return kind.model_validate_json(rename_json_keys(read_json_bytes(path)))
    except ValidationError as exc:
        raise BundleError(format_validation_error(exc, path, whole, remedy)) from exc


def load_json(path: Path) -> Any:
    """Read a JSON file and rename keys of earlier versions.

    Raises:
        OSError: the file can't be read.
        ValueError: it is not JSON.
    """
    return json.loads(rename_json_keys(path.read_bytes()))


def read_json_bytes(path: Path) -> bytes:
    """Read a JSON file's bytes.

    Raises:
        BundleError: it is larger than `JSON_BYTES_MAX`.
    """
    size = path.stat().st_size
    if size > JSON_BYTES_MAX:
        raise BundleError(
            f"{path.name} of {path.parent.name} has {size:,} bytes, but at most {JSON_BYTES_MAX:,} are allowed. "
            "Export the model again."
        )
    return path.read_bytes()


def format_validation_error(exc: ValidationError, path: Path, whole: str, remedy: str) -> str:
    """Format the first problem of a file: field, reason, value and remedy."""
    problem = exc.errors(include_url=False)[0]
    field = ".".join(str(part) for part in problem["loc"]) or whole
    reason = problem["msg"].removeprefix("Value error, ")
    value = problem.get("input")
    got = f" (got {value!r:.60})" if isinstance(value, str | int | float | bool) else ""
    return f"{path.name} of {path.parent.name} is not valid at {field}: {reason}{got}. {remedy}".rstrip()
