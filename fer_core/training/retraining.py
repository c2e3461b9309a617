"""Train a run's recipe again with the corrections that were made since, on the same split."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_core.data.catalog import StoredDataset
from fer_core.data.feedback import FEEDBACK, find_feedback
from fer_core.data.packing.extra_datasets import data_versions
from fer_core.data.record import Split
from fer_core.data.training_images import truncate_hashes
from fer_core.errors import RunError
from fer_core.runs.folder import Run, list_runs
from fer_core.runs.title import read_config, run_title
from fer_core.runs.training_images import load_training_images
from fer_core.settings import Settings
from fer_core.training.config.train_config import TITLE_CHARACTERS_MAX, TrainConfig, parse_config

_SUFFIX = re.compile(r", [\d,]+ corrected$")
"""What the title of a retrained run ends with."""


@dataclass(frozen=True, slots=True)
class CorrectionsSince:
    """Images whose corrections differ from those that a run was trained with.

    Attributes:
        relabeled, excluded, ambiguous: images with another label, in or out of use, and marked or unmarked.
        feedback: faces of the dataset of corrected predictions that the run was not trained on.
        changed: all of the corrected images of its own dataset.
        by_split: those in the run's training, validation and test split.
        before, newest: versions of the corrections.
    """

    relabeled: int
    excluded: int
    ambiguous: int
    feedback: int
    changed: int
    by_split: dict[str, int]
    before: int
    newest: int

    @property
    def total(self) -> int:
        """Corrected images and faces of the feedback."""
        return self.changed + self.feedback


def find_corrections_since(run: Run, dataset: StoredDataset, settings: Settings) -> CorrectionsSince:
    """Compare the newest corrections of a dataset, and of predictions, with those that a run was trained with.

    Raises:
        RunError: the run has no record of its data, or the corrections up to its version were rewritten.
    """
    version, fingerprint = _trained_version(run)
    corrections = dataset.corrections()
    if version > corrections.version or corrections.fingerprint(version) != fingerprint:
        raise RunError(
            f"The corrections that {run.id} was trained with are no longer in the dataset's log, so what has changed "
            "since is unknown. Train a new run."
        )
    columns = ["id", "label"]
    then, now = dataset.index(columns, version), dataset.index(columns)
    relabeled = (then["label"].astype("string").fillna("") != now["label"].astype("string").fillna("")).to_numpy(bool)
    excluded = (then["excluded"] != now["excluded"]).to_numpy(bool)
    ambiguous = (then["ambiguous"] != now["ambiguous"]).to_numpy(bool)
    changed = relabeled | excluded | ambiguous
    split = now["id"].map(run.read_split().set_index("id")["split"]).to_numpy(object)
    return CorrectionsSince(
        relabeled=int(relabeled.sum()),
        excluded=int(excluded.sum()),
        ambiguous=int(ambiguous.sum()),
        feedback=_count_new_feedback(run, settings),
        changed=int(changed.sum()),
        by_split={str(name): int(np.sum(changed & (split == name))) for name in Split},
        before=version,
        newest=corrections.version,
    )


def retraining_config(run: Run, dataset: StoredDataset, settings: Settings) -> TrainConfig:
    """Build the config of a run with the newest corrections and the run's own split; the rest stays the same.

    Raises:
        ConfigError: the run's config is damaged.
        RunError: see `find_corrections_since`; or nothing has been corrected since.
    """
    since = find_corrections_since(run, dataset, settings)
    if not since.total:
        raise RunError(f"Nothing has been corrected since {run.id} was trained. Correct labels first.")
    config = parse_config(read_config(run), f"config.yaml of {run.id}")
    suffix = f", {since.total:,} corrected"
    title = _SUFFIX.sub("", run_title(run, settings))[: TITLE_CHARACTERS_MAX - len(suffix)] + suffix
    extra = (FEEDBACK,) if since.feedback and FEEDBACK not in config.extra_datasets else ()
    return config.model_copy(
        update={
            "dataset": dataset.id,
            "extra_datasets": (*config.extra_datasets, *extra),
            "corrections": since.newest,
            "split_from": run.id,
            "title": title,
        }
    )


def find_retrained(run: Run, settings: Settings) -> list[Run]:
    """List the runs that keep the split of a run, the newest first."""
    return [each for each in list_runs(settings) if read_config(each).get("split_from") == run.id]


def _count_new_feedback(run: Run, settings: Settings) -> int:
    """Count the faces of the feedback that a run was not trained on; 0 without feedback."""
    feedback = find_feedback(settings)
    if feedback is None:
        return 0
    if _data_record(run).get("extra_datasets", {}).get(FEEDBACK) == data_versions([feedback])[FEEDBACK]:
        return 0  # what was left out of it are copies of the run's own validation and test images
    index = feedback.index(["sha256"])
    seen = load_training_images(run.folder, settings)
    hashes = truncate_hashes(index["sha256"][~index["excluded"]])
    return len(hashes) if seen is None else int((~seen.match(hashes).trained_on).sum())


def _trained_version(run: Run) -> tuple[int, str]:
    """Read the version of the corrections that a run was trained with, and its fingerprint."""
    try:
        stored = _data_record(run)
        return int(stored["corrections"]), str(stored["corrections_fingerprint"])
    except (ValueError, KeyError) as exc:
        raise RunError(f"The run {run.id} has no record of the data that it was trained on.") from exc


def _data_record(run: Run) -> dict[str, Any]:
    """Read what a run recorded of its data; nothing for a run of an older version."""
    try:
        return dict(json.loads(run.path("data.json").read_text()))
    except (OSError, ValueError):
        return {}
