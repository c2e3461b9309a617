"""The preview of an import: recognized dataset and layout, and the mapping of labels."""

from __future__ import annotations

from typing import Any, NamedTuple

import streamlit as st

from fer_core.data.ingest.import_folder import Import, discard_import, open_import
from fer_core.data.ingest.preview import ImportPreview, preview_import, select_manifest
from fer_core.data.label_mapping.numberings import apply_numbering
from fer_core.data.manifest import Manifest, TableColumns, dump_manifest, parse_manifest_text
from fer_core.data.manifest_store import all_manifests
from fer_core.data.readers import READERS
from fer_core.data.readers import table as table_reader
from fer_core.data.readers.table import choose_columns
from fer_core.data.sources.source import open_source
from fer_core.errors import InputError
from fer_core.jobs.submit import submit_fetch, submit_import
from fer_core.labels import Expression
from fer_core.settings import settings
from fer_core.text import join_words
from fer_ui.datasets.imports.preview_choices import choose_identities, choose_numbering, resolve_label_conflict
from fer_ui.datasets.imports.skipped_view import confirm_partial, show_skipped
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count, format_images
from fer_ui.frame.header import Headline, empty_state, headline, notice
from fer_ui.navigation import Page, go_to
from fer_ui.theme import expression_title

_NONE, _IGNORED, _UNDECIDED = "", "ignore", "choose"
_EXPRESSIONS = [expression_title(expression) for expression in Expression]
_CHOICES = [*_EXPRESSIONS, _IGNORED, _UNDECIDED]
_NO_COLUMN = "(none)"
_LABELS_MAX = 48
"""More labels than this are probably not labels of expressions."""

_LABELS_PER_ROW = 4


class _Label(NamedTuple):
    raw: str
    number: int
    mapped_to: str


def show_preview(work: Import) -> None:
    """Show what was recognized; every choice can be changed before the import."""
    st.subheader(f"Import {escape_markdown(work.id)}", anchor=False)
    st.caption(escape_markdown(f"From {work.name}"))
    if not work.ready:
        _show_not_downloaded(work)
        return
    with show_errors():
        manifest = _choose_manifest(work)
        with st.spinner("Reading the files"):
            preview = _load_preview(work.id, work.created, dump_manifest(manifest))
        _show_summary(preview)
        resolved = resolve_label_conflict(work, preview, _layout_key(work))
        manifest = choose_identities(work, manifest, preview)
        labels = _choose_labels(work, preview)
        _show_import_button(work, preview, manifest, labels, resolved=resolved)
    _show_discard_button(work)


def _show_not_downloaded(work: Import) -> None:
    def show_download_button() -> None:
        if st.button("Download", type="primary"):
            job = submit_fetch(work.source, work.id, settings())
            go_to(Page.DATASETS, view="import", job=job.id)

    empty_state("Not downloaded yet", "Download it to see a preview.", links=show_download_button)
    _show_discard_button(work)


def _choose_manifest(work: Import) -> Manifest:
    known = {name: each for name, each in all_manifests(settings()).items() if each.layout}
    saved = work.manifest
    proposed = saved or parse_manifest_text(_load_matching_manifest(work.id, work.created, work.name), work.id)
    ids = [_NONE, *known]
    first, second = st.columns(2)
    chosen = first.selectbox(
        "Dataset",
        ids,
        index=ids.index(proposed.id) if proposed.id in known else 0,
        format_func=lambda name: known[name].title if name else "Other",
        key=f"manifest-{work.id}",
        help="Known datasets come with their license, labels and published counts.",
    )
    base = known[chosen] if chosen else (proposed if proposed.id not in known else _unknown_dataset(work, proposed))
    layouts = list(READERS)
    layout = second.selectbox(
        "Layout",
        layouts,
        index=layouts.index(base.layout or "folders"),
        format_func=lambda name: READERS[name].title,
        key=_layout_key(work),
    )
    changes: dict[str, Any] = {"layout": layout}
    if layout == "table":
        changes["columns"] = _choose_columns(work, base)
    if layout == "names":
        changes["label_pattern"] = st.text_input(
            "Label in the file name (regular expression)",
            base.label_pattern or "^([a-z]+)",
            key=f"label-pattern-{work.id}-{chosen}",
        )
    if layout in ("names", "folders", "table"):
        changes["identity_pattern"] = st.text_input(
            "Person in the file name (regular expression, optional)",
            base.identity_pattern,
            placeholder="^(S[0-9]+)_",
            key=f"identity-pattern-{work.id}-{chosen}",
            help="The group identifies a person, so that nobody is in two splits.",
        )
    return Manifest.model_validate({**base.model_dump(), **changes})


def _layout_key(work: Import) -> str:
    return f"layout-{work.id}-{st.session_state.get(f'manifest-{work.id}', _NONE)}"


