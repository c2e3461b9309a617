"""Uploaded files: a field that survives a restart of the server, and copies in the store for jobs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import IO, Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile

from fer_core.files.atomic import atomic_path
from fer_core.ids import new_id, slug
from fer_core.settings import settings
from fer_ui.frame.header import notice


def file_uploader(label: str, key: str, what: str, **options: Any) -> Any:
    """Show `st.file_uploader`, reset with a message after a restart of the server, which has lost the files.

    Args:
        what: names the files in the message: "your photos".
        options: as for `st.file_uploader`.
    Returns:
        what `st.file_uploader` returns.
    """
    times_lost = st.session_state.setdefault(f"{key}-times-lost", 0)
    widget_key = f"{key}-{times_lost}" if times_lost else key
    files = st.file_uploader(label, key=widget_key, **options)
    if _has_lost_files(st.session_state.get(widget_key)):
        st.session_state[f"{key}-times-lost"] = times_lost + 1
        st.rerun()
    if times_lost and not files:
        notice("warning", f"The server restarted: please add {what} again.")
    return files


def save_upload(name: str, content: IO[bytes]) -> Path:
    """Write an uploaded file atomically into the store and return its path."""
    path = Path(name)
    target = settings().uploads_dir / f"{new_id(slug(path.stem))}{path.suffix.lower()}"
    with atomic_path(target) as temporary, temporary.open("wb") as file:
        shutil.copyfileobj(content, file)
    return target


def _has_lost_files(value: object) -> bool:
    """Whether the browser lists a file that the server no longer has."""
    return any(isinstance(file, DeletedFile) for file in (value if isinstance(value, list) else [value]))
