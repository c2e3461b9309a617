"""The models there are: the one that ships, imported bundles and finished runs; and which one is in use."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fer_core.atomic import write_json
from fer_core.errors import BundleError
from fer_core.inference.bundle import About, read_about
from fer_core.runs.folder import Run, RunState, list_runs
from fer_core.settings import Settings

_LOG = logging.getLogger(__name__)

SHIPPED = "default"
SHIPPED_FOLDER = Path(__file__).resolve().parents[1] / "weights" / "small-soft"

Kind = Literal["shipped", "run", "imported"]


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model that can be opened. `id` is what commands and links call it."""

    id: str
    kind: Kind
    folder: Path
    about: About


def list_models(settings: Settings) -> list[ModelEntry]:
    """Every model, the shipped one first, then imported bundles, then finished runs, newest first."""
    places: list[tuple[str, Kind, Path]] = []
    if SHIPPED_FOLDER.is_dir():
        places.append((SHIPPED, "shipped", SHIPPED_FOLDER))
    if settings.models_dir.is_dir():
        folders = sorted(path.parent for path in settings.models_dir.glob("*/model.onnx"))
        places += [(folder.name, "imported", folder) for folder in folders]
    places += [(run.id, "run", run.folder) for run in list_runs(settings) if run.state is RunState.FINISHED]
    entries = []
    for name, kind, folder in places:
        try:
            entries.append(ModelEntry(name, kind, folder, read_about(folder)))
        except BundleError as exc:  # one damaged model does not hide the others
            _LOG.warning("Passed over the model %s: %s", name, exc)
    return entries


def find_model(name: str, settings: Settings) -> ModelEntry:
    """The model called `name`: `default`, a run's or bundle's id, or the path of a bundle's folder.

    Raises:
        BundleError: there is none, or the run is not finished.
    """
    for entry in list_models(settings):
        if entry.id == name:
            return entry
    folder = Path(name).expanduser()
    if (folder / "contract.json").is_file() or (folder / "model.onnx").is_file():
        return ModelEntry(folder.name, "imported", folder, read_about(folder))
    run = settings.runs_dir / name
    if "/" not in name and run.is_dir():
        missing = ", ".join(Run(run).missing()) or "run.json"
        raise BundleError(f"The run {name} can't be used as a model: it is {Run(run).state}, {missing} missing.")
    known = ", ".join(entry.id for entry in list_models(settings)) or "none"
    raise BundleError(f"There is no model {name!r}. Known: {known}; or give the path of a bundle's folder.")


def model_in_use(settings: Settings) -> str:
    """The id of the model that Predict and Live use: the chosen one while it exists, else the shipped one."""
    try:
        chosen = str(json.loads(_choice(settings).read_text())["model"])
        find_model(chosen, settings)
    except (OSError, ValueError, KeyError, BundleError):
        return SHIPPED
    return chosen


def use_model(name: str, settings: Settings) -> ModelEntry:
    """Make a model the one that Predict and Live use.

    Raises:
        BundleError: there is no such model.
    """
    entry = find_model(name, settings)
    write_json(_choice(settings), {"model": entry.id})
    return entry


def _choice(settings: Settings) -> Path:
    return settings.store / "model-in-use.json"
