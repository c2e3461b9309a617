"""Pydantic models that are frozen and allow no unknown keys, and the text of their errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import get_args

from pydantic import BaseModel, ConfigDict, ValidationError


class StrictModel(BaseModel):
    """A frozen model without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def format_validation_error(exc: ValidationError, name: str, model: type[BaseModel]) -> str:
    """Format the first problem of `name`, which should be a `model`: key, reason and value."""
    problem = exc.errors()[0]
    keys = [str(key) for key in problem["loc"]]
    if problem["type"] == "extra_forbidden":
        return f"{name}: unknown key {'.'.join(keys)!r}. Known keys: {', '.join(_known_keys(keys[:-1], model))}."
    where = f"{name}: {'.'.join(keys)}" if keys else name
    value = problem.get("input")
    got = "" if isinstance(value, Mapping) else f" (got {value!r})"
    return f"{where}: {problem['msg'].removeprefix('Value error, ')}{got}."


def _known_keys(keys: Iterable[str], model: type[BaseModel]) -> list[str]:
    for key in keys:
        annotation = model.model_fields[key].annotation
        nested = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
        model = next((kind for kind in nested if issubclass(kind, BaseModel)), model)
    return list(model.model_fields)
