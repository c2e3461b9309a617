"""A model's description as JSON in a file, read back into its class."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from fer_core.errors import BundleError

_Model = TypeVar("_Model", bound=BaseModel)


def read_valid(kind: type[_Model], path: Path, *, whole: str, remedy: str = "") -> _Model:
    """Read what `model_dump_json` wrote.

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
