"""Class folders with prefixes, long names or numbers, above and below identity and split folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from fer_core.data.catalog import import_dataset
from fer_core.data.manifest import Manifest
from fer_core.data.readers import detect_reader
from fer_core.data.record import Split, match_split_name
from fer_core.data.sources.source import open_source
from fer_core.errors import DatasetError
from fer_core.labels import Expression
from fer_core.settings import Settings
from tests.support.commands import Cli, cli_runner
from tests.support.sources import EMPTY_MANIFEST, png, read_labels, read_records, write_folder

LABELS = ("happiness", "sadness", "anger", "neutral")


def _files(names: Iterable[str]) -> dict[str, str]:
    return dict.fromkeys(names, "")


def _read(folder: Path, manifest: Manifest = EMPTY_MANIFEST) -> set[tuple[Split | None, str, str | None]]:
    return {(record.split, record.raw_label, record.identity) for record in read_records(folder, "folders", manifest)}


def _layout(folder: Path) -> str:
    with open_source(folder, Settings()) as source:
        return detect_reader(source).layout


@pytest.mark.parametrize(
    "names",
    [
        ("0_happy", "1_sad", "2_angry", "3_neutral"),
        ("happy", "SAD faces", "Anger (angry)", "neutral_face"),
        ("Happy ", "Sad ", "ANGER", "Neutral"),
    ],
)
@pytest.mark.parametrize("parent", ["", "train/", "archive/data/Training/"])
def test_class_folders_are_recognized_in_many_spellings(names: tuple[str, ...], parent: str, tmp_path: Path) -> None:
    write_folder(tmp_path, _files(f"{parent}{name}/{number}.png" for name in names for number in range(3)))
    assert _layout(tmp_path) == "folders"
    assert {label for label, _ in read_labels(tmp_path, "folders").values()} == set(LABELS)
    assert {record.split for record in read_records(tmp_path, "folders")} == {Split.TRAIN if parent else None}


@pytest.mark.parametrize(
    ("pattern", "split"),
    [
        ("{label}/{person}/{n}.jpg", None),
        ("{person}/{label}/{n}.jpg", None),
        ("train/{label}/{person}/{n}.jpg", Split.TRAIN),
        ("Test/{person}/{label}/{n}.jpg", Split.TEST),
        ("{label}/PrivateTest/{person}/{n}.jpg", Split.TEST),
        ("a/b/{label}/{person}/clip{n}/{n}.jpg", None),
        ("{person}/session{n}/{label}/{n}.jpg", None),
    ],
)
@pytest.mark.parametrize(
    "people", [("s00", "s01", "s02", "s03"), ("012", "013", "034", "055"), ("ann", "bob", "cem", "joy")]
)
def test_folders_above_or_below_the_class_are_identities(
    pattern: str, split: Split | None, people: tuple[str, ...], tmp_path: Path
) -> None:
    names = [pattern.format(label=label, person=person, n=n) for label in LABELS for person in people for n in range(3)]
    write_folder(tmp_path, _files(names))
    if "clip" in pattern or "session" in pattern:
        people = people if people[0] == "s00" else ()
    assert _layout(tmp_path) == "folders"
    records = _read(tmp_path)
    assert {label for _, label, _ in records} == set(LABELS)
    assert {found_split for found_split, _, _ in records} == {split}
    if people:
        assert {person for _, _, person in records} == set(people)


def test_folders_of_sources_are_not_identities(tmp_path: Path) -> None:
    """Folders of image sources or splits are not identities."""
    write_folder(
        tmp_path,
        _files(
            f"{split}/{label}/{origin}/1.png"
            for split in ("train", "val", "test")
            for label in LABELS
            for origin in ("web", "lab")
        ),
    )
    assert {person for _, _, person in _read(tmp_path)} == {None}


def test_an_unknown_class_folder_is_a_label_and_not_an_identity(tmp_path: Path) -> None:
    write_folder(tmp_path, _files(f"{label}/s0{n}/1.png" for label in ("happy", "sad", "bored") for n in range(4)))
    assert {label for _, label, _ in _read(tmp_path)} == {"happy", "sad", "bored"}


def test_the_manifest_can_set_the_identity_folder(tmp_path: Path) -> None:
    write_folder(tmp_path, _files(f"lab{n % 2}/{label}/s0{n}/1.png" for label in LABELS for n in range(4)))
    assert {person for _, _, person in _read(tmp_path)} == {"s00", "s01", "s02", "s03"}
    for level, people in ((0, {None}), (3, {"lab0", "lab1"})):
        manifest = EMPTY_MANIFEST.model_copy(update={"identity_folder": level})
        assert {person for _, _, person in _read(tmp_path, manifest)} == people
    manifest = EMPTY_MANIFEST.model_copy(update={"identity_pattern": "^(1)"})
    assert {person for _, _, person in _read(tmp_path, manifest)} == {"1"}


@pytest.mark.parametrize("names", [("0", "1", "2"), ("1", "2", "7"), ("00", "01", "02")])
@pytest.mark.parametrize("pattern", ["train/{label}/{n}.png", "{label}/{n}.png", "{label}/s0{n}/1.png"])
def test_numbered_folders_are_recognized_and_not_guessed(pattern: str, names: tuple[str, ...], tmp_path: Path) -> None:
    write_folder(tmp_path, _files(pattern.format(label=label, n=n) for label in names for n in range(4)))
    assert _layout(tmp_path) == "folders"
    assert {label for _, label, _ in _read(tmp_path)} == set(names)
    with pytest.raises(DatasetError, match="is no known expression"):
        read_labels(tmp_path, "folders")


def test_many_numbered_folders_are_not_classes(tmp_path: Path) -> None:
    write_folder(tmp_path, _files(f"{n}/1.png" for n in range(40)))
    with pytest.raises(DatasetError, match="not recognized"):
        _layout(tmp_path)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", Split.TRAIN),
        ("Train Images", Split.TRAIN),
        ("test_set_2", Split.TEST),
        ("fer2013_val", Split.VALID),
        ("VALIDATION", Split.VALID),
        ("PublicTest", Split.VALID),
        ("train_labels", Split.TRAIN),
        ("train_val", None),
        ("trainer", None),
        ("my train", None),
        ("", None),
    ],
)
def test_split_names_are_recognized_with_extra_words(name: str, split: Split | None) -> None:
    assert match_split_name(name) is split


def test_identities_of_folders_are_in_the_index(tmp_path: Path, store: Settings) -> None:
    names = [f"{label}/s0{n}/1.png" for label in LABELS for n in range(5)]
    folder = write_folder(tmp_path / "faces", {name: png(number) for number, name in enumerate(names)})
    index = import_dataset(folder, store).index()
    assert index["identity"].nunique() == 5
    assert set(index["label"]) == set(LABELS)


def test_numbered_folders_are_imported_with_a_numbering(
    tmp_path: Path, store: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    run: Cli = cli_runner(capsys)
    names = [f"train/{code}/{n}.png" for code in range(1, 8) for n in range(2)]
    folder = write_folder(tmp_path / "faces", {name: png(number) for number, name in enumerate(names)})
    output = run("datasets", "preview", folder, "--json").json
    assert not any(label["known"] for label in output["labels"])
    offered = {numbering["name"]: numbering["labels"] for numbering in output["numberings"]}
    assert offered["rafdb"]["1"] == "surprise" and offered["affectnet"]["1"] == "happiness"
    assert "--numbering rafdb: RAF-DB: 1 surprise" in run("datasets", "preview", folder).out
    refused = run("datasets", "import", folder)
    assert refused.code == 2 and "--numbering" in refused.err
    mapped = run("datasets", "preview", folder, "--numbering", "rafdb", "--map", "7=contempt", "--json").json
    expressions = {label["raw"]: label["expression"] for label in mapped["labels"]}
    assert (expressions["1"], expressions["6"], expressions["7"]) == ("surprise", "anger", "contempt")
    assert run("datasets", "import", folder, "--numbering", "rafdb").code == 0
    assert run("datasets", "import", folder, "--numbering", "unknown").code == 2


def test_different_names_of_one_expression_are_one_class(tmp_path: Path) -> None:
    write_folder(tmp_path, _files(["3_happy/a.png", "smile/b.png"]))
    assert {label for label, _ in read_labels(tmp_path, "folders").values()} == {Expression.HAPPINESS}
