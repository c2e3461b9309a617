"""What a gallery shows of each face: its picture, label, marks and details."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pandas as pd

from fer_core.data.catalog import StoredDataset
from fer_core.text import capitalize_first
from fer_ui.datasets.faces.gallery_component import GalleryFace
from fer_ui.datasets.faces.thumbnails import load_thumbnails
from fer_ui.image_labels import describe_split, get_marks, get_text, label_title

Describe = Callable[[dict[str, Any]], str]

UNREADABLE = "can't be read any more"
_PNG = b"\x89PNG"


def gallery_faces(dataset: StoredDataset, rows: pd.DataFrame, describe: Describe | None = None) -> list[GalleryFace]:
    """Build the faces of one page.

    Args:
        rows: of the index.
        describe: gives a text for each row that is shown first among its details, such as its prediction.
    """
    pictures = load_thumbnails(dataset, rows)
    named = [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]
    return [_face(row, picture, describe) for row, picture in zip(named, pictures, strict=True)]


def data_uri(picture: bytes) -> str:
    """Encode a PNG or JPEG file as the address of a picture in a page."""
    kind = "png" if picture.startswith(_PNG) else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def _face(row: dict[str, Any], picture: bytes | None, describe: Describe | None) -> GalleryFace:
    split, marks = get_text(row, "split"), get_marks(row)
    described = describe(row) if describe else ""
    return GalleryFace(
        id=str(row["id"]),
        picture="" if picture is None else data_uri(picture),
        problem=get_text(row, "problem") or UNREADABLE,
        title=label_title(row),
        badge=capitalize_first(", ".join(marks)),
        details=[text for text in (described, capitalize_first(describe_split(split)) if split else "") if text],
        path=get_text(row, "path"),
        excluded="excluded" in marks,
    )
