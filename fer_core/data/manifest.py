"""What a dataset is: where it comes from, its license, its layout and labels, its published counts.

A manifest is a YAML file: in `data_manifests/`, or one's own in the store (`manifest_store`). It needs no images:
published counts can be explored alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError, field_validator, model_validator

from fer_core.errors import InputError, ManifestError
from fer_core.files.migration import MANIFEST_KEYS, rename_keys
from fer_core.ids import check_id
from fer_core.labels import Expression

MANIFESTS_DIR = Path(__file__).resolve().parents[2] / "data_manifests"

CHARACTERS_MAX = 200_000
"""The longest manifest that is read: far above any real one, and read within seconds."""


class PublishedCounts(BaseModel):
    """How many images of each expression the publishers (or a study) report, by split."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(min_length=1)
    splits: dict[str, dict[Expression, NonNegativeInt]]
    others: dict[str, NonNegativeInt] = Field(default_factory=dict)
    note: str = ""


class Contents(BaseModel):
    """What is known of each image beside its label."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    identities: bool = False
    votes: bool = False
    valence_arousal: bool = False
    landmarks: bool = False


Layout = Literal[
    "",
    "ferplus",
    "ferplus-csv",
    "fer2013-csv",
    "affectnet-npy",
    "affectnet-csv",
    "rafdb",
    "folders",
    "names",
    "table",
    "hf-parquet",
]
"""The readers by name; "" where none is known. The first that recognizes a source is proposed."""


class TableColumns(BaseModel):
    """Which columns of a CSV or Parquet file say what (layout "table").

    `table` is the file's name in the source, "" for the only one there is; `tables` are several with the same columns,
    whose names tell the splits where no column does. `names` are the columns of a file without a
    header. `separator` is detected where it is "". `folder` goes before every path. `box` are the columns of a face's
    left, top, right and bottom edge.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    label: str
    table: str = ""
    tables: tuple[str, ...] = ()
    separator: Literal["", ",", ";", "\t", "|", " "] = ""
    names: tuple[str, ...] = ()
    folder: str = ""
    split: str = ""
    identity: str = ""
    valence: str = ""
    arousal: str = ""
    box: tuple[str, str, str, str] | None = None
    subgroups: tuple[str, ...] = ()


class Manifest(BaseModel):
    """A dataset's description.

    Attributes:
        layout: names the reader; "" means that no reader is known for it.
        labels: maps the dataset's own label names or codes to expressions, or to null for labels that are left out.
        identity_pattern: a regular expression whose first group is the person, searched in the file's name.
        identity_folder: layout "folders": how many folders above an image the one is that is named after the person,
            1 for the one that it lies in, 0 for none; None to find it.
        label_pattern: the same for the label (layout "names").
        subgroup_patterns: the same for what else the name tells, by the subgroup's name.
        columns: what a table's columns mean (layout "table").
        drawn: marks drawings: they are never presented as accuracy on people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str
    summary: str
    homepage: str = ""
    license: str
    terms: str = ""
    citation: str = ""
    layout: Layout = ""
    labels: dict[str, Expression | None] = Field(default_factory=dict)
    identity_pattern: str = ""
    identity_folder: NonNegativeInt | None = None
    label_pattern: str = ""
    subgroup_patterns: dict[str, str] = Field(default_factory=dict)
    columns: TableColumns | None = None
    contents: Contents = Contents()
    published: PublishedCounts | None = None
    problems: tuple[str, ...] = ()
    synthetic: bool = False

    @field_validator("id")
    @classmethod
    def _usable_id(cls, value: str) -> str:
        return check_id(value, "dataset")

    @field_validator("labels", mode="before")
    @classmethod
    def _codes_are_words(cls, value: object) -> object:
        """In YAML, 0 is a number and no is false: the first is meant as a label here, the second hardly ever."""
        if not isinstance(value, Mapping):
            return value
        for name in value:
            if not isinstance(name, str | int) or isinstance(name, bool):
                raise ValueError(f"{name!r} is no text: put the label in quotes")
        return {str(name): expression for name, expression in value.items()}

    @field_validator("identity_pattern", "label_pattern")
    @classmethod
    def _has_one_group(cls, value: str) -> str:
        if value and _groups(value) < 1:
            raise ValueError(f"{value!r} has no group: put brackets around the part that is meant, such as ^([A-Z]+)")
        return value

    @field_validator("subgroup_patterns")
    @classmethod
    def _have_one_group(cls, value: dict[str, str]) -> dict[str, str]:
        for pattern in value.values():
            cls._has_one_group(pattern)
        return value

    @model_validator(mode="after")
    def _has_what_its_layout_needs(self) -> Self:
        if self.layout == "names" and not self.label_pattern:
            raise ValueError("the layout 'names' needs a label_pattern")
        if self.layout == "table" and self.columns is None:
            raise ValueError("the layout 'table' needs columns (path, label and, where there are any, more)")
        return self


_PARTS: dict[str, type[BaseModel]] = {"columns": TableColumns, "contents": Contents, "published": PublishedCounts}
"""The keys of a manifest that have keys of their own."""


def _groups(pattern: str) -> int:
    try:
        return re.compile(pattern).groups
    except re.error as exc:
        raise ValueError(f"{pattern!r} is not a regular expression: {exc}") from exc


def read_manifest(path: Path) -> Manifest:
    """Read one manifest.

    Raises:
        ManifestError: the file is not YAML, has an unknown key or a wrong value; the message says which.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise ManifestError(f"{path.name} can't be read as YAML: {exc}") from exc
    return parse_manifest_text(text, path.name)


