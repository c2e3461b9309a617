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


def _preview(folder: Path, files: dict[str, Any], manifest: Manifest = EMPTY_MANIFEST, **options: int) -> ImportPreview:
    with open_source(write_folder(folder, files), Settings()) as source:
        return preview_import(source, manifest, **options)


def _labels(preview: ImportPreview) -> dict[str, tuple[int, str | None, bool]]:
    return {raw: (int(n), e and str(e), bool(known)) for raw, n, e, known in preview.labels.itertuples(index=False)}


def _select_manifest(
    source: Path, store: Settings, layout: str = "", dataset_id: str = "", name: str = "data"
) -> Manifest:
    with open_source(source, store) as opened_source:
        return select_manifest(opened_source, layout, dataset_id, name, store)


def test_labels_have_counts_and_expressions(tmp_path: Path) -> None:
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
    preview = _preview(tmp_path, dict.fromkeys(names, ""), manifest)
    assert list(preview.labels) == ["raw", "count", "expression", "known"]
    assert preview.labels["raw"].tolist()[:2] == ["Glad", "sad"]
    assert _labels(preview) == {
        "Glad": (3, "happiness", True),
        "sad": (2, "sadness", True),
        "Other": (1, None, True),
        "bored": (1, None, False),
        "unknown": (1, None, True),
        "": (1, None, True),
    }
    assert preview.unknown_labels == ("bored",)
    assert (preview.n_files, preview.n_records, preview.complete) == (9, 9, True)


def test_splits_and_identities_are_counted(tmp_path: Path) -> None:
    manifest = EMPTY_MANIFEST.model_copy(
        update={"identity_pattern": "^(p[0-9]+)", "subgroup_patterns": {"gender": "-([fm])"}}
    )
    names = ["train/sad/p1-f.png", "train/sad/p1-a.png", "test/sad/p2.png", "sad/x.png"]
    preview = _preview(tmp_path, dict.fromkeys(names, ""), manifest)
    assert preview.splits == {Split.TRAIN: 2, Split.TEST: 1, "": 1}
    assert list(preview.splits) == ["train", "test", ""]
    assert preview.identities == 2
    assert preview.extra_fields == ("gender",)
    assert (preview.missing_files, preview.tables, preview.columns) == ((), (), ())


def test_extra_fields_and_missing_files_are_listed(tmp_path: Path) -> None:
    rows = "".join(FERPLUS_ROW.format(n=n, votes="9,1,0,0,0,0,0,0,0,0") for n in range(20))
    files = {"FER2013Train/label.csv": rows, "FER2013Train/a3.png": ""}
    preview = _preview(tmp_path, files, builtin_manifests()["ferplus"])
    assert preview.extra_fields == ("votes",)
    assert preview.missing_files == tuple(f"FER2013Train/a{n}.png" for n in (0, 1, 2, 4, 5))
    assert (preview.n_files, preview.n_records) == (1, 20)
    assert _labels(preview) == {"neutral": (20, "neutral", True)}


def test_columns_and_tables_are_listed(tmp_path: Path) -> None:
    text = "image,emotion,v,a,l,t,r,b\na.png,fear,0,0,1,1,5,5\ngone.png,joy,,,1,1,5,5\n"
    columns = TableColumns(
        path="image", label="emotion", valence="v", arousal="a", box=("l", "t", "r", "b"), table="x.csv"
    )
    manifest = EMPTY_MANIFEST.model_copy(update={"layout": "table", "columns": columns})
    preview = _preview(tmp_path, {"x.csv": text, "more/y.txt": "", "a.png": ""}, manifest)
    assert preview.tables == ("more/y.txt", "x.csv")
    assert preview.columns == ("image", "emotion", "v", "a", "l", "t", "r", "b")
    assert preview.extra_fields == ("valence and arousal", "face boxes")
    assert preview.missing_files == ("gone.png",)


def test_a_preview_reads_at_most_records_max_records(tmp_path: Path) -> None:
    files = dict.fromkeys((f"sad/{n}.png" for n in range(10)), "")
    preview = _preview(tmp_path, files, records_max=4)
    assert (preview.n_files, preview.n_records, preview.complete) == (10, 4, False)
    assert _preview(tmp_path, files, records_max=10).complete


