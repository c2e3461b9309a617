"""Previews of tables whose rows spell file names differently or contradict each other."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from fer_core.cli.main import main
from fer_core.data.ingest.preview import ImportPreview, preview_import, select_manifest
from fer_core.data.ingest.skipped import SkipReason
from fer_core.data.sources.source import open_source
from fer_core.settings import Settings
from tests.support.sources import png, write_folder

NAMES = [f"Zoë_{number}.jpg" for number in range(6)]


def _preview(folder: Path, files: dict[str, bytes | str], store: Settings) -> ImportPreview:
    with open_source(write_folder(folder, files), store) as source:
        return preview_import(source, select_manifest(source, "table", "", "data", store))


def _images(*names: str) -> dict[str, bytes | str]:
    return {f"images/{name}": png(number) for number, name in enumerate(names)}


def _rows(*names: str) -> str:
    return "image,emotion\n" + "".join(f"{name},fear\n" for name in names)


@pytest.mark.parametrize(
    ("files", "listed", "match_rule"),
    [
        (NAMES, NAMES, None),
        (NAMES, [f"images\\{name}" for name in NAMES], "slashes"),
        ([unicodedata.normalize("NFD", name) for name in NAMES], NAMES, "unicode"),
        ([name.upper() for name in NAMES], NAMES, "case"),
        (NAMES, [name.removesuffix(".jpg") for name in NAMES], "ending"),
        (NAMES, [f"C:\\Users\\Zoë\\images\\{name}" for name in NAMES], "folder"),
    ],
)
def test_a_preview_matches_all_files_and_counts_the_rules(
    files: list[str], listed: list[str], match_rule: str | None, tmp_path: Path, store: Settings
) -> None:
    preview = _preview(tmp_path, {**_images(*files), "labels.csv": _rows(*listed)}, store)
    assert (preview.n_usable, preview.skipped) == (6, ())
    assert preview.match_rules == ({match_rule: 6} if match_rule else {})


def test_rows_are_counted_by_match_rule(tmp_path: Path, store: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    images = _images("a.jpg", "B.jpg", "C.JPG", "d.jpg", "e.jpg", "e.png")
    text = _rows("a.jpg", "b.jpg", "c.jpg", "d", "e", "gone.jpg")
    preview = _preview(tmp_path / "faces", {**images, "labels.csv": text}, store)
    assert preview.match_rules == {"case": 2, "ending": 1}
    assert {skipped.reason: skipped.count for skipped in preview.skipped} == {
        SkipReason.NOT_FOUND: 1,
        SkipReason.AMBIGUOUS: 1,
        SkipReason.NOT_NAMED: 2,
    }
    assert main(["datasets", "preview", str(tmp_path / "faces"), "--layout", "table"]) == 0
    output = capsys.readouterr().out
    assert "matched: 2 rows name a file in different upper or lower case\n" in output
    assert "matched: 1 row names a file without its suffix, or with another\n" in output
    assert main(["datasets", "preview", str(tmp_path / "faces"), "--layout", "table", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["match_rules"] == {"case": 2, "ending": 1}


def test_conflicting_rows_are_skipped_and_counted_once_per_image(tmp_path: Path, store: Settings) -> None:
    text = _rows("a.jpg", "b.jpg", "c.jpg") + "a.jpg,anger\nA.JPG,sad\nb.jpg,Fear\nc.jpg,afraid\n"
    preview = _preview(tmp_path, {**_images("a.jpg", "b.jpg", "c.jpg"), "labels.csv": text}, store)
    (skipped,) = preview.skipped
    assert (skipped.reason, skipped.count, skipped.examples) == (SkipReason.ROWS_DISAGREE, 1, ("images/a.jpg",))
    assert preview.n_usable == 2


def test_urls_are_reported_with_a_remedy(tmp_path: Path, store: Settings) -> None:
    text = _rows(*(f"https://example.org/{number}.jpg" for number in range(5)))
    preview = _preview(tmp_path, {**_images("a.jpg"), "labels.csv": text}, store)
    first = preview.skipped[0]
    assert (first.reason, first.count) == (SkipReason.NOT_FOUND, 5)
    assert "they are web addresses: download the images first" in first.text
    assert first.examples[0] == "https://example.org/0.jpg"


@pytest.mark.parametrize(
    ("case", "match_rules"),
    [
        ("excel_german", {}),
        ("windows_paths", {"slashes": 20}),
        ("case_mismatch", {"case": 20}),
        ("nfd_names", {"unicode": 18}),
    ],
)
def test_every_file_of_the_example_tables_is_found(
    case: str, match_rules: dict[str, int], test_data: Path, store: Settings
) -> None:
    folder = test_data.parent / "cases" / case
    if not folder.is_dir():
        pytest.skip(f"No {folder}.")
    with open_source(folder, store) as source:
        preview = preview_import(source, select_manifest(source, "table", "", case, store))
    assert (preview.n_records, preview.n_usable) == (20, 20)
    assert preview.match_rules == match_rules
    assert not [skipped for skipped in preview.skipped if skipped.reason.is_unusable]
    assert preview.extra_fields == (("valence and arousal",) if case == "excel_german" else ())
