"""The user's manifests: YAML files in `<store>/manifests/`, beside the built-in ones."""

from __future__ import annotations

import logging
from pathlib import Path

from fer_core.data.manifest import Manifest, builtin_manifests, parse_manifest_text, read_manifest
from fer_core.errors import ManifestError
from fer_core.files.atomic import write_text
from fer_core.ids import check_id
from fer_core.settings import Settings

_log = logging.getLogger(__name__)


def user_manifests(settings: Settings) -> dict[str, Manifest]:
    """Load the user's manifests by id, sorted by title. Invalid ones are logged and skipped."""
    manifests = []
    for path in sorted(_folder(settings).glob("*.yaml")):
        if path.name.startswith("."):
            continue
        try:
            manifests.append(_read_user_manifest(path))
        except ManifestError as exc:
            _log.warning("A manifest in %s is skipped: %s", path.parent, exc)
    return _sort_by_title(manifests)


def all_manifests(settings: Settings) -> dict[str, Manifest]:
    """Load the built-in and the user's manifests by id, sorted by title."""
    return _sort_by_title([*builtin_manifests().values(), *user_manifests(settings).values()])


def save_manifest(text: str, settings: Settings, *, replace: bool = False) -> Manifest:
    """Save a manifest in the store.

    Args:
        text: YAML; its id becomes the file's name.
        replace: whether to replace a user's manifest of the same id.
    Raises:
        ManifestError: the text is not a manifest, or its id is taken.
    """
    manifest = parse_manifest_text(text, "The manifest")
    if manifest.id in builtin_manifests():
        raise ManifestError(f"The manifest {manifest.id!r} is built in. Choose another id.")
    target = _path(manifest.id, settings)
    if target.exists() and not replace:
        raise ManifestError(f"There is already a manifest {manifest.id!r}. Choose another id, or replace it.")
    write_text(target, text)
    return manifest


def delete_manifest(manifest_id: str, settings: Settings) -> None:
    """Delete a user's manifest, damaged or not. Datasets imported with it keep a copy.

    Raises:
        ManifestError: it is built in, or there is none of that id.
        InputError: the id is not valid.
    """
    path = _path(manifest_id, settings)
    if path.is_file():  # first, so that a file with the id of a built-in manifest can be deleted
        path.unlink()
        return
    if manifest_id in builtin_manifests():
        raise ManifestError(f"The manifest {manifest_id!r} is built in and can't be deleted.")
    known = ", ".join(user_manifests(settings)) or "none yet"
    raise ManifestError(f"There is no manifest {manifest_id!r} in the store. Your manifests: {known}.")


def _read_user_manifest(path: Path) -> Manifest:
    """Read a manifest of the store.

    Raises:
        ManifestError: it can't be read, its id is not the file's name, or is that of a built-in manifest.
    """
    manifest = read_manifest(path)
    if manifest.id != path.stem:
        raise ManifestError(f"{path.name} has the id {manifest.id!r}. Rename the file to {manifest.id}.yaml.")
    if manifest.id in builtin_manifests():
        raise ManifestError(f"{path.name} has the id of a built-in manifest. Choose another id.")
    return manifest


def _path(manifest_id: str, settings: Settings) -> Path:
    return _folder(settings) / f"{check_id(manifest_id, 'manifest')}.yaml"


def _folder(settings: Settings) -> Path:
    return settings.store / "manifests"


def _sort_by_title(manifests: list[Manifest]) -> dict[str, Manifest]:
    return {manifest.id: manifest for manifest in sorted(manifests, key=lambda manifest: manifest.title.lower())}
