"""Titles of datasets by id, also of those that are no longer in the store."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from fer_core.data.catalog import open_dataset, title_with_id
from fer_core.data.ingest.import_folder import MANIFEST
from fer_core.data.manifest import builtin_manifests
from fer_core.errors import FerscopeError
from fer_core.files.migration import MANIFEST_IDS
from fer_core.settings import Settings


def dataset_title(dataset_id: str, settings: Settings) -> str:
    """Get a dataset's title; if it is not in the store, that of the built-in manifest, otherwise the id."""
    manifest = settings.datasets_dir / dataset_id / MANIFEST
    try:
        return _stored_title(dataset_id, manifest, manifest.stat().st_mtime_ns, settings)
    except (OSError, ValueError, FerscopeError):
        return known_dataset_title(dataset_id)


def known_dataset_title(dataset_id: str) -> str:
    """Get the title of the built-in manifest of a dataset, otherwise the id: the same on every machine."""
    known_id = MANIFEST_IDS.get(dataset_id, dataset_id)
    known = builtin_manifests().get(known_id)
    return title_with_id(known.title, known_id) if known else dataset_id


def short_dataset_title(dataset_id: str, settings: Settings) -> str:
    """Get a dataset's title without a remark in brackets, if it is still the dataset's own: "CK+" of "CK+ (48x48)"."""
    title = dataset_title(dataset_id, settings)
    bare = title.partition(" (")[0]
    return bare if title_with_id(bare, dataset_id) == bare else title


@lru_cache(maxsize=256)
def _stored_title(dataset_id: str, manifest: Path, changed_ns: int, settings: Settings) -> str:
    del manifest, changed_ns  # cache key
    return open_dataset(dataset_id, settings).title
