"""A model's description as JSON in a file, read back into its class."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from fer_core.atomic import write_text
from fer_core.errors import BundleError


class Described(BaseModel):
    """A description that lies in a file, or a part of one: frozen, with no unknown keys and only finite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def save(self, path: Path) -> None:
        """Write it as JSON, whole or not at all; what is None is left out, as it is by default."""
        write_text(path, self.model_dump_json(indent=2, exclude_none=True) + "\n")


_Description = TypeVar("_Description", bound=Described)


def read_valid(kind: type[_Description], path: Path, *, whole: str, remedy: str = "") -> _Description:
    """Read what `Described.save` wrote.

    Args:
        whole: what to call the place of an error that is in no single field.
        remedy: what to do when the file does not hold together, in a sentence.
    Raises:
        BundleError: it does not hold together; names the file, its folder, the place in it and the remedy.
    """
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as exc:
        problem = exc.errors()[0]
        where = ".".join(str(part) for part in problem["loc"]) or whole
        words = f"{path.name} of {path.parent.name} is not valid at {where}: {problem['msg']}. {remedy}"
        raise BundleError(words.rstrip()) from exc
