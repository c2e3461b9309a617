"""`runs`: list, show, annotate, compare and delete runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from fer_core.cli.output import format_table, print_result
from fer_core.cli.parsing import add_command_group
from fer_core.comparison.compare import RUNS_MAX, Comparison, compare_runs, select_metric
from fer_core.comparison.run_summary import RunSummary, summarize_run
from fer_core.comparison.table import RunTable
from fer_core.errors import InputError
from fer_core.evaluation.predictions import describe_protocol
from fer_core.files.csv_file import write_csv
from fer_core.jobs.deletion import delete_run_with_jobs
from fer_core.jobs.store import JobStore
from fer_core.metrics import HEADLINE_METRICS
from fer_core.runs.folder import open_run
from fer_core.runs.notes import NOTE_CHARACTERS_MAX, TAGS_MAX, RunNotes, read_notes, validate_tag, write_notes
from fer_core.runs.title import rename_run, run_title, use_automatic_title
from fer_core.settings import settings
from fer_core.training.config.optimization import MONITORED_METRICS


def add_command(commands: Any) -> None:
    """Add the command to a parser."""
    action = add_command_group(commands, "runs", "list, show, annotate, compare and delete runs")
    listing = action("list", "list runs, newest first", _list)
    listing.add_argument("--tag", help="only runs with this tag")
    listing.add_argument("--dataset", help="only runs on this dataset")
    action("show", "show a run: progress, metrics, note", _show).add_argument("id")
    noting = action("note", "write a run's note", _note)
    noting.add_argument("id")
    noting.add_argument("text", help=f"replaces the note; up to {NOTE_CHARACTERS_MAX:,} characters, '' for none")
    renaming = action("rename", "give a run a name", _rename)
    renaming.add_argument("id")
    renaming.add_argument("title", nargs="?", help="the new name; without one, the automatic title")
    tagging = action("tag", "add or remove tags of a run", _tag)
    tagging.add_argument("id")
    tagging.add_argument("add", nargs="*", metavar="TAG", help=f"words in lower case, up to {TAGS_MAX} per run")
    tagging.add_argument("--remove", nargs="+", default=[], metavar="TAG")
    comparing = action("compare", "compare runs: ranking, config differences, curves", _compare)
    comparing.add_argument("id", nargs="+", help=f"2 to {RUNS_MAX} runs")
    comparing.add_argument(
        "--metric", choices=MONITORED_METRICS, default="macro_f1", metavar="NAME", help=", ".join(MONITORED_METRICS)
    )
    comparing.add_argument("--csv", type=Path, metavar="FILE", help="write the curves to a file")
    action("delete", "delete a run with its files and ended jobs", _delete).add_argument("id")


def as_json(row: RunSummary) -> dict[str, Any]:
    """Convert a run's summary to JSON data."""
    metrics = row.metrics
    return {
        "id": row.id,
        "title": row.title,
        "state": str(row.state),
        "network": row.network,
        "rebalancing": row.rebalancing,
        "hyperparameters": row.hyperparameters,
        "dataset": row.dataset,
        "labels": row.labels,
        "synthetic": row.synthetic,
        "epochs": {"done": row.epochs_done, "planned": row.epochs_planned, "best": row.best_epoch},
        "metrics": {
            "split": metrics.split,
            "n": metrics.n or None,
            **{name: row.score(name) for name in HEADLINE_METRICS},
            "intervals": {name: list(bounds) for name, bounds in metrics.intervals.items()},
        }
        if metrics
        else None,
        "images_per_s": row.images_per_s,
        "created": row.created.isoformat() if row.created else None,
        "tags": list(row.tags),
        "note": row.note,
        "problem": row.problem,
    }


def _list(arguments: argparse.Namespace) -> None:
    tag = None if arguments.tag is None else validate_tag(arguments.tag)
    rows = [
        row
        for row in RunTable(settings()).rows()
        if (tag is None or tag in row.tags) and arguments.dataset in (None, row.dataset)
    ]
    filtered = tag is not None or arguments.dataset is not None
    table = format_table([_list_row(row) for row in rows], "No matching runs." if filtered else "No runs yet.")
    print_result([as_json(row) for row in rows], arguments.json, table)


def _list_row(row: RunSummary) -> dict[str, str]:
    macro_f1 = row.score("macro_f1")
    return {
        "id": row.id,
        "state": str(row.state),
        "epochs": _epochs(row),
        "dataset": row.dataset,
        "split": row.metrics.split if row.metrics else "",
        "macro_f1": "–" if macro_f1 is None else f"{macro_f1:.3f}",
        "tags": " ".join(row.tags),
        "title": row.title if row.title != row.id else "",
    }


def _epochs(row: RunSummary) -> str:
    return f"{row.epochs_done}/{'?' if row.epochs_planned is None else row.epochs_planned}"


