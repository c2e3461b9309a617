from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fer_core.data.ingest.preview import ImportPreview, preview_import, select_manifest
from fer_core.data.manifest import Manifest, TableColumns, builtin_manifests
from fer_core.data.manifest_store import save_manifest
from fer_core.data.readers import detect_reader
from fer_core.data.record import Split
from fer_core.data.sources.source import open_source
from fer_core.errors import DatasetError
from fer_core.labels import Expression
from fer_core.settings import Settings
from tests.support.sources import EMPTY_MANIFEST, write_folder, write_zip

FERPLUS_ROW = 'a{n}.png,"(0, 0, 48, 48)",{votes}\n'


def _proposed(folder: Path, files: dict[str, Any], manifest: Manifest = EMPTY_MANIFEST, **more: int) -> ImportPreview:
    with open_source(write_folder(folder, files), Settings()) as source:
        return preview_import(source, manifest, **more)


def _labels(found: ImportPreview) -> dict[str, tuple[int, str | None, bool]]:
    return {raw: (int(n), e and str(e), bool(known)) for raw, n, e, known in found.labels.itertuples(index=False)}


def _fitting(source: Path, store: Settings, layout: str = "", dataset_id: str = "", name: str = "data") -> Manifest:
    with open_source(source, store) as opened:
        return select_manifest(opened, layout, dataset_id, name, store)


def test_labels_come_with_counts_and_what_they_become(tmp_path: Path) -> None:
    manifest = EMPTY_MANIFEST.model_copy(update={"labels": {"Glad": Expression.HAPPINESS, "other": None}})
    names = [
        "Glad/1.png",
        "Glad/2.png",
        "Glad/3.png",
        "sad/1.png",
        "sad/2.png",
        "Other/1.png",
        "bored/1.png",
        "unknown/1.png",
        "5.png",
    ]
    found = _proposed(tmp_path, dict.fromkeys(names, ""), manifest)
    assert list(found.labels) == ["raw", "count", "expression", "known"]
    assert found.labels["raw"].tolist()[:2] == ["Glad", "sad"]
    assert _labels(found) == {
        "Glad": (3, "happiness", True),
        "sad": (2, "sadness", True),
        "Other": (1, None, True),
        "bored": (1, None, False),
        "unknown": (1, None, True),
        "": (1, None, True),
    }
    assert found.unknown_labels == ("bored",)
    assert (found.n_files, found.n_records, found.complete) == (9, 9, True)


def test_splits_and_people_are_counted(tmp_path: Path) -> None:
    manifest = EMPTY_MANIFEST.model_copy(
        update={"identity_pattern": "^(p[0-9]+)", "subgroup_patterns": {"gender": "-([fm])"}}
    )
    names = ["train/sad/p1-f.png", "train/sad/p1-a.png", "test/sad/p2.png", "sad/x.png"]
    found = _proposed(tmp_path, dict.fromkeys(names, ""), manifest)
    assert found.splits == {Split.TRAIN: 2, Split.TEST: 1, "": 1}
    assert list(found.splits) == ["train", "test", ""]
    assert found.identities == 2
    assert found.extra_fields == ("gender",)
    assert (found.missing_files, found.tables, found.columns) == ((), (), ())


def test_what_else_there_is_and_what_is_missing_is_told(tmp_path: Path) -> None:
    rows = "".join(FERPLUS_ROW.format(n=n, votes="9,1,0,0,0,0,0,0,0,0") for n in range(20))
    files = {"FER2013Train/label.csv": rows, "FER2013Train/a3.png": ""}
    found = _proposed(tmp_path, files, builtin_manifests()["ferplus"])
    assert found.extra_fields == ("votes",)
    assert found.missing_files == tuple(f"FER2013Train/a{n}.png" for n in (0, 1, 2, 4, 5))
    assert (found.n_files, found.n_records) == (1, 20)
    assert _labels(found) == {"neutral": (20, "neutral", True)}


def test_a_table_shows_its_columns_and_the_tables_there_are(tmp_path: Path) -> None:
    text = "image,emotion,v,a,l,t,r,b\na.png,fear,0,0,1,1,5,5\ngone.png,joy,,,1,1,5,5\n"
    columns = TableColumns(
        path="image", label="emotion", valence="v", arousal="a", box=("l", "t", "r", "b"), table="x.csv"
    )
    manifest = EMPTY_MANIFEST.model_copy(update={"layout": "table", "columns": columns})
    found = _proposed(tmp_path, {"x.csv": text, "more/y.txt": "", "a.png": ""}, manifest)
    assert found.tables == ("more/y.txt", "x.csv")
    assert found.columns == ("image", "emotion", "v", "a", "l", "t", "r", "b")
    assert found.extra_fields == ("valence and arousal", "face boxes")
    assert found.missing_files == ("gone.png",)


