"""Train a run's recipe again with the corrections that were made since, on the same split."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import numpy as np

from fer_core.data.catalog import StoredDataset
from fer_core.data.record import Split
from fer_core.errors import RunError
from fer_core.runs.folder import Run, list_runs
from fer_core.runs.title import read_config, run_title
from fer_core.settings import Settings
from fer_core.training.config.train_config import TITLE_CHARACTERS_MAX, TrainConfig, parse_config

_SUFFIX = re.compile(r", [\d,]+ corrected$")
"""What the title of a retrained run ends with."""


@dataclass(frozen=True, slots=True)
class CorrectionsSince:
    """Images whose corrections differ from those that a run was trained with.

    Attributes:
        relabeled, excluded, ambiguous: images with another label, in or out of use, and marked or unmarked.
        changed: all of them.
        by_split: those in the run's training, validation and test split.
        before, newest: versions of the corrections.
    """

    relabeled: int
    excluded: int
    ambiguous: int
    changed: int
    by_split: dict[str, int]
    before: int
    newest: int


def find_corrections_since(run: Run, dataset: StoredDataset) -> CorrectionsSince:
    """Compare the newest corrections of a dataset with those that a run was trained with.

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
    since = find_corrections_since(run, dataset)
    if not since.changed:
        raise RunError(f"Nothing has been corrected since {run.id} was trained. Correct labels first.")
    config = parse_config(read_config(run), f"config.yaml of {run.id}")
    suffix = f", {since.changed:,} corrected" if since.changed > 1 else ", 1 corrected"
    title = _SUFFIX.sub("", run_title(run, settings))[: TITLE_CHARACTERS_MAX - len(suffix)] + suffix
    return config.model_copy(
        update={"dataset": dataset.id, "corrections": since.newest, "split_from": run.id, "title": title}
    )


def find_retrained(run: Run, settings: Settings) -> list[Run]:
    """List the runs that keep the split of a run, the newest first."""
    return [each for each in list_runs(settings) if read_config(each).get("split_from") == run.id]


def _trained_version(run: Run) -> tuple[int, str]:
    """Read the version of the corrections that a run was trained with, and its fingerprint."""
    try:
        stored = json.loads(run.path("data.json").read_text())
        return int(stored["corrections"]), str(stored["corrections_fingerprint"])
    except (OSError, ValueError, KeyError) as exc:
        raise RunError(f"The run {run.id} has no record of the data that it was trained on.") from exc
