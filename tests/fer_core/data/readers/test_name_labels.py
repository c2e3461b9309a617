from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.data.catalog import import_dataset
from fer_core.data.manifest import builtin_manifests
from fer_core.data.record import Split
from fer_core.errors import DatasetError
from fer_core.settings import Settings
from tests.support.sources import EMPTY_MANIFEST, png, read_labels, read_records, write_folder

JAFFE = builtin_manifests()["jaffe"]
KDEF = builtin_manifests()["kdef"]


def test_jaffe_labels_are_read_from_file_names(tmp_path: Path) -> None:
    files = dict.fromkeys(["jaffe/KA.AN1.39.tiff", "jaffe/KA.HA2.30.tiff", "jaffe/YM.NE3.51.tiff", "jaffe/README"], "")
    records = read_records(write_folder(tmp_path, files), "names", JAFFE)
    assert [(r.identity, r.raw_label) for r in records] == [("KA", "AN"), ("KA", "HA"), ("YM", "NE")]
    labels = [label for label, _ in read_labels(tmp_path, "names", JAFFE).values()]
    assert labels == ["anger", "happiness", "neutral"]


def test_kdef_labels_and_subgroups_are_read_from_file_names(tmp_path: Path) -> None:
    files = dict.fromkeys(["KDEF/AF01/AF01ANS.JPG", "KDEF/AF01/AF01SUHL.JPG", "KDEF/BM35/BM35AFFR.JPG"], "")
    first, second, third = read_records(write_folder(tmp_path, files), "names", KDEF)
    labels = [label for label, _ in read_labels(tmp_path, "names", KDEF).values()]
    assert labels == ["anger", "surprise", "fear"]
    assert first.identity == second.identity != third.identity
    groups = [dict(record.subgroups) for record in (first, second, third)]
    assert set(groups[0]) == set(KDEF.subgroup_patterns)
    for name in KDEF.subgroup_patterns:
        assert all(group[name] for group in groups)
    assert groups[0] != groups[1] != groups[2]


def test_subgroups_are_in_the_index(tmp_path: Path, store: Settings) -> None:
    files = {f"KDEF/{name}.JPG": png(n) for n, name in enumerate(["AF01ANS", "BM02HAFL", "AM03SAHR"])}
    imported = import_dataset(write_folder(tmp_path / "kdef", files), store, dataset_id="kdef")
    index = imported.index()
    assert index["label"].tolist() == ["anger", "sadness", "happiness"]
    assert {name for name in index if name.startswith("group_")} == {f"group_{name}" for name in KDEF.subgroup_patterns}
    assert index["identity"].nunique() == 3


def test_splits_are_read_from_folders_and_other_names_are_skipped(tmp_path: Path) -> None:
    manifest = EMPTY_MANIFEST.model_copy(update={"layout": "names", "label_pattern": "_([a-z]+)[.]"})
    write_folder(tmp_path, dict.fromkeys(["train/1_fear.png", "test/2_sad.png", "3.png", "4_joy.txt"], ""))
    rows = [(record.path, record.split, record.raw_label) for record in read_records(tmp_path, "names", manifest)]
    assert rows == [("test/2_sad.png", Split.TEST, "sad"), ("train/1_fear.png", Split.TRAIN, "fear")]


def test_a_missing_or_unmatched_pattern_is_an_error(tmp_path: Path) -> None:
    write_folder(tmp_path, {"a.png": ""})
    with pytest.raises(DatasetError, match=r"label_pattern .* matches no image"):
        read_records(tmp_path, "names", JAFFE)
    with pytest.raises(DatasetError, match="needs a manifest with a label_pattern"):
        read_records(tmp_path, "names")