def test_a_preview_writes_nothing(tmp_path: Path, store: Settings) -> None:
    path = write_zip(tmp_path / "faces.zip", {"sad/1.png": "", "bored/2.png": ""})
    before = sorted(path.parent.rglob("*"))
    with open_source(path, store) as source:
        manifest = select_manifest(source, "", "", "faces", store)
        assert preview_import(source, manifest).unknown_labels == ("bored",)
    assert sorted(path.parent.rglob("*")) == before
    assert not store.store.exists()


def test_an_unreadable_label_file_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"FER2013Train/label\.csv"):
        _preview(tmp_path, {"FER2013Train/label.csv": "a,b\n"}, builtin_manifests()["ferplus"])


def test_class_folders_get_a_manifest_named_after_the_source(tmp_path: Path, store: Settings) -> None:
    folder = write_folder(tmp_path, {"sad/1.png": ""})
    manifest = _select_manifest(folder, store, name="My Faces")
    assert (manifest.id, manifest.title, manifest.layout, manifest.labels) == ("my-faces", "My Faces", "folders", {})
    assert _select_manifest(folder, store, dataset_id="sample").id == "sample"


def test_the_only_manifest_of_a_layout_is_selected(tmp_path: Path, store: Settings) -> None:
    row = FERPLUS_ROW.format(n=0, votes="9,1,0,0,0,0,0,0,0,0")
    folder = write_folder(tmp_path, {"FER2013Train/label.csv": row, "FER2013Train/a0.png": ""})
    assert _select_manifest(folder, store) == builtin_manifests()["ferplus"]
    assert _select_manifest(folder, store, dataset_id="sample") == builtin_manifests()["ferplus"]


@pytest.mark.parametrize(
    ("dataset_id", "name"), [("synthetic-faces", "x"), ("", "synthetic-faces"), ("", "Synthetic Faces")]
)
def test_a_manifest_is_selected_by_id_or_title(dataset_id: str, name: str, tmp_path: Path, store: Settings) -> None:
    folder = write_folder(tmp_path, {"train/sad/1.png": ""})
    assert _select_manifest(folder, store, "", dataset_id, name) == builtin_manifests()["synthetic-faces"]


@pytest.mark.parametrize("name", ["fer2013", "ferplus", "affectnet", "rafdb"])
def test_a_manifest_with_another_layout_is_not_selected(name: str, tmp_path: Path, store: Settings) -> None:
    """FER2013 exists as a table and as class folders, in folders of the same name."""
    folder = write_folder(tmp_path, {"train/angry/1.png": ""})
    assert recognize_layout(folder) == "folders"
    assert _select_manifest(folder, store, name=name).layout == "folders"
    assert _select_manifest(folder, store, dataset_id=name).layout == "folders"


def recognize_layout(folder: Path) -> str:
    with open_source(folder, Settings()) as source:
        return detect_reader(source).layout


def test_a_saved_manifest_is_selected_for_unrecognized_folders(tmp_path: Path, store: Settings) -> None:
    text = "{id: own, title: Own, summary: '', license: MIT, layout: folders, labels: {c1: fear, c2: anger}}"
    save_manifest(text, store)
    folder = write_folder(tmp_path / "own", {"c1/1.png": "", "c2/2.png": ""})
    manifest = _select_manifest(folder, store, name="own")
    assert manifest.id == "own"
    with open_source(folder, store) as source:
        assert preview_import(source, manifest).unknown_labels == ()


def test_columns_of_a_table_are_guessed(tmp_path: Path, store: Settings) -> None:
    folder = write_folder(tmp_path, {"legend.csv": "image,emotion\na.png,sad\n", "a.png": ""})
    manifest = _select_manifest(folder, store)
    assert manifest.columns is not None
    assert (manifest.layout, manifest.columns.path, manifest.columns.label) == ("table", "image", "emotion")


def test_labels_in_names_need_a_manifest(tmp_path: Path, store: Settings) -> None:
    folder = write_folder(tmp_path, {"KA.AN1.39.tiff": ""})
    with pytest.raises(DatasetError, match="label_pattern"):
        _select_manifest(folder, store, "names")
    with pytest.raises(DatasetError, match="not recognized"):
        _select_manifest(folder, store)
    assert _select_manifest(folder, store, "names", "jaffe").id == "jaffe"
    assert _select_manifest(folder, store, dataset_id="jaffe").id == "jaffe"


def test_an_unknown_layout_lists_the_choices(tmp_path: Path, store: Settings) -> None:
    with pytest.raises(DatasetError, match=r"'heap'.*ferplus"):
        _select_manifest(write_folder(tmp_path, {"sad/1.png": ""}), store, "heap")
