"""Layout "affectnet-npy": `train_set/images/0.jpg` and `train_set/annotations/0_exp.npy` (`_val`, `_aro`, `_lnd`)."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fer_core.data.label_mapping.label_map import IGNORED_LABEL
from fer_core.data.label_mapping.numberings import NUMBERINGS
from fer_core.data.manifest import Manifest
from fer_core.data.readers.file_names import is_image, split_from_path
from fer_core.data.readers.reader import Reader
from fer_core.data.record import Record
from fer_core.data.sources.source import Source, contains_name
from fer_core.data.votes import Unlabeled
from fer_core.errors import DatasetError, LabelFileError

UNLABELED_CODES: dict[str, str] = {"8": IGNORED_LABEL, "9": str(Unlabeled.UNKNOWN), "10": str(Unlabeled.NOT_A_FACE)}
"""AffectNet's codes for none, uncertain and no face."""

_LABEL_SUFFIX = "_exp.npy"
_SUFFIXES = (_LABEL_SUFFIX, "_val.npy", "_aro.npy", "_lnd.npy")


def matches(names: Sequence[str]) -> bool:
    """Whether there is an expression file."""
    return any(name.endswith(_LABEL_SUFFIX) for name in names)


def read(source: Source, manifest: Manifest) -> Iterator[Record]:
    """Yield a record for each image in an `images` folder, with the annotations beside it.

    Raises:
        LabelFileError: an annotation is not a number.
    """
    del manifest  # the layout has fixed label codes
    names = source.names()
    for name in names:
        path = PurePosixPath(name)
        if not is_image(name) or path.parent.name != "images":
            continue
        stem = str(path.parent.parent / "annotations" / path.stem)
        label = _read_values(source, names, f"{stem}_exp.npy")
        valence, arousal = (_first(_read_values(source, names, f"{stem}_{kind}.npy")) for kind in ("val", "aro"))
        landmarks = _read_values(source, names, f"{stem}_lnd.npy")
        yield Record(
            path=name,
            split=split_from_path(name),
            raw_label="" if label is None else str(int(label[0])),
            valence=valence,
            arousal=arousal,
            landmarks=None if landmarks is None else tuple(landmarks.tolist()),
        )


def _read_values(source: Source, names: Sequence[str], name: str) -> NDArray[np.float64] | None:
    """Read a .npy file as a flat float64 array; None if it does not exist. Some files store text."""
    if not contains_name(names, name):
        return None
    try:
        values = np.load(io.BytesIO(source.read(name)), allow_pickle=False).astype(np.float64).ravel()
    except (ValueError, EOFError, OSError, DatasetError) as exc:
        raise LabelFileError(f"{name} can't be read as numbers: {exc}") from exc
    if not len(values) or not np.isfinite(values).all():
        raise LabelFileError(f"{name} has no number, or one that is not finite.")
    return values


def _first(values: NDArray[np.float64] | None) -> float | None:
    return None if values is None else float(values[0])


READER = Reader(
    layout="affectnet-npy",
    title="AffectNet (.npy annotations)",
    description="train_set/images/0.jpg beside train_set/annotations/0_exp.npy",
    matches=matches,
    read=read,
    label_files=lambda names, _: [name for name in names if name.endswith(_SUFFIXES)],
    codes=NUMBERINGS["affectnet"].codes,
    unlabeled=UNLABELED_CODES,
)
