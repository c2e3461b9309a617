"""`datasets manifest list|check|add|delete`: the built-in manifests and the user's."""

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
    """Add the action and its nested actions."""
    parser = action("manifest", "list, check, add and delete manifests", _list)
    inner = parser.add_subparsers(title="actions", required=True, metavar="ACTION")

    def nested(name: str, help_text: str, run: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:
        nested_parser: argparse.ArgumentParser = inner.add_parser(name, help=help_text)
        # Without a default, which would override a --json before the action's name.
        nested_parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON alone")
        nested_parser.set_defaults(run=run)
        return nested_parser

    nested("list", "list all manifests", _list)
    nested("check", "check a manifest file", _check).add_argument("file", type=Path)
    adding = nested("add", "add a manifest file to the store", _add)
    adding.add_argument("file", type=Path)
    adding.add_argument("--replace", action="store_true", help="replace your manifest of the same id")
    nested("delete", "delete your manifest; datasets imported with it stay", _delete).add_argument("id")


def _list(arguments: argparse.Namespace) -> None:
    own = user_manifests(settings())
    rows = [_to_dict(manifest, own) for manifest in all_manifests(settings()).values()]
    shown = [
        {
            "id": row["id"],
            "title": row["title"],
            "layout": row["layout"] or "-",
            "source": "yours" if row["own"] else "built in",
        }
        for row in rows
    ]
    print_result(rows, arguments.json, format_table(shown, "No manifests."))


def _check(arguments: argparse.Namespace) -> None:
    manifest = read_manifest(arguments.file)
    own = user_manifests(settings())
    taken = "built in" if manifest.id in builtin_manifests() else "in the store" if manifest.id in own else ""
    result = {**_to_dict(manifest, own), "taken": taken}
    text = f"{arguments.file.name} is a manifest: {manifest.title} ({manifest.id})."
    print_result(result, arguments.json, f"{text} This id is already taken: {taken}." if taken else text)


def _add(arguments: argparse.Namespace) -> None:
    read_manifest(arguments.file)  # so that an error names the file
    manifest = save_manifest(arguments.file.read_text(encoding="utf-8-sig"), settings(), replace=arguments.replace)
    print_result(_to_dict(manifest, {manifest.id: manifest}), arguments.json, f"Added {manifest.id} to the store.")


def _delete(arguments: argparse.Namespace) -> None:
    delete_manifest(arguments.id, settings())
    print_result({"id": arguments.id, "deleted": True}, arguments.json, f"The manifest {arguments.id} was deleted.")


def _to_dict(manifest: Manifest, own: dict[str, Manifest]) -> dict[str, Any]:
    return {
        "id": manifest.id,
        "title": manifest.title,
        "layout": manifest.layout,
        "license": manifest.license,
        "published": manifest.published is not None,
        "own": manifest.id in own,
    }
