"""The dataset of corrected predictions: faces that somebody saved on Predict, with the expression that they gave.

Its images are in the store, in a folder for each expression, without the photo's name or metadata.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from fer_core.data.catalog import StoredDataset, delete_dataset, open_dataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.ingest.import_folder import DATASET_MARKER, MANIFEST, Import
from fer_core.data.ingest.import_run import complete_index, index_source
from fer_core.data.ingest.locks import lock_file
from fer_core.data.ingest.reindex import replace_index
from fer_core.data.manifest import Manifest, dump_manifest
from fer_core.data.training_images import pixel_hash
from fer_core.errors import DatasetError
from fer_core.faces import RgbImage
from fer_core.files.atomic import write_bytes, write_text
from fer_core.labels import Expression
from fer_core.progress import no_progress
from fer_core.settings import Settings

FEEDBACK = "feedback"
"""Id of the dataset and of its manifest."""

_IMAGES, _WORK = "images", "collecting"
_WAIT_S = 60.0

_MANIFEST = Manifest(
    id=FEEDBACK,
    title="Feedback",
    summary=(
        "Faces whose prediction somebody corrected on Predict, with the expression that they gave. They are saved only "
        "when asked for. Deleting the dataset deletes the pictures."
    ),
    license="that of the photos",
    terms="Ask the people in the photos before you share them, or a model that was trained on them.",
    layout="folders",
    problems=("Faces that a model got wrong are harder than others, so scores on them are lower than on new photos.",),
)


@dataclass(frozen=True, slots=True)
class CorrectedFace:
    """A face with the expression that somebody gave it.

    Attributes:
        pixels: uint8, shape (H, W, 3), RGB; the crop at its own resolution.
        is_ambiguous: whether people would disagree about it.
    """

    pixels: RgbImage
    label: Expression
    is_ambiguous: bool = False

    @property
    def id(self) -> str:
        """The id in the dataset: the expression, and the first half of the SHA-256 of the pixels."""
        return f"{self.label}/{pixel_hash(self.pixels)[:32]}.png"


def find_feedback(settings: Settings) -> StoredDataset | None:
    """Open the dataset; None before the first face was saved, or if it is damaged."""
    if (settings.datasets_dir / FEEDBACK / DATASET_MARKER).is_file():
        with suppress(DatasetError):
            return open_dataset(FEEDBACK, settings)
    return None


def save_feedback(faces: Sequence[CorrectedFace], settings: Settings) -> StoredDataset:
    """Add faces to the dataset, which is created first; a face that is there already gets its new label.

    A kill leaves pictures without a row of the index at most, which the next face that is saved adds.

    Raises:
        DatasetError: other faces are being saved for a minute.
    """
    folder = settings.datasets_dir / FEEDBACK
    images = folder / _IMAGES
    images.mkdir(parents=True, exist_ok=True)
    with _lock(folder):
        for face in faces:
            content = io.BytesIO()
            Image.fromarray(face.pixels).save(content, "PNG")
            (images / face.id).parent.mkdir(exist_ok=True)
            write_bytes(images / face.id, content.getvalue())
            for same in images.glob(f"*/{Path(face.id).name}"):
                if same != images / face.id:  # it had another label
                    same.unlink()
        _update_index(settings)
    dataset = open_dataset(FEEDBACK, settings)
    if ambiguous := [face.id for face in faces if face.is_ambiguous]:
        dataset.corrections().mark(Action.AMBIGUOUS, ambiguous)
    return dataset


def forget_feedback(ids: Sequence[str], settings: Settings) -> None:
    """Delete faces; the dataset goes with the last one."""
    folder = settings.datasets_dir / FEEDBACK
    with _lock(folder):
        for each in ids:
            (folder / _IMAGES / each).unlink(missing_ok=True)
        if any((folder / _IMAGES).glob("*/*.png")):
            _update_index(settings)
            return
    delete_dataset(FEEDBACK, settings)


def _lock(folder: Path) -> AbstractContextManager[None]:
    return lock_file(folder / f".{_WORK}.lock", "Other faces are being saved at the moment. Try again.", _WAIT_S)


def _update_index(settings: Settings) -> None:
    """Index the pictures again and replace the index, so that a kill leaves the old one."""
    folder, created = settings.datasets_dir / FEEDBACK, datetime.now(UTC).isoformat(timespec="seconds")
    work = Import(folder / _WORK, str(folder / _IMAGES), _MANIFEST.title, move=False, created=created)
    work.folder.mkdir(exist_ok=True)
    write_text(folder / MANIFEST, dump_manifest(_MANIFEST))
    with work.open_files(settings) as source:
        index_source(work, source, _MANIFEST, settings, no_progress)
    n, fingerprint = complete_index(work, _MANIFEST, allow_partial=True)
    marker = {"source": _IMAGES, "n": n, "fingerprint": fingerprint, "created": created}
    replace_index(work.folder, folder, marker)
    shutil.rmtree(work.folder)
