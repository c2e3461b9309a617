from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from fer_core.data.manifest import (
    CHARACTERS_MAX,
    MANIFESTS_DIR,
    Contents,
    Layout,
    Manifest,
    PublishedCounts,
    TableColumns,
    builtin_manifests,
    dump_manifest,
    parse_manifest,
    parse_manifest_text,
    read_manifest,
)
from fer_core.errors import ManifestError
from fer_core.labels import Expression

DOCS = MANIFESTS_DIR.parent / "docs" / "manifests.md"
SMALL: dict[str, Any] = {"id": "sample", "title": "Sample", "summary": "A few.", "license": "MIT"}


@pytest.mark.parametrize("manifest", builtin_manifests().values(), ids=builtin_manifests())
def test_a_dumped_manifest_is_read_back(manifest: Manifest, tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(dump_manifest(manifest), encoding="utf-8")
    assert read_manifest(path) == manifest


def test_an_unknown_key_lists_the_known_ones() -> None:
    with pytest.raises(ManifestError) as caught:
        parse_manifest({**SMALL, "licence": "MIT"}, "sample.yaml")
    assert "sample.yaml: unknown key 'licence'" in str(caught.value)
    assert all(key in str(caught.value) for key in Manifest.model_fields)


def test_an_unknown_nested_key_lists_the_known_ones() -> None:
    with pytest.raises(ManifestError, match=r"unknown key 'columns\.header'\. Known keys: path, label") as caught:
        parse_manifest({**SMALL, "columns": {"path": "a", "label": "b", "header": 1}}, "sample.yaml")
    assert "license" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "No Good"}, "id"),
        ({"layout": "heap"}, "layout"),
        ({"labels": {"glad": "gladness"}}, "labels.glad"),
        ({"labels": {False: None}}, "labels: False is not text: put the label in quotes"),
        ({"labels": ["fear"]}, "labels"),
        ({"contents": {"votes": "maybe"}}, "contents.votes"),
        ({"published": {"source": "x", "splits": {"train": {"fear": "few"}}}}, "published.splits.train.fear"),
        ({"published": {"source": "x", "splits": {"train": {"fear": -1}}}}, "published.splits.train.fear"),
        ({"published": {"source": "", "splits": {}}}, "published.source"),
        ({"title": None}, "title"),
        ({"identity_pattern": "("}, r"identity_pattern: '\(' is not a regular expression"),
        ({"identity_pattern": "^[A-Z]+"}, "identity_pattern: .* has no group"),
        ({"subgroup_patterns": {"gender": "F|M"}}, "subgroup_patterns: .* has no group"),
        ({"layout": "names"}, ".* needs a label_pattern"),
        ({"layout": "table"}, ".* needs columns"),
    ],
)
def test_an_invalid_value_is_named_by_its_key(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ManifestError, match=rf"sample\.yaml: {message}"):
        parse_manifest({**SMALL, **change}, "sample.yaml")


@pytest.mark.parametrize("missing", ["id", "title", "summary", "license"])
def test_a_missing_key_is_named(missing: str) -> None:
    with pytest.raises(ManifestError, match=f"{missing}: Field required"):
        parse_manifest({key: value for key, value in SMALL.items() if key != missing}, "sample.yaml")


@pytest.mark.parametrize("content", [b"id: [", b"\xff\xfe\x00", b"a: b: c", b"- a\n- b\n", b"", b"just words"])
def test_a_file_that_is_not_a_yaml_mapping_is_named_in_the_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "sample.yaml").write_bytes(content)
    with pytest.raises(ManifestError, match=r"sample\.yaml"):
        read_manifest(tmp_path / "sample.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("terms: 2001-99-99", "month must be in"),
        ("[" * 5000, "nested too deeply"),
        ("#" * (CHARACTERS_MAX + 1), f"may have {CHARACTERS_MAX:,}"),
    ],
)
def test_text_that_yaml_cannot_parse_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ManifestError, match=rf"sample\.yaml .*{message}"):
        parse_manifest_text(text, "sample.yaml")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"none\.yaml"):
        read_manifest(tmp_path / "none.yaml")


def test_yaml_cannot_create_objects(tmp_path: Path) -> None:
    (tmp_path / "sample.yaml").write_text("id: !!python/object/apply:os.system ['touch made']\n")
    with pytest.raises(ManifestError):
        read_manifest(tmp_path / "sample.yaml")


def test_labels_can_be_ignored_with_null() -> None:
    manifest = parse_manifest({**SMALL, "labels": {"afraid": "fear", "bored": None}}, "sample.yaml")
    assert manifest.labels == {"afraid": Expression.FEAR, "bored": None}


def test_codes_need_no_quotes() -> None:
    text = "id: sample\ntitle: Sample\nsummary: A few.\nlicence: MIT\nlabels: {0: fear, 1: null}\n"
    assert parse_manifest_text(text, "sample.yaml").labels == {"0": Expression.FEAR, "1": None}


def _yaml_blocks() -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```", DOCS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_examples_in_the_docs_are_valid() -> None:
    blocks = _yaml_blocks()
    assert blocks and blocks[0].startswith("id: ")
    for block in blocks:
        head = "" if block.startswith("id: ") else "id: sample\ntitle: Sample\nsummary: A few.\nlicence: MIT\n"
        parse_manifest_text(head + block, "docs/manifests.md")


def test_the_docs_name_every_key_and_layout() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for model in (Manifest, TableColumns, Contents, PublishedCounts):
        for key in model.model_fields:
            assert f"`{key}`" in text, key
    for layout in get_args(Layout):
        assert not layout or f"**{layout}**" in text, layout
