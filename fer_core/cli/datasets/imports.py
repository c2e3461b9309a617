"""`datasets preview|import|fetch|imports|discard|generate`: how data comes into the store."""

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
from fer_core.data.ingest.import_folder import discard_import, list_imports, open_import, start_import
from fer_core.data.ingest.import_run import run_import
from fer_core.data.ingest.preview import ImportPreview, preview_import, select_manifest
from fer_core.data.ingest.row_matching import describe_match_rule
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
from fer_core.text import as_text, one_line


def add_command(action: AddAction) -> None:
    """Add the actions."""
    proposing = action("preview", "look at a folder or archive: layout, labels, splits; nothing is imported", _propose)
    importing = action("import", "index a folder, an archive or a URL and add it to the store", _import)
    for parser in (proposing, importing):
        parser.add_argument("path", nargs="?" if parser is importing else None, help="a folder, an archive, a URL")
        parser.add_argument("--id", default="", help="the dataset's id; by default that of its manifest or file")
        parser.add_argument("--layout", default="", help=f"how the files lie: {', '.join(READERS)}; else recognized")
        parser.add_argument("--manifest", default="", help="a manifest's id or file; by default the one that fits")
        parser.add_argument("--map", action="append", default=[], metavar="RAW=EXPRESSION", help="'-' leaves it out")
        parser.add_argument("--numbering", default="", help=f"whose numbers the labels are: {', '.join(NUMBERINGS)}")
        parser.add_argument(
            "--column", action="append", default=[], metavar="WHAT=NAME", help="path, label, split, identity, …"
        )
    importing.add_argument("--take", action="store_true", help="move the archive into the store")
    importing.add_argument("--work", default="", help="go on with the unfinished import of this id")
    importing.add_argument(
        "--allow-partial", action="store_true", help="import the rest where more than half of the images can't be read"
    )
    fetching = action("fetch", "bring a URL or a compressed tar into the store, to be imported later", _fetch)
    fetching.add_argument("url")
    fetching.add_argument("--id", default="")
    action("imports", "imports that are not finished", _imports)
    action("discard", "throw an unfinished import away", _discard).add_argument("id")
    drawing = action("generate", "make a dataset of synthetic faces", _draw)
    drawing.add_argument("--id", default="synthetic-faces")
    drawing.add_argument("--total", type=int, default=4000, help="how many images")
    drawing.add_argument("--seed", type=int, default=0)


def _propose(arguments: argparse.Namespace) -> None:
    with open_source(Path(arguments.path).expanduser(), settings()) as source:
        found = preview_import(source, _manifest(source, arguments))
    rows = [
        {"label": raw or "(none)", "count": n, "becomes": e or ("left out" if known else "? decide")}
        for raw, n, e, known in found.labels.itertuples(index=False)
    ]
    seen = f"{found.n_records:,} records{'' if found.complete else ' looked at'}"
    words = [
        f"{found.manifest.title}: {READERS[found.manifest.layout].title}, {found.n_files:,} image files, {seen}",
        format_table(rows, "No labels."),
        *_parts_words(found),
        *(f"matched: {describe_match_rule(each, rows)}" for each, rows in found.match_rules.items()),
        *_left_out_words(found.skipped),
        *_numbering_words(found),
    ]
    print_result(_as_json(found), arguments.json, "\n".join(words))


def _parts_words(found: ImportPreview) -> list[str]:
    """The published parts and the people, where there are any."""
    splits = ", ".join(f"{split or 'in no split'} {n:,}" for split, n in found.splits.items())
    people = f"; {found.identities:,} people, who are kept in one part each" if found.identities else ""
    return [f"parts: {splits or 'none'}{people}"]


def _left_out_words(left_out: Sequence[Skipped]) -> list[str]:
    """A line a reason, with a few names."""
    return [one_line(f"left out: {each.describe()}") for each in left_out]


