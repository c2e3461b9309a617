"""Skipped images and rows are counted before an import; an import of less than half is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fer_core.data.catalog import import_dataset, list_datasets
from fer_core.data.ingest.import_folder import list_imports
from fer_core.data.ingest.preview import ImportPreview, preview_import
from fer_core.data.ingest.skipped import (
    Skipped,
    SkipReason,
    check_mostly_usable,
    count_unusable,
    find_other_files,
    is_mostly_unusable,
)
from fer_core.data.ingest.unreadable import SAMPLE_MAX
from fer_core.data.manifest import Manifest, TableColumns
from fer_core.data.sources.source import open_source
from fer_core.errors import DatasetError
from fer_core.settings import Settings
from tests.support.commands import Cli, assert_input_error, cli_runner
from tests.support.sources import EMPTY_MANIFEST, class_folders, png, write_folder

TABLE = EMPTY_MANIFEST.model_copy(
    update={"layout": "table", "columns": TableColumns(path="image", label="emotion", table="labels.csv")}
)


@pytest.fixture
def cli(store: Settings, capsys: pytest.CaptureFixture[str]) -> Cli:
    return cli_runner(capsys)


def _preview(folder: Path, files: dict[str, Any], manifest: Manifest = EMPTY_MANIFEST) -> ImportPreview:
    with open_source(write_folder(folder, files), Settings()) as source:
        return preview_import(source, manifest)


def _reasons(preview: ImportPreview) -> dict[SkipReason, int]:
    return {skipped.reason: skipped.count for skipped in preview.skipped}


def _table(names: list[str], label: str = "fear") -> str:
    return "image,emotion\n" + "".join(f"{name},{label}\n" for name in names)


def test_a_source_that_is_read_completely_skips_nothing(tmp_path: Path) -> None:
    preview = _preview(tmp_path, class_folders(6))
    assert (preview.skipped, preview.n_usable, preview.is_mostly_unusable) == ((), 6, False)


def test_every_image_and_row_is_used_or_counted_by_reason(tmp_path: Path) -> None:
    files = {f"{name}.png": png(number) for number, name in enumerate("abcdef")}
    files |= {"labels.csv": _table(["a.png", "b.png", "gone.png", "unusable.png"]) + "c.png,\nd.png,unknown\n"}
    files |= {"other.csv": "x,y\n", "readme.md": "", "clip.mp4": "", "more.zip": ""}
    preview = _preview(tmp_path, files, TABLE)
    assert preview.n_usable == 3
    assert [(skipped.reason, skipped.count, skipped.examples) for skipped in preview.skipped] == [
        (SkipReason.NOT_FOUND, 2, ("gone.png", "unusable.png")),
        (SkipReason.NOT_NAMED, 2, ("e.png", "f.png")),
        (SkipReason.NO_LABEL, 1, ("c.png",)),
        (SkipReason.LABEL_IGNORED, 1, ("unknown",)),
        (SkipReason.OTHER_FORMAT, 1, ("clip.mp4",)),
        (SkipReason.ARCHIVE, 1, ("more.zip",)),
        (SkipReason.TABLE_NOT_READ, 1, ("other.csv",)),
        (SkipReason.OTHER_FILE, 1, ("readme.md",)),
    ]
    assert preview.missing_files == ("gone.png", "unusable.png")
    assert preview.is_mostly_unusable
    assert all(str(skipped.count) in skipped.text for skipped in preview.skipped)


def test_label_files_are_not_skipped() -> None:
    names = ["a.png", "label.csv", "note.txt", "noname"]
    assert [(skipped.reason, skipped.count) for skipped in find_other_files(names, ["a.png", "label.csv"])] == [
        (SkipReason.OTHER_FILE, 2)
    ]
    others = find_other_files(names, ["a.png", "label.csv"])[0]
    assert others.text == "2 other files are not images (1 .txt, 1 without suffix)"
    assert find_other_files(names, ["a.png"])[0] == Skipped(SkipReason.TABLE_NOT_READ, 1, ("label.csv",))


@pytest.mark.parametrize(("unusable", "usable", "refused"), [(0, 0, False), (5, 5, False), (6, 5, True), (1, 0, True)])
def test_more_than_half_unusable_is_refused(unusable: int, usable: int, refused: bool) -> None:
    skipped = [
        Skipped(SkipReason.NOT_FOUND, unusable),
        Skipped(SkipReason.LABEL_IGNORED, 100),
        Skipped(SkipReason.OTHER_FILE, 100),
    ]
    assert count_unusable(skipped) == unusable
    assert is_mostly_unusable(skipped, usable) == refused
    if refused:
        with pytest.raises(DatasetError, match=f"{usable or 'None'} of the {unusable + usable} images"):
            check_mostly_usable(skipped, usable)
    else:
        check_mostly_usable(skipped, usable)


def test_unreadable_images_are_counted_before_the_import(tmp_path: Path) -> None:
    files = class_folders(10) | dict.fromkeys((f"fear/x{number}.png" for number in range(4)), b"no image")
    preview = _preview(tmp_path / "few", files)
    assert _reasons(preview) == {SkipReason.UNREADABLE: 4}
    assert (preview.n_usable, preview.is_mostly_unusable) == (10, False)
    broken = dict.fromkeys((f"fear/x{number:04d}.png" for number in range(5 * SAMPLE_MAX)), b"no image")
    preview = _preview(tmp_path / "many", broken | {"fear/y.png": png(1)})
    (unreadable,) = preview.skipped
    assert unreadable.count >= 4 * SAMPLE_MAX
    assert f"of {SAMPLE_MAX} that were opened" in unreadable.text
    assert preview.is_mostly_unusable


def test_repeated_rows_of_an_image_count_once(tmp_path: Path) -> None:
    files = {"a.png": png(1), "labels.csv": _table(["a.png"] * 5 + ["gone.png"])}
    preview = _preview(tmp_path, files, TABLE)
    assert (preview.n_records, preview.n_usable, _reasons(preview)) == (6, 1, {SkipReason.NOT_FOUND: 1})


def test_less_than_half_is_imported_only_with_allow_partial(tmp_path: Path, store: Settings) -> None:
    files = {f"{number}.png": png(number) for number in range(10)} | {"labels.csv": _table(["0.png", "1.png"])}
    folder = write_folder(tmp_path / "faces", files)
    with pytest.raises(DatasetError, match=r"Only 2 of the 10 images can be used: 8 images are in no label file"):
        import_dataset(folder, store)
    assert (list_datasets(store), list_imports(store)) == ([], [])
    previews: list[ImportPreview] = []
    assert import_dataset(folder, store, allow_partial=True, on_preview=previews.append).n == 2
    assert _reasons(previews[0]) == {SkipReason.NOT_NAMED: 8}


def test_commands_list_skipped_files_and_refuse_less_than_half(tmp_path: Path, cli: Cli, store: Settings) -> None:
    mostly_usable = write_folder(tmp_path / "few", class_folders(4) | {"loose.png": png(9), "notes.txt": ""})
    output = cli("datasets", "preview", mostly_usable, "--json").json
    assert [(entry["reason"], entry["count"], entry["examples"]) for entry in output["skipped"]] == [
        ("no_label", 1, ["loose.png"]),
        ("no_image", 1, ["notes.txt"]),
    ]
    assert (output["n_usable"], output["is_mostly_unusable"]) == (4, False)
    assert "skipped: 1 image has no label, such as loose.png" in cli("datasets", "preview", mostly_usable).out
    result = cli("datasets", "import", mostly_usable, "--json")
    assert (result.code, result.json["skipped"]) == (0, output["skipped"])

    files = {f"{number}.png": png(number) for number in range(3)} | {"labels.csv": _table(["0.png"])}
    mostly_unusable = write_folder(tmp_path / "most", files)
    assert cli("datasets", "preview", mostly_unusable, "--json").json["is_mostly_unusable"]
    assert_input_error(
        cli("datasets", "import", mostly_unusable), "Only 1 of the 3 images", "2.png"[:1], "--allow-partial"
    )
    result = cli("datasets", "import", mostly_unusable, "--allow-partial")
    assert result.code == 0
    assert "skipped: 2 images are in no label file" in result.out