def test_a_long_source_is_looked_at_in_part(tmp_path: Path) -> None:
    files = dict.fromkeys((f"sad/{n}.png" for n in range(10)), "")
    found = _proposed(tmp_path, files, records_max=4)
    assert (found.n_files, found.n_records, found.complete) == (10, 4, False)
    assert _proposed(tmp_path, files, records_max=10).complete


def test_a_proposal_writes_nothing(tmp_path: Path, store: Settings) -> None:
    path = write_zip(tmp_path / "faces.zip", {"sad/1.png": "", "bored/2.png": ""})
    before = sorted(path.parent.rglob("*"))
    with open_source(path, store) as source:
        manifest = select_manifest(source, "", "", "faces", store)
        assert preview_import(source, manifest).unknown_labels == ("bored",)
    assert sorted(path.parent.rglob("*")) == before
    assert not store.store.exists()


def test_an_unreadable_label_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"FER2013Train/label\.csv"):
        _proposed(tmp_path, {"FER2013Train/label.csv": "a,b\n"}, builtin_manifests()["ferplus"])


def test_class_folders_of_any_name_get_a_manifest_of_their_own(tmp_path: Path, store: Settings) -> None:
    folder = write_folder(tmp_path, {"sad/1.png": ""})
    plain = _fitting(folder, store, name="My Faces")
    assert (plain.id, plain.title, plain.layout, plain.labels) == ("my-faces", "My Faces", "folders", {})
    assert _fitting(folder, store, dataset_id="mine").id == "mine"


def test_the_only_manifest_of_a_layout_fits(tmp_path: Path, store: Settings) -> None:
    row = FERPLUS_ROW.format(n=0, votes="9,1,0,0,0,0,0,0,0,0")
    folder = write_folder(tmp_path, {"FER2013Train/label.csv": row, "FER2013Train/a0.png": ""})
    assert _fitting(folder, store) == builtin_manifests()["ferplus"]
    assert _fitting(folder, store, dataset_id="mine") == builtin_manifests()["ferplus"]


@pytest.mark.parametrize(
    ("dataset_id", "name"), [("synthetic-faces", "x"), ("", "synthetic-faces"), ("", "Synthetic Faces")]
)
def test_a_manifest_fits_by_its_name(dataset_id: str, name: str, tmp_path: Path, store: Settings) -> None:
    folder = write_folder(tmp_path, {"train/sad/1.png": ""})
    assert _fitting(folder, store, "", dataset_id, name) == builtin_manifests()["synthetic-faces"]


@pytest.mark.parametrize("name", ["fer2013", "ferplus", "affectnet", "rafdb"])
def test_a_manifest_of_the_right_name_and_another_layout_does_not_fit(
    name: str, tmp_path: Path, store: Settings
) -> None:
    """FER2013 comes as a table and as class folders, in folders of the same name."""
    folder = write_folder(tmp_path, {"train/angry/1.png": ""})
    assert recognize_layout(folder) == "folders"
    assert _fitting(folder, store, name=name).layout == "folders"
    assert _fitting(folder, store, dataset_id=name).layout == "folders"


def recognize_layout(folder: Path) -> str:
    with open_source(folder, Settings()) as source:
        return detect_reader(source).layout


def test_ones_own_manifest_fits_even_where_nobody_recognizes_its_folders(tmp_path: Path, store: Settings) -> None:
    own = "{id: own, title: Own, summary: '', license: MIT, layout: folders, labels: {c1: fear, c2: anger}}"
    save_manifest(own, store)
    folder = write_folder(tmp_path / "own", {"c1/1.png": "", "c2/2.png": ""})
    fitting = _fitting(folder, store, name="own")
    assert fitting.id == "own"
    with open_source(folder, store) as source:
        assert preview_import(source, fitting).unknown_labels == ()


def test_a_table_gets_its_columns_guessed(tmp_path: Path, store: Settings) -> None:
    folder = write_folder(tmp_path, {"legend.csv": "image,emotion\na.png,sad\n", "a.png": ""})
    manifest = _fitting(folder, store)
    assert manifest.columns is not None
    assert (manifest.layout, manifest.columns.path, manifest.columns.label) == ("table", "image", "emotion")


def test_labels_in_names_need_a_manifest(tmp_path: Path, store: Settings) -> None:
    folder = write_folder(tmp_path, {"KA.AN1.39.tiff": ""})
    with pytest.raises(DatasetError, match="label_pattern"):
        _fitting(folder, store, "names")
    with pytest.raises(DatasetError, match="not recognized"):
        _fitting(folder, store)
    assert _fitting(folder, store, "names", "jaffe").id == "jaffe"
    assert _fitting(folder, store, dataset_id="jaffe").id == "jaffe"


def test_an_unknown_layout_lists_the_choices(tmp_path: Path, store: Settings) -> None:
    with pytest.raises(DatasetError, match=r"'heap'.*ferplus"):
        _fitting(write_folder(tmp_path, {"sad/1.png": ""}), store, "heap")