def _numbering_words(found: ImportPreview) -> list[str]:
    """What undecided numbers may mean."""
    lines = [f"  --numbering {each.name}: {each.title}: {format_numbering(each)}" for each in found.numberings]
    return (
        ["The labels are numbers, and datasets number the expressions differently. Say whose they are:", *lines]
        if lines
        else []
    )


def _as_json(found: ImportPreview) -> dict[str, Any]:
    return {
        "manifest": found.manifest.id,
        "layout": found.manifest.layout,
        "files": found.n_files,
        "records": found.n_records,
        "complete": found.complete,
        "labels": [
            {"raw": raw, "count": int(n), "expression": e and str(e), "known": bool(known)}
            for raw, n, e, known in found.labels.itertuples(index=False)
        ],
        "numberings": [
            {"name": each.name, "title": each.title, "labels": {code: str(e) for code, e in each.codes.items()}}
            for each in found.numberings
        ],
        "conflict": found.conflict and asdict(found.conflict),
        "splits": {str(split): n for split, n in found.splits.items()},
        "identities": found.identities,
        "identity_examples": list(found.identity_examples),
        "extra_fields": list(found.extra_fields),
        "missing_files": list(found.missing_files),
        "n_usable": found.n_usable,
        "match_rules": {str(each): rows for each, rows in found.match_rules.items()},
        "skipped": [each.to_dict() for each in found.skipped],
        "is_mostly_unusable": found.is_mostly_unusable,
        "columns": list(found.columns),
    }


def _import(arguments: argparse.Namespace) -> None:
    if arguments.work:
        _emit_imported(arguments, run_with_progress(_resumed(arguments.work, arguments.allow_partial)))
        return
    if not arguments.path:
        raise DatasetError("Nothing to import was named. Give a folder, an archive or a URL, or --work ID.")
    left_out: list[Skipped] = []
    _emit_imported(arguments, run_with_progress(_begun(arguments, left_out)), left_out)


def _resumed(dataset_id: str, allow_partial: bool) -> Callable[[Progress], StoredDataset]:
    """A decided import's work. One that fails is kept: it can be decided otherwise, or discarded."""

    def work(progress: Progress) -> StoredDataset:
        run_import(open_import(dataset_id, settings()), settings(), progress, allow_partial=allow_partial)
        return open_dataset(dataset_id, settings())

    return work


def _begun(arguments: argparse.Namespace, left_out: list[Skipped]) -> Callable[[Progress], StoredDataset]:
    """The whole import; what it leaves out is put into `left_out` before any image is opened."""

    def review(found: ImportPreview) -> None:
        left_out.extend(found.skipped)
        labels_chosen = bool(arguments.layout or arguments.manifest or arguments.column)
        found.check(allow_partial=arguments.allow_partial, labels_chosen=labels_chosen)

    def work(progress: Progress) -> StoredDataset:
        manifest = None
        if arguments.map or arguments.column or arguments.manifest or arguments.numbering:
            if is_url(arguments.path):
                raise DatasetError("A URL is looked at once it is here: fetch it first, then import it with --work.")
            with open_source(Path(arguments.path).expanduser(), settings()) as source:
                manifest = _manifest(source, arguments)
        return import_dataset(
            arguments.path,
            settings(),
            dataset_id=arguments.id,
            layout=arguments.layout,
            manifest=manifest,
            move=arguments.take,
            allow_partial=arguments.allow_partial,
            review=review,
            progress=progress,
        )

    def kept_or_thrown_away(progress: Progress) -> StoredDataset:
        try:
            return work(progress)
        except InputError:
            # An upload is in the store by now, or is not wanted; a file of the user's own is never deleted.
            path = Path(arguments.path).absolute()
            if arguments.take and path.is_relative_to(settings().uploads_dir):
                path.unlink(missing_ok=True)
            raise

    return kept_or_thrown_away