def parse_manifest_text(text: str, name: str) -> Manifest:
    """A manifest from YAML; `name` is used in messages.

    Raises:
        ManifestError: as `read_manifest`.
    """
    if len(text) > CHARACTERS_MAX:
        raise ManifestError(f"{name} has {len(text):,} characters; a manifest may have {CHARACTERS_MAX:,}. Shorten it.")
    try:
        content = yaml.safe_load(text)
    except RecursionError as exc:
        raise ManifestError(f"{name} can't be read as YAML: it is nested too deeply.") from exc
    except (yaml.YAMLError, ValueError) as exc:  # a date or number that is none is a ValueError
        raise ManifestError(f"{name} can't be read as YAML: {exc}") from exc
    return parse_manifest(content, name)


def parse_manifest(content: object, name: str) -> Manifest:
    """A manifest from plain data; `name` is used in messages.

    Raises:
        ManifestError: as `read_manifest`.
    """
    if not isinstance(content, Mapping):
        raise ManifestError(f"{name} is not a mapping of keys to values.")
    try:
        return Manifest.model_validate(rename_keys(content, MANIFEST_KEYS, deep=False))
    except ValidationError as exc:
        problem = exc.errors()[0]
        where = ".".join(str(part) for part in problem["loc"]) or "the whole"
        if problem["type"] == "extra_forbidden":
            known = ", ".join(_PARTS.get(str(problem["loc"][0]), Manifest).model_fields)
            raise ManifestError(f"{name}: unknown key {where!r}. Known keys: {known}.") from exc
        raise ManifestError(f"{name}: {where}: {problem['msg'].removeprefix('Value error, ')}.") from exc
    except InputError as exc:
        raise ManifestError(f"{name}: id: {exc}") from exc


@lru_cache(maxsize=1)
def builtin_manifests() -> dict[str, Manifest]:
    """Every manifest that comes with FERscope, by id, in the order of their titles."""
    manifests = [read_manifest(path) for path in sorted(MANIFESTS_DIR.glob("*.yaml"))]
    return {manifest.id: manifest for manifest in sorted(manifests, key=lambda manifest: manifest.title.lower())}


def dump_manifest(manifest: Manifest) -> str:
    """The manifest as YAML that `read_manifest` reads back."""
    return yaml.safe_dump(manifest.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
