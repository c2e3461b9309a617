"""Files from the browser: the field for them, and how one is put whole into the store for a job to take."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import IO, Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile

from fer_core.files.atomic import atomic_path
from fer_core.ids import new_id, slug
from fer_core.settings import settings
from fer_ui.header import notice


def file_uploader(label: str, key: str, what: str, **options: Any) -> Any:
    """A field for files that never shows one which the server does not have.

    After a restart of the server the browser goes on as before, with the names of files that are gone. The field then
    begins anew, and says so.

    Args:
        key: of the element.
        what: what is to be added, for the words: "your photos".
        options: as for `st.file_uploader`.
    Returns:
        what `st.file_uploader` returns.
    """
    times_lost = st.session_state.setdefault(f"{key}-times-lost", 0)
    own_key = f"{key}-{times_lost}" if times_lost else key
    files = st.file_uploader(label, key=own_key, **options)
    if _lost(st.session_state.get(own_key)):
        st.session_state[f"{key}-times-lost"] = times_lost + 1
        st.rerun()
    if times_lost and not files:
        notice("warning", f"The server restarted: please add {what} again.")
    return files


def save_upload(name: str, content: IO[bytes]) -> Path:
    """Write an uploaded file into the store, atomically; its path."""
    path = Path(name)
    target = settings().uploads_dir / f"{new_id(slug(path.stem))}{path.suffix.lower()}"
    with atomic_path(target) as temporary, temporary.open("wb") as file:
        shutil.copyfileobj(content, file)
    return target


def _lost(held: object) -> bool:
    """Whether the browser names a file that the server does not have."""
    return any(isinstance(file, DeletedFile) for file in (held if isinstance(held, list) else [held]))