def _show(arguments: argparse.Namespace) -> None:
    run = open_run(arguments.id, settings())
    row = summarize_run(run, settings())
    print_result({**as_json(row), "folder": str(run.folder)}, arguments.json, _describe_run(row))


def _describe_run(row: RunSummary) -> str:
    lines = [
        f"{row.title}: {row.state}, {_epochs(row)} epochs, best epoch: {row.best_epoch or 'none'}",
        "; ".join(each for each in (row.network, row.rebalancing, row.hyperparameters) if each),
    ]
    if row.metrics:
        images = f", {row.metrics.n:,} images" if row.metrics.n else ""
        lines.append(f"{row.dataset}, {row.metrics.split} split{images}: {', '.join(_scores(row))}")
        lines.append(describe_protocol(row.metrics.protocol))
    else:
        lines.append(f"{row.dataset or 'no dataset'}: no metrics yet")
    lines += [f"tags: {' '.join(row.tags)}"] if row.tags else []
    lines += [row.note] if row.note else []
    lines += [f"problem: {row.problem}"] if row.problem else []
    return "\n".join(line for line in lines if line)


def _scores(row: RunSummary) -> list[str]:
    """Format the metrics: "macro_f1 0.412 (0.391 to 0.434)"."""
    scores = []
    for name in HEADLINE_METRICS:
        value = row.score(name)
        bounds = row.interval(name)
        if value is not None:
            scores.append(f"{name} {value:.3f}{f' ({bounds[0]:.3f} to {bounds[1]:.3f})' if bounds else ''}")
    return scores


def _note(arguments: argparse.Namespace) -> None:
    notes = write_notes(open_run(arguments.id, settings()), text=arguments.text)
    state = f"note saved, {len(notes.text):,} characters" if notes.text else "no note"
    _emit_notes(notes, arguments, f"{arguments.id}: {state}")


def _rename(arguments: argparse.Namespace) -> None:
    run = open_run(arguments.id, settings())
    if arguments.title is None:
        use_automatic_title(run)
    else:
        rename_run(run, arguments.title)
    title = run_title(run, settings())
    print_result({"id": run.id, "title": title}, arguments.json, f"{run.id}: {title}")


def _tag(arguments: argparse.Namespace) -> None:
    run = open_run(arguments.id, settings())
    if not arguments.add and not arguments.remove:
        raise InputError("Give tags to add, or --remove TAG.")
    before = read_notes(run).tags
    if unknown := [tag for tag in arguments.remove if tag not in before]:
        raise InputError(f"{run.id} has no tag {unknown[0]!r}. Its tags: {', '.join(before) or 'none'}.")
    notes = write_notes(run, add=arguments.add, remove=arguments.remove)
    _emit_notes(notes, arguments, f"{run.id}: {', '.join(notes.tags) or 'no tags'}")


def _emit_notes(notes: RunNotes, arguments: argparse.Namespace, text: str) -> None:
    print_result({"id": arguments.id, "tags": list(notes.tags), "note": notes.text}, arguments.json, text)


def _compare(arguments: argparse.Namespace) -> None:
    if arguments.json and arguments.csv:
        raise InputError("--csv and --json exclude each other. Choose one.")
    here = settings()
    compared = compare_runs([summarize_run(open_run(run_id, here), here) for run_id in arguments.id], here)
    curves = select_metric(compared.curves, arguments.metric)
    if arguments.csv:
        write_csv(curves, arguments.csv)
        print_result(None, False, f"{compared.ranking}\nWrote {len(curves):,} rows to {arguments.csv}")
        return
    print_result(_to_json(compared, curves, arguments.metric), arguments.json, _format_comparison(compared, curves))


def _to_json(compared: Comparison, curves: pd.DataFrame, metric: str) -> dict[str, Any]:
    rows = curves.astype(object).where(curves.notna(), None)
    return {
        "ranking": compared.ranking,
        "comparable": compared.comparable,
        "runs": [as_json(row) for row in compared.runs],
        "differences": _records(compared.differences),
        "unreadable": list(compared.unreadable),
        "metric": metric,
        "curves": _records(rows),
    }


def _format_comparison(compared: Comparison, curves: pd.DataFrame) -> str:
    shown = curves.assign(elapsed_s=curves["elapsed_s"].round(1)).round(4).astype(object).where(curves.notna(), "–")
    differences = format_table(_records(compared.differences), "Their configs are equal.")
    return f"{compared.ranking}\n\n{differences}\n\n{format_table(_records(shown), 'No epochs yet.')}"


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _delete(arguments: argparse.Namespace) -> None:
    with JobStore(settings()) as store:
        jobs = delete_run_with_jobs(arguments.id, store, settings())
    also = f", with {len(jobs)} job{'s' if len(jobs) > 1 else ''}" if jobs else ""
    print_result({"id": arguments.id, "jobs": jobs}, arguments.json, f"{arguments.id}: deleted{also}")
