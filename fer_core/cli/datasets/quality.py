"""`datasets quality|index`: check a dataset, or measure its images again."""

from __future__ import annotations

import argparse
from typing import Any

import pandas as pd

from fer_core.cli.output import format_table, print_result
from fer_core.cli.parsing import AddAction
from fer_core.cli.reporting import run_with_progress
from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.ingest.reindex import reindex
from fer_core.data.quality.checks import Finding
from fer_core.data.quality.messages import MESSAGES, FindingKind
from fer_core.data.quality.report import QualityReport, pair_table, parse_kind, quality_report
from fer_core.settings import settings


def add_command(action: AddAction) -> None:
    """Add the actions."""
    parser = action("quality", "unreadable, blank, blurred, duplicate and conflicting images", _quality)
    parser.add_argument("id")
    parser.add_argument("--faces", action="store_true", help="search every image for a face first (slow)")
    parser.add_argument("--finding", default="", metavar="KIND", help="the images of one finding")
    index_parser = action("index", "measure the images again, for instance after an update", _index)
    index_parser.add_argument("id")


def _quality(arguments: argparse.Namespace) -> None:
    from fer_core.data.quality.face_search import load_face_search, search_faces

    dataset = open_dataset(arguments.id, settings())
    kind = parse_kind(arguments.finding) if arguments.finding else None
    if arguments.faces:
        run_with_progress(lambda progress: search_faces(dataset, settings(), progress))
    faces = load_face_search(dataset)
    report = quality_report(dataset, faces[0] if faces else None)
    if kind is not None:
        _emit_finding(dataset, report, kind, arguments.json)
        return
    result = {
        "id": dataset.id,
        "n": dataset.n,
        "excluded": dataset.n - report.n_included,
        "flagged": report.n_flagged,
        "findings": [_to_json(finding) for finding in report.findings],
        "unchecked": {str(kind): why for kind, why in report.unchecked.items()},
        "search_limits": report.search_limits,
        "faces": {"searched": len(faces[0]), "detector": faces[1]} if faces else None,
    }
    print_result(result, arguments.json, _format_report(report))


def _to_json(finding: Finding) -> dict[str, Any]:
    return {
        "kind": str(finding.kind),
        "title": finding.message.title,
        "n": len(finding.rows),
        "pairs": None if finding.pairs is None else len(finding.pairs),
        "redundant": len(finding.redundant),
        "suggested_action": finding.message.suggested_action,
    }


def _format_report(report: QualityReport) -> str:
    rows = [
        {
            "finding": finding.kind,
            "images": f"{len(finding.rows):,}",
            "what": finding.message.title,
            "action": finding.message.suggested_action,
        }
        for finding in report.findings
    ]
    lines = [
        f"{report.n_flagged:,} of {report.n_included:,} images have a finding",
        format_table(rows, "Nothing was found."),
    ]
    lines += [f"not checked: {kind}: {why}" for kind, why in report.unchecked.items()]
    lines.append(report.search_limits)
    if report.missing_columns:
        lines.append(f"not measured: {', '.join(report.missing_columns)}. Index the dataset again: datasets index ID")
    return "\n".join(lines)


def _emit_finding(dataset: StoredDataset, report: QualityReport, kind: FindingKind, as_json: bool) -> None:
    index = dataset.index(["id", "path", "split", "label"])
    finding = report.get(kind)
    ids = index["id"].to_numpy(object)
    pairs = pair_table([finding], index) if finding and finding.pairs is not None else None
    result = {
        "id": dataset.id,
        "kind": str(kind),
        "title": MESSAGES[kind].title,
        "explanation": MESSAGES[kind].explanation,
        "suggestion": MESSAGES[kind].suggestion,
        "unchecked": report.unchecked.get(kind, ""),
        "ids": ids[finding.rows].tolist() if finding else [],
        "redundant": ids[finding.redundant].tolist() if finding else [],
        "pairs": None
        if pairs is None
        else [
            {
                "a": a,
                "b": b,
                "bits": int(bits),
                "similarity": None if pd.isna(similarity) else round(float(similarity), 3),
            }
            for a, b, bits, similarity in zip(
                pairs["id_a"], pairs["id_b"], pairs["bits"], pairs["similarity"], strict=True
            )
        ],
    }
    nothing = f"not checked: {result['unchecked']}" if result["unchecked"] else "None found."
    print_result(
        result,
        as_json,
        "\n".join(result["ids"]) or nothing if pairs is None else format_table(result["pairs"], nothing),
    )


def _index(arguments: argparse.Namespace) -> None:
    dataset = open_dataset(arguments.id, settings())
    indexed = run_with_progress(lambda progress: reindex(dataset, settings(), progress))
    result = {
        "id": dataset.id,
        "n": indexed.n,
        "problems": indexed.problems,
        "added": list(indexed.added),
        "relabeled": indexed.relabeled,
        "pixels_changed": indexed.pixels_changed,
        "fingerprint": indexed.fingerprint,
    }
    added = f"new columns: {', '.join(indexed.added)}" if indexed.added else "no new columns"
    changed = f"{indexed.relabeled:,} images with another label or split, {indexed.pixels_changed:,} with other pixels"
    print_result(
        result,
        arguments.json,
        f"{dataset.id}: {indexed.n:,} images, {indexed.problems:,} with problems; {added}; {changed}",
    )
