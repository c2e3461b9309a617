from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fer_core.data.manifest import (
    MANIFESTS_DIR,
    Manifest,
    dump_manifest,
    known_manifests,
    parse_manifest,
    read_manifest,
)
from fer_core.errors import ManifestError
from fer_core.labels import Expression

FILES = sorted(MANIFESTS_DIR.glob("*.yaml"))
SMALL: dict[str, Any] = {"id": "mine", "title": "Mine", "summary": "A few.", "licence": "MIT"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_manifest_that_comes_with_the_project_loads(path: Path) -> None:
    manifest = read_manifest(path)
    assert manifest.id == path.stem
    assert manifest.title and manifest.summary and manifest.licence
    if manifest.published:
        assert manifest.published.source
        assert all(count >= 0 for part in manifest.published.splits.values() for count in part.values())


def test_known_manifests_are_all_files_by_title() -> None:
    known = known_manifests()
    assert set(known) == {path.stem for path in FILES}
    titles = [manifest.title.lower() for manifest in known.values()]
    assert titles == sorted(titles)


def test_drawings_say_that_they_are_drawings() -> None:
    assert [manifest.id for manifest in known_manifests().values() if manifest.drawn] == ["drawn-faces"]


@pytest.mark.parametrize("manifest", known_manifests().values(), ids=known_manifests())
def test_dumping_and_reading_gives_it_back(manifest: Manifest, tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(dump_manifest(manifest), encoding="utf-8")
    assert read_manifest(path) == manifest


def test_an_unknown_key_lists_the_known_ones() -> None:
    with pytest.raises(ManifestError) as caught:
        parse_manifest({**SMALL, "license": "MIT"}, "mine.yaml")
    assert "mine.yaml: unknown key 'license'" in str(caught.value)
    assert all(key in str(caught.value) for key in Manifest.model_fields)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"id": "No Good"}, "id"),
        ({"layout": "heap"}, "layout"),
        ({"labels": {"glad": "gladness"}}, "labels.glad"),
        ({"contents": {"votes": "maybe"}}, "contents.votes"),
        ({"published": {"source": "x", "splits": {"train": {"fear": "few"}}}}, "published.splits.train.fear"),
        ({"title": None}, "title"),
    ],
)
def test_a_wrong_value_is_named_by_its_place(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ManifestError, match=rf"mine\.yaml: {named}"):
        parse_manifest({**SMALL, **change}, "mine.yaml")


@pytest.mark.parametrize("missing", ["id", "title", "summary", "licence"])
def test_a_missing_key_is_named(missing: str) -> None:
    with pytest.raises(ManifestError, match=f"{missing}: Field required"):
        parse_manifest({key: value for key, value in SMALL.items() if key != missing}, "mine.yaml")


@pytest.mark.parametrize("content", [b"id: [", b"\xff\xfe\x00", b"a: b: c", b"- a\n- b\n", b"", b"just words"])
def test_what_is_not_a_yaml_mapping_is_an_error_that_names_the_file(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(content)
    with pytest.raises(ManifestError, match=r"mine\.yaml"):
        read_manifest(tmp_path / "mine.yaml")


def test_a_missing_file_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"none\.yaml"):
        read_manifest(tmp_path / "none.yaml")


def test_yaml_makes_no_objects(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("id: !!python/object/apply:os.system ['touch made']\n")
    with pytest.raises(ManifestError):
        read_manifest(tmp_path / "mine.yaml")


def test_labels_may_be_left_out_with_null() -> None:
    manifest = parse_manifest({**SMALL, "labels": {"afraid": "fear", "bored": None}}, "mine.yaml")
    assert manifest.labels == {"afraid": Expression.FEAR, "bored": None}