def _unknown_dataset(work: Import, recognized: Manifest) -> Manifest:
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
    with open_source(work.path(), settings()) as source:
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
        value = cell.selectbox(title, options, index=index, key=f"column-{name}-{key}-{table}")
        chosen[name] = "" if value == _NO_COLUMN else value
    chosen["folder"] = st.text_input(
        "Image folder (optional)",
        guessed.folder,
        placeholder="images",
        key=f"folder-{key}-{table}",
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


def _show_summary(preview: ImportPreview) -> None:
    people = format_count(preview.identities) if preview.identities else "unknown"
    headline(
        [
            Headline("Image files", format_count(preview.n_files)),
            Headline("Records", format_count(preview.n_records), "all" if preview.complete else "read so far"),
            Headline("Labels", format_count(len(preview.labels))),
            Headline("People", people),
        ]
    )
    splits = ", ".join(f"{split or 'in no split'} {format_count(n)}" for split, n in preview.splits.items()) or "none"
    annotations = ", ".join(preview.extra_fields) or "none"
    st.markdown(escape_markdown(f"Splits: {splits}. Annotations: {annotations}."))
    show_skipped(preview)


def _choose_labels(work: Import, preview: ImportPreview) -> dict[str, str]:
    st.markdown("**Label mapping**")
    key = f"{work.id}-{preview.manifest.id}-{preview.manifest.layout}-{preview.manifest.columns}"
    numbering = choose_numbering(preview, key)
    numbered = apply_numbering(numbering, preview.unknown_labels) if numbering else {}
    key += numbering.name if numbering else ""
    shown = [
        label._replace(mapped_to=expression_title(numbered[label.raw])) if label.raw in numbered else label
        for label in _list_labels(preview)[:_LABELS_MAX]
    ]
    chosen: dict[str, str] = {}
    for first in range(0, len(shown), _LABELS_PER_ROW):
        for cell, label in zip(st.columns(_LABELS_PER_ROW), shown[first : first + _LABELS_PER_ROW], strict=False):
            title = escape_markdown(f"{label.raw or '(no label)'}, {format_images(label.number)}")
            index = _CHOICES.index(label.mapped_to)
            chosen[label.raw] = cell.selectbox(title, _CHOICES, index=index, key=f"mapped_to-{key}-{label.raw}")
    if len(preview.labels) > _LABELS_MAX:
        number = format_count(len(preview.labels))
        notice("warning", f"There are {number} different labels. The label column is probably another one.")
    return chosen


def _list_labels(preview: ImportPreview) -> list[_Label]:
    labels = []
    columns = ["raw", "count", "expression", "known"]
    for raw, number, expression, known in preview.labels[columns].itertuples(index=False):
        # Streamlit's cache may return strings and NaN for expressions and None.
        mapped_to = expression_title(Expression(expression)) if isinstance(expression, str) else _IGNORED
        labels.append(_Label(str(raw), int(number), mapped_to if known else _UNDECIDED))
    return labels


def _show_import_button(
    work: Import, preview: ImportPreview, manifest: Manifest, labels: dict[str, str], *, resolved: bool
) -> None:
    unknown = [raw for raw, mapped_to in labels.items() if mapped_to == _UNDECIDED]
    if unknown:
        names = ", ".join(map(repr, unknown[:5]))
        notice("warning", f"Choose an expression for {names}, or ignore these images.")
    if not preview.n_records:
        notice("warning", "No images were found. Choose another layout.")
    enough = confirm_partial(preview, work.id)
    ready = preview.n_records > 0 and not unknown and len(preview.labels) <= _LABELS_MAX and enough and resolved
    if st.button("Import", type="primary", icon=":material/download:", disabled=not ready):
        if not set(labels.values()) & set(_EXPRESSIONS):
            raise InputError("Every label would be ignored. Choose an expression for at least one.")
        open_import(work.id, settings()).set_manifest(_with_labels(manifest, preview, labels))
        job = submit_import(work.id, settings(), allow_partial=preview.is_mostly_unusable)
        go_to(Page.DATASETS, job=job.id)


def _with_labels(manifest: Manifest, preview: ImportPreview, labels: dict[str, str]) -> Manifest:
    """Add the choices that differ from the proposal to the manifest."""
    titles = {expression_title(expression): expression for expression in Expression}
    proposed = {label.raw: label.mapped_to for label in _list_labels(preview)}
    changed = {raw: titles.get(mapped_to) for raw, mapped_to in labels.items() if mapped_to != proposed[raw]}
    return manifest.model_copy(update={"labels": manifest.labels | changed})


def _show_discard_button(work: Import) -> None:
    if st.button("Discard this import", key=f"discard-{work.id}", icon=":material/delete:", type="tertiary"):
        with show_errors():
            discard_import(work.id, settings())
            go_to(Page.DATASETS, view="import")


@st.cache_data(show_spinner=False, max_entries=16)
def _load_matching_manifest(dataset_id: str, created: str, file: str) -> str:
    del created  # part of the key: another import may come under the same id
    with open_source(open_import(dataset_id, settings()).path(), settings()) as opened:
        return dump_manifest(select_manifest(opened, "", dataset_id, file.split(".")[0], settings()))


@st.cache_data(show_spinner=False, max_entries=16)
def _load_preview(dataset_id: str, created: str, manifest: str) -> ImportPreview:
    del created  # part of the key
    with open_source(open_import(dataset_id, settings()).path(), settings()) as opened:
        return preview_import(opened, parse_manifest_text(manifest, dataset_id))
