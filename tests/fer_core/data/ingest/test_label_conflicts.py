"""Sources that give labels twice, by folders and by a table, and sources with several tables."""

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

WORDS = ("anger", "fear", "happiness", "sadness")


def _rows(rows: dict[str, str]) -> str:
    return "pth,label\n" + "".join(f"{path},{label}\n" for path, label in rows.items())


def _folders_and_table(differing: int, spelled: dict[str, str] | None = None) -> dict[str, Any]:
    """Eight images a class in folders, and a table that gives the first few the class after theirs."""
    files: dict[str, Any] = {
        f"{word}/{n}.png": png(place * 8 + n) for place, word in enumerate(WORDS) for n in range(8)
    }
    rows = {path: path.partition("/")[0] for path in files}
    for path in list(rows)[::4][:differing]:
        rows[path] = WORDS[(WORDS.index(rows[path]) + 1) % 4]
    return files | {"labels.csv": _rows({path: (spelled or {}).get(label, label) for path, label in rows.items()})}


def _proposed(folder: Path, files: dict[str, Any], store: Settings, layout: str = "") -> ImportPreview:
    with open_source(write_folder(folder, files), store) as source:
        return preview_import(source, select_manifest(source, layout, "", "data", store))


@pytest.mark.parametrize(
    "spelled", [{}, {"anger": "Angry", "fear": "FEAR"}, {word: str(place) for place, word in enumerate(WORDS)}]
)
@pytest.mark.parametrize("layout", ["folders", "table"])
def test_labels_that_disagree_are_counted_whichever_are_taken(
    layout: str, spelled: dict[str, str], tmp_path: Path, store: Settings
) -> None:
    found = _proposed(tmp_path, _folders_and_table(8, spelled), store, layout)
    assert found.conflict is not None
    assert (found.conflict.n_compared, found.conflict.n_differing, found.conflict.tables) == (32, 8, ("labels.csv",))
    assert {found.manifest.layout, found.conflict.other_layout} == {"folders", "table"}
    left = {each.reason: each.count for each in found.skipped}
    assert left[SkipReason.LABELS_DISAGREE] == 8
    assert not found.is_mostly_unusable


def test_labels_that_agree_are_said_to(tmp_path: Path, store: Settings) -> None:
    found = _proposed(tmp_path, _folders_and_table(0), store)
    assert found.conflict is not None and found.conflict.n_differing == 0
    (left,) = found.skipped
    assert (left.reason, left.text) == (
        SkipReason.TABLE_NOT_READ,
        "1 other table is not read (the same labels for all 32 images)",
    )
    found.check(labels_chosen=False)