def _manifest(source: Source, arguments: argparse.Namespace) -> Manifest:
    """What the files mean: the manifest that was named or fits, with the labels and columns of the command line."""
    layout = arguments.layout
    known = all_manifests(settings())
    if arguments.manifest in known:
        manifest = known[arguments.manifest]
    elif arguments.manifest:
        manifest = read_manifest(Path(arguments.manifest).expanduser())
    else:
        columns = _columns(arguments.column)
        layout = layout or ("table" if columns else "")
        manifest = select_manifest(source, layout, arguments.id, _name(arguments.path), settings())
    codes = get_numbering(arguments.numbering).codes if arguments.numbering else {}
    labels = {**codes, **parse_assignments(arguments.map)}
    return with_choices(manifest, layout, labels, _columns(arguments.column))


def with_choices(manifest: Manifest, layout: Layout | str, labels: dict[str, Any], columns: dict[str, Any]) -> Manifest:
    """A manifest with a person's choices on top.

    Raises:
        DatasetError: a column is no such thing.
    """
    update: dict[str, Any] = {"labels": {**manifest.labels, **labels}}
    if layout:
        update["layout"] = layout
    if columns:
        base = manifest.columns.model_dump() if manifest.columns else {"path": "path", "label": "label"}
        if unknown := [name for name in columns if name not in TableColumns.model_fields]:
            known = ", ".join(TableColumns.model_fields)
            raise DatasetError(f"--column {unknown[0]!r} is nothing a table can hold. Choose of: {known}.")
        update["columns"] = {**base, **columns}
    return Manifest.model_validate({**manifest.model_dump(), **update})


def _columns(pairs: list[str]) -> dict[str, Any]:
    """`path=file` pairs; several names apart by commas for `box`, `subgroups` and `names`."""
    columns: dict[str, Any] = {}
    for pair in pairs:
        what, equals, name = pair.partition("=")
        if not equals:
            raise DatasetError(
                f"--column {pair!r} is not WHAT=NAME, such as --column path=file --column label=emotion."
            )
        columns[what] = tuple(name.split(",")) if what in ("box", "subgroups", "names") else name
    return columns


def _fetch(arguments: argparse.Namespace) -> None:
    dataset_id = arguments.id or slug(_name(arguments.url))

    def work(progress: Progress) -> None:
        begun = start_import(arguments.url, dataset_id, settings())
        try:
            begun.prepare(settings(), progress)
        except InputError:
            discard_import(dataset_id, settings())
            raise

    run_with_progress(work)
    words = (
        f"{dataset_id} is here. Look at it with: datasets imports; import it with: datasets import --work {dataset_id}"
    )
    print_result({"id": dataset_id, "ready": True}, arguments.json, words)


def _imports(arguments: argparse.Namespace) -> None:
    rows = [
        {"id": each.id, "source": each.source, "ready": each.ready, "parts": each.n_parts, "begun": each.created}
        for each in list_imports(settings())
    ]
    print_result(rows, arguments.json, format_table(rows, "No unfinished imports."))


def _discard(arguments: argparse.Namespace) -> None:
    discard_import(arguments.id, settings())
    print_result({"id": arguments.id, "discarded": True}, arguments.json, f"The import {arguments.id} was thrown away")


def _draw(arguments: argparse.Namespace) -> None:
    def work(progress: Progress) -> StoredDataset:
        return make_synthetic_dataset(arguments.id, arguments.total, arguments.seed, settings(), progress)

    _emit_imported(arguments, run_with_progress(work))


def _emit_imported(
    arguments: argparse.Namespace, dataset: StoredDataset, left_out: Sequence[Skipped] | None = None
) -> None:
    """What was imported and, where it was looked at before (not None), what was left out."""
    problems = int((dataset.raw_index(["problem"])["problem"] != "").sum())
    result: dict[str, Any] = {
        "id": dataset.id,
        "n": dataset.n,
        "problems": problems,
        "source": str(dataset.source_path),
    }
    if left_out is not None:
        result["skipped"] = [each.to_dict() for each in left_out]
    words = [f"{dataset.id}: {dataset.n:,} images, {problems:,} with problems", *_left_out_words(left_out or ())]
    print_result(result, arguments.json, "\n".join(words))


def _name(path: str) -> str:
    return as_text(path).rstrip("/").rpartition("/")[2].split(".")[0] or "unnamed"
