"""Sources with labels both in folders and in a table, and sources with several tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fer_core.data.catalog import import_dataset
from fer_core.data.ingest.preview import ImportPreview, preview_import, select_manifest
from fer_core.data.ingest.skipped import SkipReason
from fer_core.data.manifest import TableColumns
from fer_core.data.readers import detect_reader
from fer_core.data.sources.source import open_source
from fer_core.errors import DatasetError
from fer_core.settings import Settings
from tests.support.commands import cli_runner
from tests.support.sources import png, write_folder

LABELS = ("anger", "fear", "happiness", "sadness")


def _rows(rows: dict[str, str]) -> str:
    return "pth,label\n" + "".join(f"{path},{label}\n" for path, label in rows.items())


def _folders_and_table(differing: int, spelling: dict[str, str] | None = None) -> dict[str, Any]:
    """Eight images per class in folders, and a table that gives `differing` of them another class."""
    files: dict[str, Any] = {
        f"{label}/{n}.png": png(number * 8 + n) for number, label in enumerate(LABELS) for n in range(8)
    }
    rows = {path: path.partition("/")[0] for path in files}
    for path in list(rows)[::4][:differing]:
        rows[path] = LABELS[(LABELS.index(rows[path]) + 1) % 4]
    return files | {"labels.csv": _rows({path: (spelling or {}).get(label, label) for path, label in rows.items()})}


def _preview(folder: Path, files: dict[str, Any], store: Settings, layout: str = "") -> ImportPreview:
    with open_source(write_folder(folder, files), store) as source:
        return preview_import(source, select_manifest(source, layout, "", "data", store))


@pytest.mark.parametrize(
    "spelling", [{}, {"anger": "Angry", "fear": "FEAR"}, {label: str(code) for code, label in enumerate(LABELS)}]
)
@pytest.mark.parametrize("layout", ["folders", "table"])
def test_differing_labels_are_counted_with_either_layout(
    layout: str, spelling: dict[str, str], tmp_path: Path, store: Settings
) -> None:
    preview = _preview(tmp_path, _folders_and_table(8, spelling), store, layout)
    assert preview.conflict is not None
    assert (preview.conflict.n_compared, preview.conflict.n_differing, preview.conflict.tables) == (
        32,
        8,
        ("labels.csv",),
    )
    assert {preview.manifest.layout, preview.conflict.other_layout} == {"folders", "table"}
    counts = {skipped.reason: skipped.count for skipped in preview.skipped}
    assert counts[SkipReason.LABELS_DISAGREE] == 8
    assert not preview.is_mostly_unusable


def test_matching_labels_are_reported(tmp_path: Path, store: Settings) -> None:
    preview = _preview(tmp_path, _folders_and_table(0), store)
    assert preview.conflict is not None and preview.conflict.n_differing == 0
    (skipped,) = preview.skipped
    assert (skipped.reason, skipped.text) == (
        SkipReason.TABLE_NOT_READ,
        "1 other table is not read (the same labels for all 32 images)",
    )
    preview.check(labels_chosen=False)


def test_an_import_with_differing_labels_needs_a_layout(
    tmp_path: Path, store: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    run = cli_runner(capsys)
    folder = write_folder(tmp_path / "faces", _folders_and_table(5))
    output = run("datasets", "preview", folder, "--json").json
    assert (output["conflict"]["n_differing"], output["conflict"]["n_compared"]) == (5, 32)
    refused = run("datasets", "import", folder)
    assert refused.code == 2
    assert "different labels to 5 of the 32 images" in refused.err
    assert "--layout folders or --layout table" in refused.err
    with pytest.raises(DatasetError, match="different labels to 5 of the 32"):
        import_dataset(folder, store)
    first = "anger/0.png"
    for layout, label in (("folders", "anger"), ("table", "fear")):
        index = import_dataset(folder, store, dataset_id=layout, layout=layout).index(["id", "label"])
        assert index.set_index("id")["label"][first] == label
    assert run("datasets", "import", folder, "--layout", "table", "--id", "third").code == 0


def test_the_layout_that_matches_the_most_images_is_detected(tmp_path: Path, store: Settings) -> None:
    """One extra folder named after an expression does not outweigh a table with all images."""
    files: dict[str, Any] = {f"images/{n}.png": png(n) for n in range(20)} | {"joy/extra.png": png(99)}
    rows = {f"{n}.png": LABELS[n % 4] for n in range(20)}
    with open_source(write_folder(tmp_path / "a", files | {"labels.csv": _rows(rows)}), store) as source:
        assert detect_reader(source).layout == "table"
    folders = {f"{label}/{n}.png": "" for label in LABELS for n in range(5)} | {
        "best.csv": _rows({"anger/0.png": "fear"})
    }
    with open_source(write_folder(tmp_path / "b", folders), store) as source:
        assert detect_reader(source).layout == "folders"


@pytest.mark.parametrize("names", [("train", "test"), ("train_labels", "test_labels"), ("Training", "PrivateTest")])
def test_tables_with_the_same_columns_are_read_together_as_splits(
    names: tuple[str, str], tmp_path: Path, store: Settings
) -> None:
    """Both splits have a 0.png."""
    files: dict[str, Any] = {}
    for number, (name, n) in enumerate(zip(names, (12, 4), strict=True)):
        files |= {f"faces/{('train', 'test')[number]}/{k}.png": png(number * 100 + k) for k in range(n)}
        files[f"{name}.csv"] = _rows({f"{k}.png": LABELS[k % 4] for k in range(n)})
    folder = write_folder(tmp_path / "faces", files | {"notes.csv": "a,b\n1,2\n"})
    with open_source(folder, store) as source:
        manifest = select_manifest(source, "", "", "data", store)
        preview = preview_import(source, manifest)
    assert manifest.columns is not None
    assert set(manifest.columns.tables) == {f"{name}.csv" for name in names}
    assert (preview.n_records, preview.n_usable, preview.missing_files) == (16, 16, ())
    assert {str(split): n for split, n in preview.splits.items()} == {"train": 12, "test": 4}
    assert [(skipped.reason, skipped.examples) for skipped in preview.skipped] == [
        (SkipReason.TABLE_NOT_READ, ("notes.csv",))
    ]
    index = import_dataset(folder, store).index()
    assert index["split"].value_counts().to_dict() == {"train": 12, "test": 4}
    assert (index["problem"] == "").all()


def test_tables_of_several_raters_are_not_read_together(tmp_path: Path, store: Settings) -> None:
    files: dict[str, Any] = {f"{n}.png": png(n) for n in range(4)}
    files |= {f"rater_{rater}.csv": _rows({f"{n}.png": "fear" for n in range(4)}) for rater in "ab"}
    preview = _preview(tmp_path, files, store)
    assert preview.manifest.columns is not None
    assert (preview.manifest.columns.table, preview.manifest.columns.tables) == ("rater_a.csv", ())
    assert [(skipped.reason, skipped.examples) for skipped in preview.skipped] == [
        (SkipReason.TABLE_NOT_READ, ("rater_b.csv",))
    ]


def _rafdb(flat: bool = False) -> dict[str, Any]:
    files: dict[str, Any] = {}
    for offset, (split, n) in ((0, ("train", 8)), (500, ("test", 4))):
        names = [(code, f"{split}_{code}{k:04d}_aligned.jpg") for code in range(1, 8) for k in range(n)]
        folder = "DATASET/{split}/" if flat else "DATASET/{split}/{code}/"
        files |= {
            folder.format(split=split, code=code) + name: png(offset + number)
            for number, (code, name) in enumerate(names)
        }
        files[f"{split}_labels.csv"] = "image,label\n" + "".join(f"{name},{code}\n" for code, name in names)
    return files


def test_rafdb_from_kaggle_is_read_completely(tmp_path: Path, store: Settings) -> None:
    preview = _preview(tmp_path, _rafdb(), store)
    assert (preview.manifest.id, preview.manifest.layout) == ("rafdb", "rafdb")
    assert (preview.n_records, preview.n_usable, preview.unknown_labels, preview.missing_files) == (84, 84, (), ())
    assert {str(split): n for split, n in preview.splits.items()} == {"train": 56, "test": 28}
    expressions = dict(zip(preview.labels["raw"], preview.labels["expression"], strict=True))
    assert (expressions["1"], expressions["4"], expressions["7"]) == ("surprise", "happiness", "neutral")
    assert preview.conflict is not None and (preview.conflict.n_compared, preview.conflict.n_differing) == (84, 0)
    assert import_dataset(tmp_path, store).n == 84


def test_rafdb_without_class_folders_is_read_from_both_tables(tmp_path: Path, store: Settings) -> None:
    preview = _preview(tmp_path, _rafdb(flat=True), store)
    assert (preview.manifest.layout, preview.n_records, preview.n_usable) == ("table", 84, 84)
    assert {str(split): n for split, n in preview.splits.items()} == {"train": 56, "test": 28}
    assert [numbering.name for numbering in preview.numberings][:1] == ["fer2013"]
    assert "rafdb" in [numbering.name for numbering in preview.numberings]


def test_the_example_sources_are_read(test_data: Path, store: Settings) -> None:
    cases = test_data.parent / "cases"
    for name, n_usable, differing in (("rafdb_kaggle", 84, 0), ("folders_and_csv", 32, 8)):
        if not (cases / name).is_dir():
            pytest.skip(f"No case {name}.")
        with open_source(cases / name, store) as source:
            preview = preview_import(source, select_manifest(source, "", "", name, store))
        assert preview.conflict is not None
        assert (preview.n_usable, preview.conflict.n_differing) == (n_usable, differing)


def test_columns_of_several_tables_can_be_serialized() -> None:
    columns = TableColumns(path="image", label="label", tables=("train.csv", "test.csv"))
    assert TableColumns.model_validate(columns.model_dump(mode="json")) == columns