def test_an_import_waits_until_it_is_said_which_labels_count(
    tmp_path: Path, store: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    run = cli_runner(capsys)
    folder = write_folder(tmp_path / "faces", _folders_and_table(5))
    said = run("datasets", "preview", folder, "--json").json
    assert (said["conflict"]["n_differing"], said["conflict"]["n_compared"]) == (5, 32)
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


def test_the_layout_that_explains_the_most_images_is_proposed(tmp_path: Path, store: Settings) -> None:
    """A stray folder that is called like an expression does not make a table's images a folder a class."""
    files: dict[str, Any] = {f"images/{n}.png": png(n) for n in range(20)} | {"joy/extra.png": png(99)}
    rows = {f"{n}.png": WORDS[n % 4] for n in range(20)}
    with open_source(write_folder(tmp_path / "a", files | {"labels.csv": _rows(rows)}), store) as source:
        assert detect_reader(source).layout == "table"
    few = {f"{word}/{n}.png": "" for word in WORDS for n in range(5)} | {"best.csv": _rows({"anger/0.png": "fear"})}
    with open_source(write_folder(tmp_path / "b", few), store) as source:
        assert detect_reader(source).layout == "folders"


@pytest.mark.parametrize("names", [("train", "test"), ("train_labels", "test_labels"), ("Training", "PrivateTest")])
def test_tables_of_the_same_columns_are_read_together_with_their_splits(
    names: tuple[str, str], tmp_path: Path, store: Settings
) -> None:
    """Both parts have a 0.png."""
    files: dict[str, Any] = {}
    for place, (name, n) in enumerate(zip(names, (12, 4), strict=True)):
        files |= {f"faces/{('train', 'test')[place]}/{k}.png": png(place * 100 + k) for k in range(n)}
        files[f"{name}.csv"] = _rows({f"{k}.png": WORDS[k % 4] for k in range(n)})
    folder = write_folder(tmp_path / "faces", files | {"notes.csv": "a,b\n1,2\n"})
    with open_source(folder, store) as source:
        manifest = select_manifest(source, "", "", "data", store)
        found = preview_import(source, manifest)
    assert manifest.columns is not None
    assert set(manifest.columns.tables) == {f"{name}.csv" for name in names}
    assert (found.n_records, found.n_usable, found.missing_files) == (16, 16, ())
    assert {str(part): n for part, n in found.splits.items()} == {"train": 12, "test": 4}
    assert [(each.reason, each.examples) for each in found.skipped] == [(SkipReason.TABLE_NOT_READ, ("notes.csv",))]
    index = import_dataset(folder, store).index()
    assert index["split"].value_counts().to_dict() == {"train": 12, "test": 4}
    assert (index["problem"] == "").all()


def test_several_opinions_of_the_same_images_are_not_read_together(tmp_path: Path, store: Settings) -> None:
    files: dict[str, Any] = {f"{n}.png": png(n) for n in range(4)}
    files |= {f"rater_{who}.csv": _rows({f"{n}.png": "fear" for n in range(4)}) for who in "ab"}
    found = _proposed(tmp_path, files, store)
    assert found.manifest.columns is not None
    assert (found.manifest.columns.table, found.manifest.columns.tables) == ("rater_a.csv", ())
    assert [(each.reason, each.examples) for each in found.skipped] == [(SkipReason.TABLE_NOT_READ, ("rater_b.csv",))]


def _rafdb(flat: bool = False) -> dict[str, Any]:
    files: dict[str, Any] = {}
    for place, (part, n) in enumerate((("train", 8), ("test", 4))):
        names = [(code, f"{part}_{code}{k:04d}_aligned.jpg") for code in range(1, 8) for k in range(n)]
        folder = "DATASET/{part}/" if flat else "DATASET/{part}/{code}/"
        files |= {
            folder.format(part=part, code=code) + name: png(place * 500 + number)
            for number, (code, name) in enumerate(names)
        }
        files[f"{part}_labels.csv"] = "image,label\n" + "".join(f"{name},{code}\n" for code, name in names)
    return files


def test_rafdb_as_it_is_on_kaggle_is_read_whole(tmp_path: Path, store: Settings) -> None:
    found = _proposed(tmp_path, _rafdb(), store)
    assert (found.manifest.id, found.manifest.layout) == ("rafdb", "rafdb")
    assert (found.n_records, found.n_usable, found.unknown_labels, found.missing_files) == (84, 84, (), ())
    assert {str(part): n for part, n in found.splits.items()} == {"train": 56, "test": 28}
    becomes = dict(zip(found.labels["raw"], found.labels["expression"], strict=True))
    assert (becomes["1"], becomes["4"], becomes["7"]) == ("surprise", "happiness", "neutral")
    assert found.conflict is not None and (found.conflict.n_compared, found.conflict.n_differing) == (84, 0)
    assert import_dataset(tmp_path, store).n == 84


def test_rafdb_names_without_class_folders_are_read_by_both_tables(tmp_path: Path, store: Settings) -> None:
    found = _proposed(tmp_path, _rafdb(flat=True), store)
    assert (found.manifest.layout, found.n_records, found.n_usable) == ("table", 84, 84)
    assert {str(part): n for part, n in found.splits.items()} == {"train": 56, "test": 28}
    assert [each.name for each in found.numberings][:1] == ["fer2013"]
    assert "rafdb" in [each.name for each in found.numberings]


def test_the_given_cases(test_data: Path, store: Settings) -> None:
    cases = test_data.parent / "cases"
    for name, used, differing in (("rafdb_kaggle", 84, 0), ("folders_and_csv", 32, 8)):
        if not (cases / name).is_dir():
            pytest.skip(f"No case {name}.")
        with open_source(cases / name, store) as source:
            found = preview_import(source, select_manifest(source, "", "", name, store))
        assert found.conflict is not None
        assert (found.n_usable, found.conflict.n_differing) == (used, differing)


def test_columns_of_several_tables_can_be_written_down() -> None:
    columns = TableColumns(path="image", label="label", tables=("train.csv", "test.csv"))
    assert TableColumns.model_validate(columns.model_dump(mode="json")) == columns
