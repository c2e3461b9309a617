"""Built-in manifests: consistent counts, labels and patterns."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from fer_core.data.manifest import MANIFESTS_DIR, Manifest, PublishedCounts, builtin_manifests, read_manifest
from fer_core.data.readers import READERS, get_reader
from fer_core.data.record import Record
from fer_core.data.sources.source import open_source
from fer_core.labels import Expression
from fer_core.settings import Settings

FILES = sorted(MANIFESTS_DIR.glob("*.yaml"))

EXPECTED = {
    "affectnet",
    "affectnet-8",
    "ckplus",
    "synthetic-faces",
    "expw",
    "facial-expressions",
    "fer2013",
    "fer2013-folders",
    "ferplus",
    "jaffe",
    "kdef",
    "rafdb",
    "sfew",
    "study-b",
    "study-c",
}
WITHOUT_CITATION = {"synthetic-faces", "study-b", "study-c"}
"""Datasets without a publication."""

TOTALS: dict[str, dict[str, int]] = {
    "affectnet": {"": 456_349},
    "affectnet-8": {"train": 287_651},
    "ckplus": {"": 3 * 327},
    "expw": {"": 91_793},
    "facial-expressions": {"": 3_544},
    "fer2013": {"train": 28_709, "valid": 3_589, "test": 3_589},
    "fer2013-folders": {"train": 28_709, "test": 7_178},
    "jaffe": {"": 213},
    "kdef": {"": 70 * 7 * 5 * 2},
    "rafdb": {"train": 12_271, "test": 3_068},
    "study-b": {"train": 15_109, "valid": 4_977, "test": 128},
}
"""Published totals, which are not in the manifests; FER+ is checked in test_imbalance."""


def _published(dataset_id: str) -> PublishedCounts:
    published = builtin_manifests()[dataset_id].published
    assert published is not None
    return published


def _first_group(pattern: str, name: str) -> str | None:
    match = re.search(pattern, name)
    return match.group(1) if match else None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_built_in_manifest_loads(path: Path) -> None:
    manifest = read_manifest(path)
    assert manifest.id == path.stem
    assert manifest.title and manifest.summary and manifest.license and manifest.terms and manifest.problems
    assert manifest.layout in READERS
    assert bool(manifest.citation) == (manifest.id not in WITHOUT_CITATION)
    assert re.fullmatch(r"https?://\S+", manifest.homepage) or manifest.id in {"synthetic-faces", "study-c"}
    assert manifest.contents.identities == bool(manifest.identity_pattern)
    if manifest.published:
        split_names = set(manifest.published.splits)
        assert split_names == {""} or split_names <= {"train", "valid", "test"}
        assert all(count > 0 for split in manifest.published.splits.values() for count in split.values())


def test_built_in_manifests_are_sorted_by_title() -> None:
    known = builtin_manifests()
    assert set(known) == {path.stem for path in FILES} == EXPECTED
    titles = [manifest.title.lower() for manifest in known.values()]
    assert titles == sorted(titles)


def test_only_synthetic_faces_are_marked_as_synthetic() -> None:
    assert [manifest.id for manifest in builtin_manifests().values() if manifest.synthetic] == ["synthetic-faces"]


@pytest.mark.parametrize("dataset_id", sorted(TOTALS))
def test_published_counts_sum_to_the_published_totals(dataset_id: str) -> None:
    published = _published(dataset_id)
    totals = {split: sum(counts.values()) for split, counts in published.splits.items()}
    if published.others:
        assert list(totals) == [""]
        totals[""] += sum(published.others.values())
    assert totals == TOTALS[dataset_id]


def test_all_manifests_with_counts_are_checked() -> None:
    with_counts = {manifest.id for manifest in builtin_manifests().values() if manifest.published}
    assert with_counts == {*TOTALS, "ferplus"}


def test_both_layouts_of_fer2013_have_the_same_counts() -> None:
    table, folders = _published("fer2013").splits, _published("fer2013-folders").splits
    assert table["train"] == folders["train"]
    for expression, count in folders["test"].items():
        assert count == table["valid"][expression] + table["test"][expression]


def test_affectnet_8_is_a_subset_of_affectnet() -> None:
    full, subset = _published("affectnet").splits[""], _published("affectnet-8").splits["train"]
    assert list(subset) == list(full) == list(Expression)
    assert all(subset[expression] < full[expression] for expression in Expression)


@pytest.mark.parametrize(
    "manifest", [pytest.param(manifest, id=name) for name, manifest in builtin_manifests().items() if manifest.labels]
)
def test_the_label_map_covers_all_codes_and_published_classes(manifest: Manifest) -> None:
    reader = READERS[manifest.layout]
    label_map = reader.label_map(manifest)
    for code, expression in reader.codes.items():
        assert label_map.expression(code) is expression, code
        assert manifest.labels[code] is expression, code
    for code, reason in reader.unlabeled.items():
        assert label_map.unlabeled_reason(code) == reason
    if manifest.published and manifest.labels:
        expressions = {expression for split in manifest.published.splits.values() for expression in split}
        assert expressions == set(manifest.labels.values())


def test_fer2013_codes_are_in_the_published_order() -> None:
    labels = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    assert {**builtin_manifests()["fer2013"].labels} == {str(code): label for code, label in enumerate(labels)}
    assert builtin_manifests()["expw"].labels == builtin_manifests()["fer2013"].labels


@pytest.mark.parametrize(
    ("dataset_id", "name", "identity", "label"),
    [
        ("jaffe", "KA.AN1.39.tiff", "KA", Expression.ANGER),
        ("jaffe", "YM.SU3.62.tiff", "YM", Expression.SURPRISE),
        ("jaffe", "KL.NE2.156.tiff", "KL", Expression.NEUTRAL),
        ("kdef", "AF01ANS.JPG", "F01", Expression.ANGER),
        ("kdef", "BM35SUFR.JPG", "M35", Expression.SURPRISE),
        ("kdef", "AF20AFHL.JPG", "F20", Expression.FEAR),
        ("kdef", "AF20AFHL.jpg", "F20", Expression.FEAR),
    ],
)
def test_identity_and_label_are_read_from_file_names(
    dataset_id: str, name: str, identity: str, label: Expression
) -> None:
    manifest = builtin_manifests()[dataset_id]
    assert _first_group(manifest.identity_pattern, name) == identity
    assert manifest.labels[_first_group(manifest.label_pattern, name) or ""] is label


@pytest.mark.parametrize(
    ("dataset_id", "name", "identity"),
    [
        ("ckplus", "S010_004_00000017.png", "S010"),
        ("ckplus", "S138_008_00000007.png", "S138"),
        ("facial-expressions", "Aaron_Peirsol_0002.jpg", "Aaron_Peirsol"),
        ("facial-expressions", "Abdel_Aziz_Al-Hakim_0001.jpg", "Abdel_Aziz_Al-Hakim"),
        ("facial-expressions", "Dileep_101.jpg", "Dileep"),
        ("facial-expressions", "facial-expressions_2868584k.jpg", None),
        ("synthetic-faces", "id0012-000345.png", "id0012"),
    ],
)
def test_the_identity_is_read_from_file_names(dataset_id: str, name: str, identity: str | None) -> None:
    assert _first_group(builtin_manifests()[dataset_id].identity_pattern, name) == identity


def test_kdef_names_give_gender_angle_and_session() -> None:
    manifest = builtin_manifests()["kdef"]

    def subgroups(name: str) -> dict[str, str | None]:
        return {group: _first_group(pattern, name) for group, pattern in manifest.subgroup_patterns.items()}

    assert subgroups("AF01ANS.JPG") == {"gender": "F", "angle": "S", "session": "A"}
    assert subgroups("BM35SUFR.JPG") == {"gender": "M", "angle": "FR", "session": "B"}
    sessions = ("AF01ANS.JPG", "BF01NEHL.JPG")
    assert {_first_group(manifest.identity_pattern, name) for name in sessions} == {"F01"}
    averaged_name = "FAFFL.JPG"  # averaged faces of AKDEF, which are distributed with KDEF
    assert _first_group(manifest.label_pattern, averaged_name) is None
    assert set(subgroups(averaged_name).values()) == {None}


def _records(folder: Path, dataset_id: str) -> list[Record]:
    manifest = builtin_manifests()[dataset_id]
    with open_source(folder, Settings()) as source:
        return list(get_reader(manifest.layout).read(source, manifest))


@pytest.mark.parametrize("images", ["origin", "image/origin"])
def test_expw_is_read_with_face_boxes(images: str, tmp_path: Path) -> None:
    (tmp_path / images).mkdir(parents=True)
    (tmp_path / images / "angry_actor_104.jpg").touch()
    (tmp_path / "label.lst").write_text("angry_actor_104.jpg 0 28 113 226 141 22.9362 6\n")
    (record,) = _records(tmp_path, "expw")
    assert record.path == f"{images}/angry_actor_104.jpg"
    assert record.box == (113, 28, 226, 141)
    assert builtin_manifests()["expw"].labels[record.raw_label] is Expression.NEUTRAL


def test_sfew_is_read_from_its_folders(tmp_path: Path) -> None:
    (tmp_path / "Val" / "Angry").mkdir(parents=True)
    (tmp_path / "Val" / "Angry" / "a.png").touch()
    (record,) = _records(tmp_path, "sfew")
    assert (record.split, builtin_manifests()["sfew"].labels[record.raw_label]) == ("valid", Expression.ANGER)


def test_facial_expressions_has_its_published_counts(test_data: Path) -> None:
    records = _records(test_data / "facial_expressions.zip", "facial-expressions")
    labels = builtin_manifests()["facial-expressions"].labels
    assert Counter(labels[record.raw_label] for record in records) == _published("facial-expressions").splits[""]
    assert sum(record.identity is None for record in records) == 3
    assert records[0].path.startswith("images/")
