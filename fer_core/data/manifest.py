"""What a dataset is: where it comes from, its licence, its layout and labels, its published counts.

A manifest is a YAML file in `data_manifests/`. It needs no images: published counts can be explored alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from fer_core.errors import InputError, ManifestError
from fer_core.ids import check_id
from fer_core.labels import Expression

MANIFESTS_DIR = Path(__file__).resolve().parents[2] / "data_manifests"


class PublishedCounts(BaseModel):
    """How many images of each expression the publishers (or a study) report, by split."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    splits: dict[str, dict[Expression, int]]
    others: dict[str, int] = Field(default_factory=dict)
    note: str = ""


class Contents(BaseModel):
    """What is known of each image beside its label."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    identities: bool = False
    votes: bool = False
    valence_arousal: bool = False
    landmarks: bool = False


class Manifest(BaseModel):
    """A dataset's description. `layout` names the reader; "" means that no reader is known for it yet.

    `labels` maps the dataset's own label names to expressions, or to null for labels that are left out.
    `drawn` marks drawings: they are never presented as accuracy on people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str
    summary: str
    homepage: str = ""
    licence: str
    terms: str = ""
    citation: str = ""
    layout: Literal["", "ferplus", "folders"] = ""
    labels: dict[str, Expression | None] = Field(default_factory=dict)
    identity_pattern: str = ""
    contents: Contents = Contents()
    published: PublishedCounts | None = None
    problems: tuple[str, ...] = ()
    drawn: bool = False

    @field_validator("id")
    @classmethod
    def _usable_id(cls, value: str) -> str:
        return check_id(value, "dataset")


def read_manifest(path: Path) -> Manifest:
    """Read one manifest.

    Raises:
        ManifestError: the file is not YAML, has an unknown key or a wrong value; the message says which.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise ManifestError(f"{path.name} can't be read as YAML: {exc}") from exc
    return parse_manifest(content, path.name)


def parse_manifest(content: object, name: str) -> Manifest:
    """A manifest from plain data; `name` is used in messages.

    Raises:
        ManifestError: as `read_manifest`.
    """
    if not isinstance(content, Mapping):
        raise ManifestError(f"{name} is not a mapping of keys to values.")
    try:
        return Manifest.model_validate(dict(content))
    except ValidationError as exc:
        problem = exc.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            known = ", ".join(Manifest.model_fields)
            raise ManifestError(f"{name}: unknown key {where!r}. Known keys: {known}.") from exc
        raise ManifestError(f"{name}: {where}: {problem['msg']}.") from exc
    except InputError as exc:
        raise ManifestError(f"{name}: id: {exc}") from exc


@lru_cache(maxsize=1)
def known_manifests() -> dict[str, Manifest]:
    """Every manifest that comes with FERscope, by id, in the order of their titles."""
    manifests = [read_manifest(path) for path in sorted(MANIFESTS_DIR.glob("*.yaml"))]
    return {manifest.id: manifest for manifest in sorted(manifests, key=lambda manifest: manifest.title.lower())}


def dump_manifest(manifest: Manifest) -> str:
    """The manifest as YAML that `read_manifest` reads back."""
    return yaml.safe_dump(manifest.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
