"""What an import leaves out is counted and said before anything is imported; the lesser half is refused."""

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


def _proposed(folder: Path, files: dict[str, Any], manifest: Manifest = EMPTY_MANIFEST) -> ImportPreview:
    with open_source(write_folder(folder, files), Settings()) as source:
        return preview_import(source, manifest)


def _reasons(found: ImportPreview) -> dict[SkipReason, int]:
    return {each.reason: each.count for each in found.skipped}


def _table(names: list[str], label: str = "fear") -> str:
    return "image,emotion\n" + "".join(f"{name},{label}\n" for name in names)


def test_a_source_that_is_read_whole_leaves_nothing_out(tmp_path: Path) -> None:
    found = _proposed(tmp_path, class_folders(6))
    assert (found.skipped, found.n_usable, found.is_mostly_unusable) == ((), 6, False)


def test_every_image_and_row_is_used_or_counted_with_its_reason(tmp_path: Path) -> None:
    files = {f"{name}.png": png(number) for number, name in enumerate("abcdef")}
    files |= {"labels.csv": _table(["a.png", "b.png", "gone.png", "lost.png"]) + "c.png,\nd.png,unknown\n"}
    files |= {"other.csv": "x,y\n", "readme.md": "", "clip.mp4": "", "more.zip": ""}
    found = _proposed(tmp_path, files, TABLE)
    assert found.n_usable == 3
    assert [(each.reason, each.count, each.examples) for each in found.skipped] == [
        (SkipReason.NOT_FOUND, 2, ("gone.png", "lost.png")),
        (SkipReason.NOT_NAMED, 2, ("e.png", "f.png")),
        (SkipReason.NO_LABEL, 1, ("c.png",)),
        (SkipReason.LABEL_IGNORED, 1, ("unknown",)),
        (SkipReason.OTHER_FORMAT, 1, ("clip.mp4",)),
        (SkipReason.ARCHIVE, 1, ("more.zip",)),
        (SkipReason.TABLE_NOT_READ, 1, ("other.csv",)),
        (SkipReason.OTHER_FILE, 1, ("readme.md",)),
    ]
    assert found.missing_files == ("gone.png", "lost.png")
    assert found.is_mostly_unusable
    assert all(str(each.count) in each.text for each in found.skipped)


def test_label_files_are_not_skipped() -> None:
    names = ["a.png", "label.csv", "note.txt", "noname"]
    assert [(each.reason, each.count) for each in find_other_files(names, ["a.png", "label.csv"])] == [
        (SkipReason.OTHER_FILE, 2)
    ]
    assert (
        find_other_files(names, ["a.png", "label.csv"])[0].text == "2 other files are not images (.txt 1, no suffix 1)"
    )
    assert find_other_files(names, ["a.png"])[0] == Skipped(SkipReason.TABLE_NOT_READ, 1, ("label.csv",))


@pytest.mark.parametrize(("lost", "used", "refused"), [(0, 0, False), (5, 5, False), (6, 5, True), (1, 0, True)])
def test_more_than_half_is_too_much(lost: int, used: int, refused: bool) -> None:
    skipped = [
        Skipped(SkipReason.NOT_FOUND, lost),
        Skipped(SkipReason.LABEL_IGNORED, 100),
        Skipped(SkipReason.OTHER_FILE, 100),
    ]
    assert count_unusable(skipped) == lost
    assert is_mostly_unusable(skipped, used) == refused
    if refused:
        with pytest.raises(DatasetError, match=f"{used or 'None'} of the {lost + used} images"):
            check_mostly_usable(skipped, used)
    else:
        check_mostly_usable(skipped, used)


def test_images_that_can_not_be_opened_are_seen_before_the_import(tmp_path: Path) -> None:
    files = class_folders(10) | dict.fromkeys((f"fear/x{number}.png" for number in range(4)), b"no image")
    found = _proposed(tmp_path / "few", files)
    assert _reasons(found) == {SkipReason.UNREADABLE: 4}
    assert (found.n_usable, found.is_mostly_unusable) == (10, False)
    broken = dict.fromkeys((f"fear/x{number:04d}.png" for number in range(5 * SAMPLE_MAX)), b"no image")
    found = _proposed(tmp_path / "many", broken | {"fear/y.png": png(1)})
    (left,) = found.skipped
    assert left.count >= 4 * SAMPLE_MAX
    assert f"of {SAMPLE_MAX} that were opened" in left.text
    assert found.is_mostly_unusable


def test_a_row_an_image_that_repeats_counts_once(tmp_path: Path) -> None:
    files = {"a.png": png(1), "labels.csv": _table(["a.png"] * 5 + ["gone.png"])}
    found = _proposed(tmp_path, files, TABLE)
    assert (found.n_records, found.n_usable, _reasons(found)) == (6, 1, {SkipReason.NOT_FOUND: 1})


def test_less_than_half_is_imported_only_on_request(tmp_path: Path, store: Settings) -> None:
    files = {f"{number}.png": png(number) for number in range(10)} | {"labels.csv": _table(["0.png", "1.png"])}
    folder = write_folder(tmp_path / "faces", files)
    with pytest.raises(DatasetError, match=r"Only 2 of the 10 images can be used: 8 images are in no label file"):
        import_dataset(folder, store)
    assert (list_datasets(store), list_imports(store)) == ([], [])
    seen: list[ImportPreview] = []
    assert import_dataset(folder, store, allow_partial=True, on_preview=seen.append).n == 2
    assert _reasons(seen[0]) == {SkipReason.NOT_NAMED: 8}


def test_commands_list_what_is_skipped_and_refuse_less_than_half(tmp_path: Path, cli: Cli, store: Settings) -> None:
    few = write_folder(tmp_path / "few", class_folders(4) | {"loose.png": png(9), "notes.txt": ""})
    said = cli("datasets", "preview", few, "--json").json
    assert [(each["reason"], each["count"], each["examples"]) for each in said["skipped"]] == [
        ("no_label", 1, ["loose.png"]),
        ("no_image", 1, ["notes.txt"]),
    ]
    assert (said["n_usable"], said["is_mostly_unusable"]) == (4, False)
    assert "skipped: 1 image has no label, such as loose.png" in cli("datasets", "preview", few).out
    printed = cli("datasets", "import", few, "--json")
    assert (printed.code, printed.json["skipped"]) == (0, said["skipped"])

    files = {f"{number}.png": png(number) for number in range(3)} | {"labels.csv": _table(["0.png"])}
    most = write_folder(tmp_path / "most", files)
    assert cli("datasets", "preview", most, "--json").json["is_mostly_unusable"]
    assert_input_error(cli("datasets", "import", most), "Only 1 of the 3 images", "2.png"[:1], "--allow-partial")
    printed = cli("datasets", "import", most, "--allow-partial")
    assert printed.code == 0
    assert "skipped: 2 images are in no label file" in printed.out
