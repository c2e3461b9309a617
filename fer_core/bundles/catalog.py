"""List, find, choose and delete models: the shipped one, imported bundles and finished runs."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from fer_core.bundles.bundle import MODEL_FILE, BundleInfo, read_bundle_info
from fer_core.contract import CONTRACT_FILE
from fer_core.errors import BundleError
from fer_core.files.atomic import write_json
from fer_core.ids import check_id
from fer_core.runs.folder import Run, RunState, list_runs
from fer_core.runs.title import distinct_titles, read_config, run_title
from fer_core.settings import Settings

_LOG = logging.getLogger(__name__)

SHIPPED = "default"
SHIPPED_FOLDER = Path(__file__).resolve().parents[1] / "weights" / "webcam"

Kind = Literal["shipped", "run", "imported"]


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model; commands and links use `id`."""

    id: str
    kind: Kind
    folder: Path
    info: BundleInfo


def list_models(settings: Settings) -> list[ModelEntry]:
    """List all models: the shipped one, imported bundles, and finished runs, newest first."""
    entries = (_read_entry(*candidate, settings) for candidate in _candidates(settings))
    return [entry for entry in entries if entry is not None]


def _candidates(settings: Settings) -> Iterator[tuple[str, Kind, Path]]:
    """Yield the id, kind and folder of each model, as in `list_models`, without opening its files."""
    if SHIPPED_FOLDER.is_dir():
        yield SHIPPED, "shipped", SHIPPED_FOLDER
    if settings.models_dir.is_dir():
        for folder in sorted(path.parent for path in settings.models_dir.glob(f"*/{MODEL_FILE}")):
            if not folder.name.startswith("."):  # a hidden folder is being imported or deleted
                yield folder.name, "imported", folder
    for run in list_runs(settings):
        if run.state is RunState.FINISHED:
            yield run.id, "run", run.folder


def _read_entry(model_id: str, kind: Kind, folder: Path, settings: Settings) -> ModelEntry | None:
    """Read a model's metadata; None if it is damaged, so that it does not hide the others."""
    try:
        return ModelEntry(model_id, kind, folder, _read_info(kind, folder, settings))
    except BundleError as exc:
        _LOG.warning("Skipped the model %s: %s", model_id, exc)
        return None


def _read_info(kind: Kind, folder: Path, settings: Settings) -> BundleInfo:
    """Read a model's metadata; a run has the title that it has everywhere, even after it was renamed."""
    info = read_bundle_info(folder)
    return info.model_copy(update={"title": run_title(Run(folder), settings)}) if kind == "run" else info


def model_titles(models: Sequence[ModelEntry]) -> dict[str, str]:
    """Get the titles of models by id, distinct from each other: see `distinct_titles`."""
    titles = {model.id: model.info.title for model in models}
    configs = {model.id: read_config(Run(model.folder)) for model in models if model.kind == "run"}
    return distinct_titles(titles, {model.id: _created(model.info) for model in models}, configs)


def _created(info: BundleInfo) -> datetime | None:
    try:
        return datetime.fromisoformat(info.created)
    except ValueError:
        return None


def unique_title(title: str, settings: Settings) -> str:
    """Number a title that another model has already: "Student (2)"."""
    taken = {model.info.title for model in list_models(settings)}
    numbered = (f"{title} ({number})" for number in range(2, len(taken) + 3))
    return title if title not in taken else next(each for each in numbered if each not in taken)


def find_model(name: str, settings: Settings) -> ModelEntry:
    """Find a model by `default`, the id of a run or bundle, or the path of a bundle's folder.

    Raises:
        BundleError: there is none, or the run is not finished.
    """
    for candidate in _candidates(settings):
        if candidate[0] == name and (entry := _read_entry(*candidate, settings)):
            return entry
    folder = Path(name).expanduser()
    if (folder / CONTRACT_FILE).is_file() or (folder / MODEL_FILE).is_file():
        return ModelEntry(folder.name, "imported", folder, read_bundle_info(folder))
    if folder.is_file():
        raise BundleError(f"{name} is a file. Import it first (`models import {name}`), then give its id.")
    run = settings.runs_dir / name
    if "/" not in name and run.is_dir():
        missing = ", ".join(Run(run).missing()) or "run.json"
        raise BundleError(f"The run {name} can't be used as a model: it is {Run(run).state}, {missing} missing.")
    known = ", ".join(entry.id for entry in list_models(settings)) or "none"
    raise BundleError(f"There is no model {name!r}. Known: {known}; or give the path of a bundle's folder.")


def active_model_id(settings: Settings) -> str:
    """Return the id of the model for Predict and Live: the chosen one if it exists, else the shipped one."""
    try:
        chosen = str(json.loads(_active_model_file(settings).read_text())["model"])
        find_model(chosen, settings)
    except (OSError, ValueError, KeyError, BundleError):
        return SHIPPED
    return chosen


def set_active_model(name: str, settings: Settings) -> ModelEntry:
    """Choose the model for Predict and Live.

    Raises:
        BundleError: there is no such model.
    """
    entry = find_model(name, settings)
    write_json(_active_model_file(settings), {"model": entry.id})
    return entry


def delete_model(model_id: str, settings: Settings) -> bool:
    """Delete an imported model, damaged or not.

    Returns:
        whether it was the active model; the shipped one then is.
    Raises:
        BundleError: it does not exist, or is the shipped one or a run.
    """
    folder = settings.models_dir / check_id(model_id, "model")
    if model_id == SHIPPED:
        raise BundleError("The model that ships with FERscope can't be deleted: Predict and Live fall back on it.")
    if not folder.is_dir():
        if (settings.runs_dir / model_id).is_dir():
            raise BundleError(f"{model_id} is a run, not an imported model. Delete it with `runs delete {model_id}`.")
        known = ", ".join(entry.id for entry in list_models(settings) if entry.kind == "imported") or "none"
        raise BundleError(f"There is no imported model {model_id!r}. Imported: {known}.")
    was_active = active_model_id(settings) == model_id
    hidden = folder.with_name(f".{model_id}.deleted")
    shutil.rmtree(hidden, ignore_errors=True)
    folder.rename(hidden)  # a half-deleted folder is not a model
    if was_active:
        _active_model_file(settings).unlink(missing_ok=True)
    shutil.rmtree(hidden)
    return was_active


def _active_model_file(settings: Settings) -> Path:
    return settings.store / "model-in-use.json"
