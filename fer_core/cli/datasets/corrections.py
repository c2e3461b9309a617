"""`datasets correct`: exclude, relabel and mark images, undo, and show the history."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fer_core.cli.output import format_table, print_result
from fer_core.cli.parsing import AddAction
from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.corrections.correction_log import Action, Change
from fer_core.data.corrections.corrections import correction_counts
from fer_core.data.quality.messages import FindingKind
from fer_core.data.quality.report import QualityReport, parse_kind, quality_report, rows_to_exclude
from fer_core.errors import InputError
from fer_core.files.csv_file import write_csv
from fer_core.settings import settings

_BY_HAND = "by hand"


def add_command(action: AddAction) -> None:
    """Add the action."""
    parser = action("correct", "exclude, relabel or mark images; their files stay unchanged", _correct)
    parser.add_argument("id")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--exclude", action="store_true", help="exclude images")
    what.add_argument("--relabel", metavar="EXPRESSION", help="give images another expression")
    what.add_argument(
        "--ambiguous", "--dispute", action="store_true", help="mark images whose label is doubtful; they are still used"
    )
    what.add_argument("--restore", action="store_true", help="remove all marks of images")
    what.add_argument("--undo", type=int, metavar="VERSION", help="undo a change; undoing an undo redoes it")
    what.add_argument("--history", action="store_true", help="list all changes, newest first")
    what.add_argument("--export", type=Path, metavar="FILE.csv", help="write the marked images to a table")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--ids", nargs="+", metavar="ID", help="images by their ids")
    which.add_argument(
        "--finding",
        metavar="KIND",
        help="images of a finding; of duplicates, --exclude keeps one of each group; --restore those marked for it",
    )
    parser.add_argument("--reason", default="", help="by default the finding")
    parser.add_argument("--note", default="", help="shown in the history")


def _correct(arguments: argparse.Namespace) -> None:
    dataset = open_dataset(arguments.id, settings())
    marking = arguments.exclude or arguments.ambiguous or arguments.restore or arguments.relabel is not None
    named = arguments.ids is not None or arguments.finding is not None
    if marking and not named:
        raise InputError("No images were named. Give --ids with their ids, or --finding with a kind of finding.")
    if named and not marking:
        raise InputError("--ids and --finding name images to --exclude, --relabel, --ambiguous or --restore.")
    if arguments.history:
        _emit_history(dataset, arguments.json)
    elif arguments.export is not None:
        _export(dataset, arguments)
    elif arguments.undo is not None:
        version = dataset.corrections().undo(arguments.undo, arguments.note)
        _emit_change(dataset, version, arguments.json, f"Version {arguments.undo} is undone")
    else:
        _mark(dataset, arguments)


def _mark(dataset: StoredDataset, arguments: argparse.Namespace) -> None:
    kind = parse_kind(arguments.finding) if arguments.finding is not None else None
    ids = arguments.ids if kind is None else _ids_of(dataset, kind, arguments)
    if arguments.exclude:
        action = Action.EXCLUDE
    elif arguments.ambiguous:
        action = Action.AMBIGUOUS
    else:
        action = Action.RESTORE if arguments.restore else Action.RELABEL
    version = dataset.corrections().mark(
        action,
        ids,
        arguments.reason or (str(kind) if kind else _BY_HAND),
        arguments.note,
        label=arguments.relabel or "",
        known_ids=dataset.raw_index(["id"])["id"],
    )
    _emit_change(dataset, version, arguments.json, f"{action}: {len(set(ids)):,} images")


def _ids_of(dataset: StoredDataset, kind: FindingKind, arguments: argparse.Namespace) -> Sequence[str]:
    """Return the images of a finding or, to restore them, those that were marked for it.

    Raises:
        InputError: there are none.
    """
    if arguments.restore:
        marked = dataset.corrections().export(dataset.raw_index(["id", "path", "label"]))
        ids = marked["id"][marked["reason"] == str(kind)]
        if ids.empty:
            raise InputError(f"No image of {dataset.id} is marked for the reason {kind}. See them all with --export.")
        return list(ids)
    report = _report(dataset)
    finding = report.get(kind)
    if finding is None:
        why = report.unchecked.get(kind, "none was found")
        raise InputError(f"{dataset.id} has no image with the finding {kind}: {why}. Nothing was changed.")
    rows = rows_to_exclude(finding) if arguments.exclude else finding.rows
    return list(dataset.raw_index(["id"])["id"].iloc[rows])


def _report(dataset: StoredDataset) -> QualityReport:
    from fer_core.data.quality.face_search import load_face_search  # OpenCV takes a moment to load

    faces = load_face_search(dataset)
    return quality_report(dataset, faces[0] if faces else None)


def _emit_change(dataset: StoredDataset, version: int, as_json: bool, text: str) -> None:
    counts = correction_counts(dataset.index(["id"]))
    change = next(each for each in dataset.corrections().history() if each.version == version)
    totals = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    print_result(
        {"id": dataset.id, **_to_json(change), "counts": counts}, as_json, f"{text} (version {version}). Now: {totals}."
    )


def _to_json(change: Change) -> dict[str, Any]:
    return {
        "version": change.version,
        "time": change.time,
        "action": str(change.action),
        "n": len(change.ids),
        "label": change.label,
        "reason": change.reason,
        "note": change.note,
        "undoes": change.undoes,
        "undone": change.undone,
    }


def _emit_history(dataset: StoredDataset, as_json: bool) -> None:
    rows = [_to_json(change) for change in dataset.corrections().history()]
    rows_shown = [
        {
            "version": row["version"],
            "time": row["time"],
            "action": f"{row['action']} {row['label'] or row['undoes'] or ''}".rstrip(),
            "images": row["n"],
            "undone": "undone" if row["undone"] else "",
            "reason": row["reason"],
            "note": row["note"],
        }
        for row in rows
    ]
    print_result(rows, as_json, format_table(rows_shown, "Nothing was corrected yet."))


def _export(dataset: StoredDataset, arguments: argparse.Namespace) -> None:
    marked = dataset.corrections().export(dataset.raw_index(["id", "path", "label"]))
    write_csv(marked, arguments.export)
    result = {"id": dataset.id, "n": len(marked), "out": str(arguments.export)}
    print_result(result, arguments.json, f"{len(marked):,} marked images are in {arguments.export}")
