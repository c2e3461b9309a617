"""`datasets manifest list|check|add|delete`: descriptions of datasets, those that come with FERscope and one's own."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fer_core.cli.output import format_table, print_result
from fer_core.cli.parsing import AddAction
from fer_core.data.manifest import Manifest, builtin_manifests, read_manifest
from fer_core.data.manifest_store import all_manifests, delete_manifest, save_manifest, user_manifests
from fer_core.settings import settings


def add_command(action: AddAction) -> None:
    """Add the action, which has actions of its own."""
    parser = action("manifest", "list, check, add and delete manifests", _list)
    inner = parser.add_subparsers(title="actions", required=True, metavar="ACTION")

    def nested(name: str, help_text: str, run: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:
        below: argparse.ArgumentParser = inner.add_parser(name, help=help_text)
        # Without a default, so that it does not take back a --json before the action's name.
        below.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON alone")
        below.set_defaults(run=run)
        return below

    nested("list", "every manifest that is known", _list)
    nested("check", "read a manifest file and say what is wrong with it", _check).add_argument("file", type=Path)
    adding = nested("add", "put a manifest file into the store", _add)
    adding.add_argument("file", type=Path)
    adding.add_argument("--replace", action="store_true", help="write over your own manifest of the same id")
    nested("delete", "remove your own manifest; datasets imported with it stay", _delete).add_argument("id")


def _list(arguments: argparse.Namespace) -> None:
    own = user_manifests(settings())
    rows = [_as_json(manifest, own) for manifest in all_manifests(settings()).values()]
    said = [
        {"id": row["id"], "title": row["title"], "layout": row["layout"] or "-", "whose": "own" if row["own"] else ""}
        for row in rows
    ]
    print_result(rows, arguments.json, format_table(said, "No manifests."))


def _check(arguments: argparse.Namespace) -> None:
    manifest = read_manifest(arguments.file)
    own = user_manifests(settings())
    taken = (
        "comes with FERscope" if manifest.id in builtin_manifests() else "in the store" if manifest.id in own else ""
    )
    result = {**_as_json(manifest, own), "taken": taken}
    said = f"{arguments.file.name} is a manifest: {manifest.title} ({manifest.id})."
    print_result(result, arguments.json, f"{said} There is one of this id already: {taken}." if taken else said)


def _add(arguments: argparse.Namespace) -> None:
    read_manifest(arguments.file)  # for a message that names the file
    manifest = save_manifest(arguments.file.read_text(encoding="utf-8-sig"), settings(), replace=arguments.replace)
    print_result(_as_json(manifest, {manifest.id: manifest}), arguments.json, f"{manifest.id} is in the store.")


def _delete(arguments: argparse.Namespace) -> None:
    delete_manifest(arguments.id, settings())
    print_result({"id": arguments.id, "deleted": True}, arguments.json, f"The manifest {arguments.id} was deleted.")


def _as_json(manifest: Manifest, own: dict[str, Manifest]) -> dict[str, Any]:
    return {
        "id": manifest.id,
        "title": manifest.title,
        "layout": manifest.layout,
        "license": manifest.license,
        "published": manifest.published is not None,
        "own": manifest.id in own,
    }
