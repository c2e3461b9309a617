"""Files from the browser, put whole into the store's uploads folder for a job to take."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import IO

from fer_core.atomic import atomic_path
from fer_core.ids import new_id, slug
from fer_core.settings import settings


def keep_upload(name: str, content: IO[bytes]) -> Path:
    """Write an uploaded file into the store, atomically; its path."""
    path = Path(name)
    target = settings().uploads_dir / f"{new_id(slug(path.stem))}{path.suffix.lower()}"
    with atomic_path(target) as temporary, temporary.open("wb") as file:
        shutil.copyfileobj(content, file)
    return target
