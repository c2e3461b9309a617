"""Choices of an import's dataset, file layout, columns and patterns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from fer_core.data.ingest.import_folder import Import, open_import
from fer_core.data.ingest.preview import select_manifest
from fer_core.data.manifest import (
    Manifest,
    TableColumns,
    check_pattern,
    dump_manifest,
    parse_manifest,
    parse_manifest_text,
)
from fer_core.data.manifest_store import all_manifests
from fer_core.data.readers import READERS
from fer_core.data.readers import table as table_reader
from fer_core.data.readers.table import choose_columns
from fer_core.errors import InputError, LayoutUnknownError
from fer_core.settings import settings
from fer_core.text import join_words
from fer_ui.frame.header import notice

_NONE = ""
_NO_COLUMN = "(none)"
_PATTERN_MAX = 200
_LABEL_PATTERN = "Label in the file name"
_PERSON_PATTERN = "Person in the file name"


def choose_manifest(work: Import) -> Manifest:
    """Ask for known dataset, file layout, columns and patterns, as proposed from the files.

    Raises:
        InputError: a choice is not valid, or the layout needs a file that is not there.
    """
    known = {name: each for name, each in all_manifests(settings()).items() if each.layout}
    saved = work.manifest
    proposed = saved or _propose_manifest(work)
    ids = [_NONE, *known]
    first, second, third = st.columns(3)
    chosen = first.selectbox(
        "Dataset",
        ids,
        index=ids.index(proposed.id) if proposed.id in known else 0,
        format_func=lambda name: known[name].title if name else "Other",
        key=f"manifest-{work.id}",
        persist_state="session",
        help="Known datasets come with their license, labels and published counts.",
    )
    base = known[chosen] if chosen else (proposed if proposed.id not in known else _unknown_dataset(work, proposed))
    layouts = list(READERS)
    layout = second.selectbox(
        "File layout",
        layouts,
        index=layouts.index(base.layout or "folders"),
        format_func=lambda name: READERS[name].title,
        key=layout_key(work),
        persist_state="session",
    )
    changes: dict[str, Any] = {"layout": layout}
    key = f"{work.id}-{chosen}"
    if layout == "names":
        changes["label_pattern"] = st.text_input(
            _LABEL_PATTERN,
            base.label_pattern or "^([a-z]+)",
            key=f"label-pattern-{key}",
            max_chars=_PATTERN_MAX,
            persist_state="session",
            help="A regular expression whose group is the label, such as ^([a-z]+).",
        ).strip()
    if layout in ("names", "folders", "table"):
        changes["identity_pattern"] = third.text_input(
            _PERSON_PATTERN,
            base.identity_pattern,
            key=f"identity-pattern-{key}",
            max_chars=_PATTERN_MAX,
            persist_state="session",
            placeholder="optional, such as ^(S[0-9]+)_",
            help="A regular expression whose group identifies a person, so that nobody is in two splits.",
        ).strip()
    if layout == "table":
        with st.expander("Columns of the table", expanded=not chosen, icon=":material/table_chart:"):
            changes["columns"] = _choose_columns(work, base)
    _check_patterns(changes)
    return parse_manifest({**base.model_dump(mode="json"), **changes}, "These choices")


def _check_patterns(changes: Mapping[str, Any]) -> None:
    """Check the patterns that were entered.

    Raises:
        InputError: one is no regular expression with a group; the message names its field.
    """
    if changes.get("label_pattern") == "":
        raise InputError(f"{_LABEL_PATTERN}: enter a regular expression with a group, such as ^([a-z]+).")
    for name, title in (("label_pattern", _LABEL_PATTERN), ("identity_pattern", _PERSON_PATTERN)):
        try:
            check_pattern(changes.get(name, ""))
        except ValueError as exc:
            raise InputError(f"{title}: {exc}. Correct it.") from exc


def layout_key(work: Import) -> str:
    """The key of the widget that chooses the layout."""
    return f"layout-{work.id}-{st.session_state.get(f'manifest-{work.id}', _NONE)}"


def _propose_manifest(work: Import) -> Manifest:
    """Propose the manifest that fits the files; where none does, say so and propose one folder per label."""
    try:
        return parse_manifest_text(_load_matching_manifest(work.id, work.created, work.name), work.id)
    except LayoutUnknownError as exc:
        found = str(exc).partition(" Known layouts are")[0]
        notice("warning", f"{found} Choose its file layout.")
        return _unknown_dataset(work)


def _unknown_dataset(work: Import, recognized: Manifest | None = None) -> Manifest:
    if recognized is None:
        recognized = Manifest(id=work.id, title="", summary="", license="", layout="folders")
    return Manifest(
        id=work.id,
        title=work.id,
        summary=f"Imported from {work.name}.",
        license="not stated; ask whoever gave you the images",
        layout=recognized.layout,
        columns=recognized.columns,
        label_pattern=recognized.label_pattern,
    )


def _choose_columns(work: Import, base: Manifest) -> dict[str, Any]:
    with work.open_files(settings()) as source:
        guessed = base.columns or choose_columns(source)
        all_tables = join_words(guessed.tables)
        tables = [*([all_tables] if all_tables else []), *table_reader.find_tables(source.names())]
        key = f"{work.id}-{base.id}"
        table = st.selectbox(
            "Table", tables, index=tables.index(guessed.table) if guessed.table in tables else 0, key=f"table-{key}"
        )
        if table not in (guessed.table, all_tables) and not guessed.names:
            guessed = table_reader.guess_columns(source, table)
        first = table_reader.resolve_tables(source.names(), guessed)[0]
        columns = list(guessed.names or table_reader.read_column_names(source, first))
    chosen: dict[str, Any] = guessed.model_dump() | ({"table": table, "tables": ()} if table != all_tables else {})
    names = {"path": "Image path", "label": "Label", "split": "Split", "identity": "Person"}
    names |= {"valence": "Valence", "arousal": "Arousal"}
    cells = [*st.columns(3), *st.columns(3)]  # two rows, so that a phone keeps the order
    for cell, (name, title) in zip(cells, names.items(), strict=True):
        options = columns if name in ("path", "label") else [_NO_COLUMN, *columns]
        column = getattr(guessed, name)
        index = options.index(column) if column in options else 0
        value = cell.selectbox(title, options, index=index, key=f"column-{name}-{key}-{table}", persist_state="session")
        chosen[name] = "" if value == _NO_COLUMN else value
    chosen["folder"] = st.text_input(
        "Image folder (optional)",
        guessed.folder,
        placeholder="images",
        key=f"folder-{key}-{table}",
        persist_state="session",
        help="Prefix of each path, found from the files by default. Needed where two folders share file names.",
    ).strip()
    used = [chosen[name] for name in names if chosen[name]]
    chosen["subgroups"] = tuple(
        st.multiselect(
            "Subgroup columns, such as gender or age",
            [column for column in columns if column not in used],
            default=[column for column in guessed.subgroups if column in columns and column not in used],
            key=f"subgroups-{key}-{table}",
        )
    )
    return TableColumns.model_validate(chosen).model_dump()


@st.cache_data(show_spinner=False, max_entries=16)
def _load_matching_manifest(dataset_id: str, created: str, file: str) -> str:
    del created  # part of the key: another import may come under the same id
    with open_import(dataset_id, settings()).open_files(settings()) as opened:
        return dump_manifest(select_manifest(opened, "", dataset_id, file.split(".")[0], settings()))
