"""One's own manifests: a YAML file each in `<store>/manifests/`, beside those that come with FERscope."""

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
    """The store's manifests by id, in the order of their titles; of one that is passed over, the log says why."""
    own = []
    for path in sorted(_folder(settings).glob("*.yaml")):
        if path.name.startswith("."):
            continue
        try:
            own.append(_read_own(path))
        except ManifestError as exc:
            _log.warning("A manifest in %s is passed over: %s", path.parent, exc)
    return _by_title(own)


def all_manifests(settings: Settings) -> dict[str, Manifest]:
    """The manifests that come with FERscope and the store's, by id, in the order of their titles."""
    return _by_title([*builtin_manifests().values(), *user_manifests(settings).values()])


def save_manifest(text: str, settings: Settings, *, replace: bool = False) -> Manifest:
    """Put a manifest into the store, as it is written.

    Args:
        text: YAML; its id becomes the file's name.
        replace: write over one's own manifest of the same id.
    Raises:
        ManifestError: the text is no manifest, or its id is taken.
    """
    manifest = parse_manifest_text(text, "The manifest")
    if manifest.id in builtin_manifests():
        raise ManifestError(f"The manifest {manifest.id!r} comes with FERscope. Choose another id.")
    target = _path(manifest.id, settings)
    if target.exists() and not replace:
        raise ManifestError(f"There is a manifest {manifest.id!r} already. Choose another id, or replace that one.")
    write_text(target, text)
    return manifest


def delete_manifest(manifest_id: str, settings: Settings) -> None:
    """Remove one's own manifest, damaged or not. Datasets imported with it keep their copy.

    Raises:
        ManifestError: it comes with FERscope, or there is none of that id.
        InputError: that can't be an id.
    """
    path = _path(manifest_id, settings)
    if path.is_file():  # first: a file that hides behind one that comes with FERscope can be removed too
        path.unlink()
        return
    if manifest_id in builtin_manifests():
        raise ManifestError(f"The manifest {manifest_id!r} comes with FERscope and can't be deleted.")
    own = ", ".join(user_manifests(settings)) or "none yet"
    raise ManifestError(f"There is no manifest {manifest_id!r} in the store. Your own: {own}.")


def _read_own(path: Path) -> Manifest:
    """One of the store's manifests.

    Raises:
        ManifestError: it can't be read, is in a file of another name, or takes the id of one that comes with FERscope.
    """
    manifest = read_manifest(path)
    if manifest.id != path.stem:
        raise ManifestError(f"{path.name} holds the id {manifest.id!r}. Name the file {manifest.id}.yaml.")
    if manifest.id in builtin_manifests():
        raise ManifestError(f"{path.name} takes the id of a manifest that comes with FERscope. Choose another id.")
    return manifest


def _path(manifest_id: str, settings: Settings) -> Path:
    return _folder(settings) / f"{check_id(manifest_id, 'manifest')}.yaml"


def _folder(settings: Settings) -> Path:
    return settings.store / "manifests"


def _by_title(manifests: list[Manifest]) -> dict[str, Manifest]:
    return {manifest.id: manifest for manifest in sorted(manifests, key=lambda manifest: manifest.title.lower())}
