"""Archives inside archives, and zip files with backslashes in names."""

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
    """The folder of temporary files, to check that it is empty afterwards."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def _pack(folder: Path, name: str, files: dict[str, bytes]) -> bytes:
    folder.mkdir(exist_ok=True)
    pack = write_zip if name.endswith("zip") else write_tar
    kind = "gz" if name.endswith("gz") else ""
    return pack(folder / Path(name).name, files, *([kind] if kind else [])).read_bytes()


@pytest.mark.parametrize("inner", ["inner.zip", "inner.tar", "inner.tar.gz", "INNER.ZIP"])
@pytest.mark.parametrize("outer", ["zip", "tar", "folder"])
def test_images_of_nested_archives_are_imported(
    inner: str, outer: str, tmp_path: Path, temporary: Path, store: Settings
) -> None:
    files = {f"data/{inner}": _pack(tmp_path / "packed", inner.lower(), INNER), "data/README.txt": b"x"}
    target = tmp_path / f"outer.{outer}"
    path = {"zip": write_zip, "tar": write_tar, "folder": write_folder}[outer](target, files)
    expected = sorted(f"data/{inner.split('.')[0]}/{name}" for name in INNER)
    with open_source(path, store) as source:
        preview = preview_import(source, select_manifest(source, "", "", "data", store))
        assert list(source.names()) == sorted([*expected, "data/README.txt"])
    assert (preview.n_usable, preview.unknown_labels) == (6, ())
    assert list(temporary.iterdir()) == []
    imported = import_dataset(path, store, dataset_id="sample")
    assert imported.index()["id"].tolist() == expected
    assert imported.source_in_store and (imported.index()["problem"] == "").all()
    assert list(temporary.iterdir()) == []
    with imported.source(store) as source:
        assert source.read(expected[0]) in INNER.values()


def test_nested_archives_can_be_named_after_splits(tmp_path: Path, store: Settings) -> None:
    files = {f"{split}.zip": _pack(tmp_path / "packed", f"{split}.zip", class_folders(4, first_seed=seed))
             for seed, split in ((0, "train"), (9, "test"))}  # fmt: skip
    index = import_dataset(write_zip(tmp_path / "faces.zip", files), store).index()
    assert index["split"].value_counts().to_dict() == {"train": 4, "test": 4}


def test_an_archive_next_to_images_is_skipped_and_reported(tmp_path: Path, store: Settings) -> None:
    files = INNER | {"more.zip": _pack(tmp_path / "packed", "more.zip", {"fear/x.png": png(99)})}
    with open_source(write_zip(tmp_path / "faces.zip", files), store) as source:
        preview = preview_import(source, select_manifest(source, "", "", "data", store))
    assert [(str(skipped.reason), skipped.examples) for skipped in preview.skipped] == [
        ("archive_inside", ("more.zip",))
    ]


def test_unsafe_nested_archives_are_refused(tmp_path: Path, temporary: Path, store: Settings) -> None:
    unsafe = _pack(tmp_path / "packed", "evil.zip", {"../evil.png": b"x"})
    cases = {
        "leads outside": {"evil.zip": unsafe},
        "not a zip archive": {"broken.zip": b"PK nothing"},
    }
    for message, files in cases.items():
        path = write_zip(tmp_path / "faces.zip", files)
        with pytest.raises(ArchiveError, match=message):
            import_dataset(path, store, dataset_id="sample")
    nested = INNER
    for level in range(5):
        nested = {f"{level}.zip": _pack(tmp_path / "packed", f"{level}.zip", nested)}
    with pytest.raises(ArchiveError, match="deeper than 3"):
        import_dataset(write_zip(tmp_path / "deep.zip", nested), store, dataset_id="sample")
    assert (list_imports(store), list(temporary.iterdir())) == ([], [])


def test_limits_apply_to_all_nested_archives_together(tmp_path: Path, store: Settings) -> None:
    files = {f"{name}.zip": _pack(tmp_path / "packed", f"{name}.zip", INNER) for name in "ab"}
    path = write_zip(tmp_path / "faces.zip", files)
    limited = store.model_copy(update={"archive_members_max": 9})
    with pytest.raises(ArchiveError, match="FERSCOPE_ARCHIVE_MEMBERS_MAX"), open_source(path, limited):
        pass


def test_backslashes_in_a_zip_are_separators(tmp_path: Path, store: Settings) -> None:
    files = {f"train\\{name}".replace("/", "\\"): content for name, content in INNER.items()} | {"train\\sad\\": b""}
    path = write_zip(tmp_path / "faces.zip", files)
    assert sorted(list_members(path, store).names) == sorted(f"train/{name}" for name in INNER)
    index = import_dataset(path, store).index()
    assert (len(index), set(index["split"]), set(index["label"])) == (6, {"train"}, {"fear", "happiness"})
    assert (index["problem"] == "").all()


def test_the_example_archives_are_read(test_data: Path, store: Settings) -> None:
    cases = test_data.parent / "cases"
    for name in ("zip_backslash/b.zip", "zip_nested/outer.zip"):
        if not (cases / name).is_file():
            pytest.skip(f"No case {name}.")
        with open_source(cases / name, store) as source:
            preview = preview_import(source, select_manifest(source, "", "", "data", store))
        assert (preview.manifest.layout, preview.n_usable, len(preview.labels)) == ("folders", 20, 4)
