"""Class folders: `train/happiness/a.png`, or `happiness/a.png` without splits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from fer_core.data.manifest import Manifest
from fer_core.data.record import SPLIT_NAMES, Record, Split
from fer_core.data.source import Source
from fer_core.errors import DatasetError
from fer_core.labels import Expression

LOOKS_LIKE = "a folder a class (happiness/a.png), with or without folders named train, valid and test above them"

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")

_SYNONYMS: dict[str, Expression] = {
    **{str(expression): expression for expression in Expression},
    "happy": Expression.HAPPINESS,
    "sad": Expression.SADNESS,
    "surprised": Expression.SURPRISE,
    "fearful": Expression.FEAR,
    "afraid": Expression.FEAR,
    "disgusted": Expression.DISGUST,
    "angry": Expression.ANGER,
    "contemptuous": Expression.CONTEMPT,
}


def recognises(names: list[str]) -> bool:
    """Whether some image lies in a folder named after an expression."""
    return any(_class_folder(name) in _SYNONYMS for name in names if _is_image(name))


def read(source: Source, manifest: Manifest) -> Iterator[Record]:
    """A record for each image in a class folder that the manifest maps or that names an expression.

    Raises:
        DatasetError: a class folder has a name that is not mapped.
    """
    label_map: dict[str, Expression | None] = {**_SYNONYMS}
    label_map.update({name.lower(): label for name, label in manifest.labels.items()})
    identity = re.compile(manifest.identity_pattern) if manifest.identity_pattern else None
    for name in source.names():
        if not _is_image(name):
            continue
        folder = _class_folder(name)
        if folder not in label_map:
            raise DatasetError(
                f"{name!r} lies in a folder {folder!r} that is no known expression. Map it in the manifest "
                f"(labels: {{{folder}: fear}}, or null to leave it out)."
            )
        label = label_map[folder]
        found = identity.search(PurePosixPath(name).name) if identity else None
        yield Record(
            path=name,
            split=_split(name),
            label=label,
            unlabelled="" if label else "left_out",
            identity=found.group(1) if found else None,
        )


def _is_image(name: str) -> bool:
    return name.lower().endswith(IMAGE_ENDINGS)


def _class_folder(name: str) -> str:
    return PurePosixPath(name).parent.name.lower()


def _split(name: str) -> Split | None:
    for part in PurePosixPath(name).parts[:-2]:
        if part.lower() in SPLIT_NAMES:
            return SPLIT_NAMES[part.lower()]
    return None
