"""Dataset manifests: YAML files with a dataset's origin, license, layout, labels and published counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import Field, NonNegativeInt, ValidationError, field_validator, model_validator

from fer_core.errors import InputError, ManifestError
from fer_core.files.migration import MANIFEST_KEYS, rename_keys
from fer_core.files.strict_model import StrictModel, format_validation_error
from fer_core.ids import check_id
from fer_core.labels import Expression
from fer_core.text import shorten

MANIFESTS_DIR = Path(__file__).resolve().parents[2] / "data_manifests"

CHARACTERS_MAX = 200_000
"""Largest manifest that is read."""


class PublishedCounts(StrictModel):
    """Numbers of images by split and expression, as published by the authors or a study."""

    source: str = Field(min_length=1)
    splits: dict[str, dict[Expression, NonNegativeInt]]
    others: dict[str, NonNegativeInt] = Field(default_factory=dict)
    note: str = ""


class Contents(StrictModel):
    """What a dataset has beside labels."""

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
"""Names of the readers; "" for none."""


class TableColumns(StrictModel):
    """Columns of a CSV or Parquet file (layout "table").

    Attributes:
        table: name of the file in the source; "" for the only one.
        tables: several files with the same columns, whose names are the splits unless a column has these.
        separator: "" to detect it.
        names: column names of a file without a header.
        folder: prefix of every path.
        box: columns of a face's left, top, right and bottom edge.
    """

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


class Manifest(StrictModel):
    """A dataset's description.

    Attributes:
        layout: name of the reader; "" if there is none.
        labels: expression by raw label; null for labels that are ignored.
        identity_pattern: regular expression whose first group is the person, searched in the file's name.
        identity_folder: level of the folder named after the person (layout "folders"): 1 for the folder that an image
            lies in, 0 for none; None to detect it.
        label_pattern: regular expression of the label (layout "names").
        subgroup_patterns: regular expressions of other attributes, by name.
        columns: columns of the table (layout "table").
        synthetic: whether the faces are synthetic, so that results are not presented as accuracy on people.
    """

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
    def _check_id(cls, value: str) -> str:
        return check_id(value, "dataset")

    @field_validator("labels", mode="before")
    @classmethod
    def _convert_codes(cls, value: object) -> object:
        """Convert numbers to text. In YAML, no is false, which is hardly ever meant as a label."""
        if not isinstance(value, Mapping):
            return value
        for name in value:
            if not isinstance(name, str | int) or isinstance(name, bool):
                raise ValueError(f"{name!r} is not text: put the label in quotes")
        return {str(name): expression for name, expression in value.items()}

    @field_validator("identity_pattern", "label_pattern")
    @classmethod
    def _check_group(cls, value: str) -> str:
        return check_pattern(value)

    @field_validator("subgroup_patterns")
    @classmethod
    def _check_groups(cls, value: dict[str, str]) -> dict[str, str]:
        for pattern in value.values():
            check_pattern(pattern)
        return value

    @model_validator(mode="after")
    def _check_layout(self) -> Self:
        if self.layout == "names" and not self.label_pattern:
            raise ValueError("the layout 'names' needs a label_pattern")
        if self.layout == "table" and self.columns is None:
            raise ValueError("the layout 'table' needs columns (path, label and, where there are any, more)")
        return self


_PATTERN_SHOWN = 60


def check_pattern(pattern: str) -> str:
    """Return `pattern` if it is empty or a regular expression with a group.

    Raises:
        ValueError: it is neither.
    """
    try:
        n_groups = re.compile(pattern).groups
    except (re.error, OverflowError, RecursionError) as exc:  # a{99999999999}, and ten thousand parentheses
        shown = shorten(pattern, _PATTERN_SHOWN)
        raise ValueError(f"{shown!r} is not a regular expression: {exc}") from exc
    if pattern and not n_groups:
        raise ValueError(f"{pattern!r} has no group: put parentheses around the part to extract, such as ^([A-Z]+)")
    return pattern


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        ManifestError: the file is not YAML, or has an unknown key or a wrong value.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as exc:
        raise ManifestError(f"{path.name} is not UTF-8 (byte {exc.start:,}). Save it as UTF-8.") from exc
    except OSError as exc:
        raise ManifestError(f"{path.name} can't be read: {exc.strerror}. Check the path.") from exc
    return parse_manifest_text(text, path.name)


@lru_cache(maxsize=64)
def parse_manifest_text(text: str, name: str) -> Manifest:
    """Parse a manifest from YAML; `name` is used in messages.

    Raises:
        ManifestError: as `read_manifest`.
    """
    if len(text) > CHARACTERS_MAX:
        raise ManifestError(f"{name} has {len(text):,} characters; a manifest may have {CHARACTERS_MAX:,}. Shorten it.")
    try:
        content = yaml.safe_load(text)
    except RecursionError as exc:
        raise ManifestError(f"{name} can't be read as YAML: it is nested too deeply.") from exc
    except (yaml.YAMLError, ValueError) as exc:  # an invalid date is a ValueError
        raise ManifestError(f"{name} can't be read as YAML: {exc}") from exc
    return parse_manifest(content, name)


def parse_manifest(content: object, name: str) -> Manifest:
    """Parse a manifest from plain data; `name` is used in messages.

    Raises:
        ManifestError: as `read_manifest`.
    """
    if not isinstance(content, Mapping):
        raise ManifestError(f"{name} is not a mapping of keys to values.")
    try:
        return Manifest.model_validate(rename_keys(content, MANIFEST_KEYS, deep=False))
    except ValidationError as exc:
        raise ManifestError(format_validation_error(exc, name, Manifest)) from exc
    except InputError as exc:
        raise ManifestError(f"{name}: id: {exc}") from exc


@lru_cache(maxsize=1)
def builtin_manifests() -> dict[str, Manifest]:
    """Load the built-in manifests by id, sorted by title."""
    manifests = [read_manifest(path) for path in sorted(MANIFESTS_DIR.glob("*.yaml"))]
    return {manifest.id: manifest for manifest in sorted(manifests, key=lambda manifest: manifest.title.lower())}


def dump_manifest(manifest: Manifest) -> str:
    """Convert a manifest to YAML."""
    return yaml.safe_dump(manifest.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
