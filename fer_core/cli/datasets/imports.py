"""`datasets preview|import|fetch|imports|discard|generate`: add datasets to the store."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fer_core.cli.output import format_table, print_result
from fer_core.cli.parsing import AddAction
from fer_core.cli.reporting import run_with_progress
from fer_core.data.catalog import StoredDataset, import_dataset, open_dataset
from fer_core.data.ingest.import_folder import discard_import, list_imports, open_import, source_name, start_import
from fer_core.data.ingest.import_run import run_import
from fer_core.data.ingest.preview import ImportPreview, preview_import, select_manifest
from fer_core.data.ingest.record_stats import describe_match_rule
from fer_core.data.ingest.skipped import Skipped
from fer_core.data.label_mapping.label_map import parse_assignments
from fer_core.data.label_mapping.numberings import NUMBERINGS, format_numbering, get_numbering
from fer_core.data.manifest import Layout, Manifest, TableColumns, read_manifest
from fer_core.data.manifest_store import all_manifests
from fer_core.data.readers import READERS
from fer_core.data.sources.fetch import is_url
from fer_core.data.sources.source import Source, open_source
from fer_core.data.synthetic.dataset import make_synthetic_dataset
from fer_core.errors import DatasetError, InputError
from fer_core.ids import slug
from fer_core.progress import Progress
from fer_core.settings import settings
from fer_core.text import escape_to_one_line


def add_command(action: AddAction) -> None:
    """Add the actions."""
    preview = action("preview", "show the layout, labels and splits of a folder or archive", _preview)
    importing = action("import", "index a folder, an archive or a URL and add it to the store", _import)
    for parser in (preview, importing):
        parser.add_argument("path", nargs="?" if parser is importing else None, help="a folder, an archive, a URL")
        parser.add_argument("--id", default="", help="the dataset's id; by default the manifest's or the file's name")
        parser.add_argument("--layout", default="", help=f"layout of the files (default: detect): {', '.join(READERS)}")
        parser.add_argument("--manifest", default="", help="id or file of a manifest; by default the one that fits")
        parser.add_argument(
            "--map", action="append", default=[], metavar="RAW=EXPRESSION", help="'-' ignores the label"
        )
        parser.add_argument("--numbering", default="", help=f"meaning of numeric labels: {', '.join(NUMBERINGS)}")
        parser.add_argument(
            "--column", action="append", default=[], metavar="FIELD=NAME", help="path, label, split, identity, …"
        )
    importing.add_argument("--move", action="store_true", help="move the archive into the store")
    importing.add_argument("--resume", default="", metavar="ID", help="resume the unfinished import of this id")
    importing.add_argument(
        "--allow-partial", action="store_true", help="import the rest where more than half of the images can't be used"
    )
    fetching = action("fetch", "download a URL or repack a compressed tar into the store, to be imported later", _fetch)
    fetching.add_argument("url")
    fetching.add_argument("--id", default="")
    action("imports", "list unfinished imports", _imports)
    action("discard", "delete an unfinished import", _discard).add_argument("id")
    generate = action("generate", "make a dataset of synthetic faces", _generate)
    generate.add_argument("--id", default="synthetic-faces")
    generate.add_argument("--total", type=int, default=4000, help="how many images")
    generate.add_argument("--seed", type=int, default=0)


def _preview(arguments: argparse.Namespace) -> None:
    with open_source(Path(arguments.path).expanduser(), settings()) as source:
        preview = preview_import(source, _manifest(source, arguments))
    rows = [
        {"label": raw or "(none)", "count": n, "becomes": e or ("ignored" if known else "unknown: map it")}
        for raw, n, e, known in preview.labels.itertuples(index=False)
    ]
    n_records = f"{'' if preview.complete else 'the first '}{preview.n_records:,} records"
    layout = READERS[preview.manifest.layout].title
    lines = [
        f"{preview.manifest.title}: {layout}, {preview.n_files:,} image files, {n_records}",
        format_table(rows, "No labels."),
        _format_splits(preview),
        *(f"matched: {describe_match_rule(each, rows)}" for each, rows in preview.match_rules.items()),
        *(f"{name} is not UTF-8: read as {title}" for name, title in preview.assumed_encodings.items()),
        *_format_skipped(preview.skipped),
        *_format_numberings(preview),
    ]
    print_result(_to_dict(preview), arguments.json, "\n".join(lines))


def _format_splits(preview: ImportPreview) -> str:
    splits = ", ".join(f"{split or 'no split'} {n:,}" for split, n in preview.splits.items())
    people = f"; {preview.identities:,} people, each in one split" if preview.identities else ""
    return f"splits: {splits or 'none'}{people}"


def _format_skipped(skipped: Sequence[Skipped]) -> list[str]:
    return [escape_to_one_line(f"skipped: {each.describe()}") for each in skipped]


def _format_numberings(preview: ImportPreview) -> list[str]:
    """List what numeric labels may mean."""
    lines = [f"  --numbering {each.name}: {each.title}: {format_numbering(each)}" for each in preview.numberings]
    title = "The labels are numbers, which mean different expressions in different datasets. Choose one:"
    return [title, *lines] if lines else []


def _to_dict(preview: ImportPreview) -> dict[str, Any]:
    return {
        "manifest": preview.manifest.id,
        "layout": preview.manifest.layout,
        "files": preview.n_files,
        "records": preview.n_records,
        "complete": preview.complete,
        "labels": [
            {"raw": raw, "count": int(n), "expression": e and str(e), "known": bool(known)}
            for raw, n, e, known in preview.labels.itertuples(index=False)
        ],
        "numberings": [
            {"name": each.name, "title": each.title, "labels": {code: str(e) for code, e in each.codes.items()}}
            for each in preview.numberings
        ],
        "conflict": preview.conflict and asdict(preview.conflict),
        "splits": {str(split): n for split, n in preview.splits.items()},
        "identities": preview.identities,
        "identity_examples": list(preview.identity_examples),
        "extra_fields": list(preview.extra_fields),
        "missing_files": list(preview.missing_files),
        "n_usable": preview.n_usable,
        "match_rules": {str(each): rows for each, rows in preview.match_rules.items()},
        "skipped": [each.to_dict() for each in preview.skipped],
        "is_mostly_unusable": preview.is_mostly_unusable,
        "columns": list(preview.columns),
        "assumed_encodings": preview.assumed_encodings,
    }


def _import(arguments: argparse.Namespace) -> None:
    if arguments.resume:
        _print_imported(arguments, run_with_progress(_resume(arguments.resume, arguments.allow_partial)))
        return
    if not arguments.path:
        raise DatasetError("There is nothing to import. Give a folder, an archive or a URL, or --resume ID.")
    skipped: list[Skipped] = []
    _print_imported(arguments, run_with_progress(_start(arguments, skipped)), skipped)


def _resume(dataset_id: str, allow_partial: bool) -> Callable[[Progress], StoredDataset]:
    """Return the work of resuming an import. One that fails stays, to be changed or discarded."""

    def work(progress: Progress) -> StoredDataset:
        run_import(open_import(dataset_id, settings()), settings(), progress, allow_partial=allow_partial)
        return open_dataset(dataset_id, settings())

    return work


def _start(arguments: argparse.Namespace, skipped: list[Skipped]) -> Callable[[Progress], StoredDataset]:
    """Return the work of a whole import, which fills `skipped` before any image is opened."""

    def review(preview: ImportPreview) -> None:
        skipped.extend(preview.skipped)
        labels_chosen = bool(arguments.layout or arguments.manifest or arguments.column)
        preview.check(allow_partial=arguments.allow_partial, labels_chosen=labels_chosen)

    def work(progress: Progress) -> StoredDataset:
        try:
            return import_dataset(
                arguments.path,
                settings(),
                dataset_id=arguments.id,
                layout=arguments.layout,
                manifest=_chosen_manifest(arguments),
                move=arguments.move,
                allow_partial=arguments.allow_partial,
                on_preview=review,
                progress=progress,
            )
        except InputError:
            # Only an upload is deleted, never a file of the user's.
            path = Path(arguments.path).absolute()
            if arguments.move and path.is_relative_to(settings().uploads_dir):
                path.unlink(missing_ok=True)
            raise

    return work


def _chosen_manifest(arguments: argparse.Namespace) -> Manifest | None:
    """Build the manifest if an option chooses labels, columns or a manifest."""
    if not (arguments.map or arguments.column or arguments.manifest or arguments.numbering):
        return None
    if is_url(arguments.path):
        raise DatasetError("These options need the files: run datasets fetch URL, then datasets import --resume ID.")
    with open_source(Path(arguments.path).expanduser(), settings()) as source:
        return _manifest(source, arguments)


def _manifest(source: Source, arguments: argparse.Namespace) -> Manifest:
    """Build the manifest from the named or fitting one and the labels and columns of the command line."""
    layout = arguments.layout
    known = all_manifests(settings())
    if arguments.manifest in known:
        manifest = known[arguments.manifest]
    elif arguments.manifest:
        manifest = read_manifest(Path(arguments.manifest).expanduser())
    else:
        columns = _columns(arguments.column)
        layout = layout or ("table" if columns else "")
        manifest = select_manifest(source, layout, arguments.id, source_name(arguments.path), settings())
    codes = get_numbering(arguments.numbering).codes if arguments.numbering else {}
    labels = {**codes, **parse_assignments(arguments.map)}
    return with_choices(manifest, layout, labels, _columns(arguments.column))


def with_choices(manifest: Manifest, layout: Layout | str, labels: dict[str, Any], columns: dict[str, Any]) -> Manifest:
    """Return the manifest with layout, labels and columns replaced.

    Raises:
        DatasetError: a column is unknown.
    """
    update: dict[str, Any] = {"labels": {**manifest.labels, **labels}}
    if layout:
        update["layout"] = layout
    if columns:
        base = manifest.columns.model_dump() if manifest.columns else {"path": "path", "label": "label"}
        if unknown := [name for name in columns if name not in TableColumns.model_fields]:
            known = ", ".join(TableColumns.model_fields)
            raise DatasetError(f"--column {unknown[0]!r} is unknown. Choose one of: {known}.")
        update["columns"] = {**base, **columns}
    return Manifest.model_validate({**manifest.model_dump(), **update})


def _columns(pairs: list[str]) -> dict[str, Any]:
    """Parse `path=file` pairs; `box`, `subgroups` and `names` take several names, separated by commas."""
    columns: dict[str, Any] = {}
    for pair in pairs:
        field, equals, name = pair.partition("=")
        if not equals:
            raise DatasetError(
                f"--column {pair!r} is not FIELD=NAME, such as --column path=file --column label=emotion."
            )
        columns[field] = tuple(name.split(",")) if field in ("box", "subgroups", "names") else name
    return columns


def _fetch(arguments: argparse.Namespace) -> None:
    dataset_id = arguments.id or slug(source_name(arguments.url))

    def work(progress: Progress) -> None:
        started = start_import(arguments.url, dataset_id, settings())
        try:
            started.prepare(settings(), progress)
        except InputError:
            discard_import(dataset_id, settings())
            raise

    run_with_progress(work)
    text = f"Fetched {dataset_id}. Import it with: datasets import --resume {dataset_id}"
    print_result({"id": dataset_id, "ready": True}, arguments.json, text)


def _imports(arguments: argparse.Namespace) -> None:
    rows = [
        {"id": each.id, "source": each.source, "ready": each.ready, "chunks": each.n_chunks, "created": each.created}
        for each in list_imports(settings())
    ]
    print_result(rows, arguments.json, format_table(rows, "No unfinished imports."))


def _discard(arguments: argparse.Namespace) -> None:
    discard_import(arguments.id, settings())
    print_result({"id": arguments.id, "discarded": True}, arguments.json, f"The import {arguments.id} was deleted.")


def _generate(arguments: argparse.Namespace) -> None:
    def work(progress: Progress) -> StoredDataset:
        return make_synthetic_dataset(arguments.id, arguments.total, arguments.seed, settings(), progress)

    _print_imported(arguments, run_with_progress(work))


def _print_imported(
    arguments: argparse.Namespace, dataset: StoredDataset, skipped: Sequence[Skipped] | None = None
) -> None:
    """Print the imported dataset and, if it was previewed (not None), what was skipped."""
    problems = int((dataset.raw_index(["problem"])["problem"] != "").sum())
    result: dict[str, Any] = {
        "id": dataset.id,
        "n": dataset.n,
        "problems": problems,
        "source": str(dataset.source_path),
    }
    if skipped is not None:
        result["skipped"] = [each.to_dict() for each in skipped]
    lines = [f"{dataset.id}: {dataset.n:,} images, {problems:,} with problems", *_format_skipped(skipped or ())]
    print_result(result, arguments.json, "\n".join(lines))
