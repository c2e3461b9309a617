"""Configurations that are frozen, refuse unknown keys, and say in words what would be right."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError


class StrictModel(BaseModel):
    """A part of a config; an unknown key in it is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def format_validation_error(exc: ValidationError, name: str, kind: type[BaseModel]) -> str:
    """What is wrong with `name`, which should have been one of `kind`: the key, the value, and what would be right."""
    problem = exc.errors()[0]
    place = [str(part) for part in problem["loc"]]
    if problem["type"] == "extra_forbidden":
        return f"{name}: unknown key {'.'.join(place)!r}. Known keys: {', '.join(_known_keys(place[:-1], kind))}."
    return f"{name}: {'.'.join(place)}: {problem['msg'].removeprefix('Value error, ')} (got {problem.get('input')!r})."


def _known_keys(place: list[str], kind: type[BaseModel]) -> list[str]:
    for part in place:
        inner = kind.model_fields[part].annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            kind = inner
    return list(kind.model_fields)
