"""Archives whose images lie in archives inside them, and archives packed with backslashes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from fer_core.data.catalog import import_dataset
from fer_core.data.ingest.import_folder import list_imports
from fer_core.data.ingest.preview import preview_import, select_manifest
from fer_core.data.sources.archive import list_members
from fer_core.data.sources.source import open_source
from fer_core.errors import ArchiveError
from fer_core.settings import Settings
from tests.support.sources import class_folders, png, write_folder, write_tar, write_zip

INNER = class_folders(6)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go, so that what is left there is seen."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def _packed(folder: Path, name: str, files: dict[str, bytes]) -> bytes:
    folder.mkdir(exist_ok=True)
    pack = write_zip if name.endswith("zip") else write_tar
    kind = "gz" if name.endswith("gz") else ""
    return pack(folder / Path(name).name, files, *([kind] if kind else [])).read_bytes()


@pytest.mark.parametrize("inner", ["inner.zip", "inner.tar", "inner.tar.gz", "INNER.ZIP"])
@pytest.mark.parametrize("outer", ["zip", "tar", "folder"])
def test_images_in_an_archive_inside_are_imported(
    inner: str, outer: str, tmp_path: Path, temporary: Path, store: Settings
) -> None:
    files = {f"data/{inner}": _packed(tmp_path / "made", inner.lower(), INNER), "data/README.txt": b"x"}
    place = tmp_path / f"outer.{outer}"
    path = {"zip": write_zip, "tar": write_tar, "folder": write_folder}[outer](place, files)
    expected = sorted(f"data/{inner.split('.')[0]}/{name}" for name in INNER)
    with open_source(path, store) as source:
        found = preview_import(source, select_manifest(source, "", "", "data", store))
        assert list(source.names()) == sorted([*expected, "data/README.txt"])
    assert (found.n_usable, found.unknown_labels) == (6, ())
    assert list(temporary.iterdir()) == []
    imported = import_dataset(path, store, dataset_id="mine")
    assert imported.index()["id"].tolist() == expected
    assert imported.source_in_store and (imported.index()["problem"] == "").all()
    assert list(temporary.iterdir()) == []
    with imported.source(store) as source:
        assert source.read(expected[0]) in INNER.values()


def test_the_names_of_archives_inside_may_be_the_splits(tmp_path: Path, store: Settings) -> None:
    files = {f"{part}.zip": _packed(tmp_path / "made", f"{part}.zip", class_folders(4, first_seed=place * 9))
             for place, part in enumerate(("train", "test"))}  # fmt: skip
    index = import_dataset(write_zip(tmp_path / "faces.zip", files), store).index()
    assert index["split"].value_counts().to_dict() == {"train": 4, "test": 4}


def test_an_archive_beside_images_is_left_alone_and_told(tmp_path: Path, store: Settings) -> None:
    files = INNER | {"more.zip": _packed(tmp_path / "made", "more.zip", {"fear/x.png": png(99)})}
    with open_source(write_zip(tmp_path / "faces.zip", files), store) as source:
        found = preview_import(source, select_manifest(source, "", "", "data", store))
    assert [(str(each.reason), each.examples) for each in found.skipped] == [("archive_inside", ("more.zip",))]


def test_archives_inside_that_are_not_safe_are_refused(tmp_path: Path, temporary: Path, store: Settings) -> None:
    evil = _packed(tmp_path / "made", "evil.zip", {"../evil.png": b"x"})
    cases = {
        "leads outside": {"evil.zip": evil},
        "not a zip archive": {"broken.zip": b"PK nothing"},
    }
    for said, files in cases.items():
        path = write_zip(tmp_path / "faces.zip", files)
        with pytest.raises(ArchiveError, match=said):
            import_dataset(path, store, dataset_id="mine")
    nested = INNER
    for level in range(5):
        nested = {f"{level}.zip": _packed(tmp_path / "made", f"{level}.zip", nested)}
    with pytest.raises(ArchiveError, match="deeper than 3"):
        import_dataset(write_zip(tmp_path / "deep.zip", nested), store, dataset_id="mine")
    assert (list_imports(store), list(temporary.iterdir())) == ([], [])


def test_all_archives_together_count_against_the_limits(tmp_path: Path, store: Settings) -> None:
    files = {f"{name}.zip": _packed(tmp_path / "made", f"{name}.zip", INNER) for name in "ab"}
    path = write_zip(tmp_path / "faces.zip", files)
    few = store.model_copy(update={"archive_members_max": 9})
    with pytest.raises(ArchiveError, match="FERSCOPE_ARCHIVE_MEMBERS_MAX"), open_source(path, few):
        pass


def test_backslashes_in_a_zip_are_separators(tmp_path: Path, store: Settings) -> None:
    files = {f"train\\{name}".replace("/", "\\"): content for name, content in INNER.items()} | {"train\\sad\\": b""}
    path = write_zip(tmp_path / "faces.zip", files)
    assert sorted(list_members(path, store).names) == sorted(f"train/{name}" for name in INNER)
    index = import_dataset(path, store).index()
    assert (len(index), set(index["split"]), set(index["label"])) == (6, {"train"}, {"fear", "happiness"})
    assert (index["problem"] == "").all()


def test_the_given_cases(test_data: Path, store: Settings) -> None:
    cases = test_data.parent / "cases"
    for name in ("zip_backslash/b.zip", "zip_nested/outer.zip"):
        if not (cases / name).is_file():
            pytest.skip(f"No case {name}.")
        with open_source(cases / name, store) as source:
            found = preview_import(source, select_manifest(source, "", "", "data", store))
        assert (found.manifest.layout, found.n_usable, len(found.labels)) == ("folders", 20, 4)
