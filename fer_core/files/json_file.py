"""A model's description as JSON in a file, read back into its class."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from fer_core.errors import BundleError
from fer_core.files.atomic import write_text
from fer_core.files.migration import rename_json_keys

JSON_BYTES_MAX = 8 * 2**20
TEXT_CHARACTERS_MAX = 2_000


def _printed(text: str) -> str:
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text.replace("\n", " ").replace("\t", " ")):
        raise ValueError("control characters, which no description has")
    return text


Text = Annotated[str, Field(max_length=TEXT_CHARACTERS_MAX), AfterValidator(_printed)]
"""Words that a person wrote, or a name; shown as they are, never as Markdown or HTML."""

Line = Annotated[str, Field(max_length=200), AfterValidator(_printed)]
Name = Annotated[str, Field(max_length=80), AfterValidator(_printed)]

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=10**9)]


def _in_order(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"an interval from {bounds[0]:g} to {bounds[1]:g}, which ends before it begins")
    return bounds


Bounds = Annotated[tuple[Share, Share], AfterValidator(_in_order)]
"""The ends of an interval of a share."""


class JsonModel(BaseModel):
    """A description that lies in a file, or a part of one: frozen, with no unknown keys and only finite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def save(self, path: Path) -> None:
        """Write it as JSON, whole or not at all; what is None is left out, as it is by default."""
        write_text(path, self.model_dump_json(indent=2, exclude_none=True) + "\n")


_Description = TypeVar("_Description", bound=JsonModel)


def load_json_model(kind: type[_Description], path: Path, *, whole: str, remedy: str = "") -> _Description:
    """Read what `JsonModel.save` wrote.

    Args:
        whole: what to call the place of an error that is in no single field.
        remedy: what to do when the file does not hold together, in a sentence.
    Raises:
        BundleError: it does not hold together, or is too large; names the file, its folder, the place in it, the value
            there, what would be right, and the remedy.
    """
    try:
        return kind.model_validate_json(rename_json_keys(read_json_bytes(path)))
    except ValidationError as exc:
        raise BundleError(format_validation_error(exc, path, whole, remedy)) from exc


def load_json(path: Path) -> Any:
    """Read a JSON file, with old names of its keys renamed.

    Raises:
        OSError: the file can't be read.
        ValueError: it is not JSON.
    """
    return json.loads(rename_json_keys(path.read_bytes()))


def read_json_bytes(path: Path) -> bytes:
    """A JSON file's content.

    Raises:
        BundleError: it has more than `JSON_BYTES_MAX`, which no description comes near.
    """
    size = path.stat().st_size
    if size > JSON_BYTES_MAX:
        raise BundleError(
            f"{path.name} of {path.parent.name} has {size:,} bytes; a description has {JSON_BYTES_MAX:,} at most. "
            "Make it again."
        )
    return path.read_bytes()


def format_validation_error(exc: ValidationError, path: Path, whole: str, remedy: str) -> str:
    """The first thing that is wrong in a file: where, what would be right, what is there instead, and the remedy."""
    problem = exc.errors(include_url=False)[0]
    where = ".".join(str(part) for part in problem["loc"]) or whole
    what = problem["msg"].removeprefix("Value error, ")
    there = problem.get("input")
    got = f" (got {there!r:.60})" if isinstance(there, str | int | float | bool) else ""
    return f"{path.name} of {path.parent.name} is not valid at {where}: {what}{got}. {remedy}".rstrip()
