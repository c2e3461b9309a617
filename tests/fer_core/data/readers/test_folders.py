from __future__ import annotations

from pathlib import Path

from fer_core.data.record import Split
from fer_core.labels import Expression
from tests.support.sources import EMPTY_MANIFEST, read_labels, read_records, write_folder, write_tar, write_zip

FILES = dict.fromkeys(
    [
        "train/happiness/a.png",
        "Training/Happy/b.JPG",
        "val/sad/c.jpeg",
        "data/TEST/Angry/d.webp",
        "surprised/e.bmp",
        "contemptuous/f.tif",
        "DISGUST/g.PGM",
        "readme.txt",
        "train/happiness/notes.csv",
        "__MACOSX/happiness/._a.png",
        "train/happiness/.hidden.png",
        ".cache/fear/a.png",
        "train/fear/Thumbs.db",
        "train/fear/desktop.ini",
    ],
    "",
)


def test_class_folders_are_read_with_and_without_splits(tmp_path: Path) -> None:
    expected = {
        "a.png": (Split.TRAIN, "happiness"),
        "b.JPG": (Split.TRAIN, "Happy"),
        "c.jpeg": (Split.VALID, "sad"),
        "d.webp": (Split.TEST, "Angry"),
        "e.bmp": (None, "surprised"),
        "f.tif": (None, "contemptuous"),
        "g.PGM": (None, "DISGUST"),
    }
    for path in (
        write_folder(tmp_path / "f", FILES),
        write_zip(tmp_path / "a.zip", FILES),
        write_tar(tmp_path / "a.tar", FILES),
    ):
        records = {r.path.rpartition("/")[2]: (r.split, r.raw_label) for r in read_records(path, "folders")}
        assert records == expected
    expressions = {
        name.rpartition("/")[2]: label for name, (label, _) in read_labels(tmp_path / "f", "folders").items()
    }
    assert expressions["a.png"] == expressions["b.JPG"] == Expression.HAPPINESS
    assert [expressions[name] for name in ("c.jpeg", "d.webp", "e.bmp", "f.tif", "g.PGM")] == [
        "sadness", "anger", "surprise", "contempt", "disgust",
    ]  # fmt: skip


def test_a_split_folder_with_images_is_a_class(tmp_path: Path) -> None:
    (record,) = read_records(write_folder(tmp_path, {"train/a.png": ""}), "folders")
    assert (record.split, record.raw_label) == (None, "train")


def test_the_manifest_maps_and_ignores_labels(tmp_path: Path) -> None:
    manifest = EMPTY_MANIFEST.model_copy(update={"labels": {"Bored": None, "Glad": Expression.HAPPINESS}})
    write_folder(tmp_path, dict.fromkeys(["Bored/a.png", "glad/b.png", "fear/c.png", "d.png"], ""))
    assert read_labels(tmp_path, "folders", manifest) == {
        "Bored/a.png": ("", "left_out"),
        "glad/b.png": ("happiness", ""),
        "fear/c.png": ("fear", ""),
        "d.png": ("", "no_label"),
    }


def test_identities_and_subgroups_are_read_from_names(tmp_path: Path) -> None:
    manifest = EMPTY_MANIFEST.model_copy(
        update={"identity_pattern": "^(p[0-9]+)-", "subgroup_patterns": {"gender": "-([fm])-", "age": "-(old)"}}
    )
    write_folder(tmp_path, dict.fromkeys(["fear/p1-f-old.png", "fear/p2-m-.png", "p3-f-/other.png"], ""))
    records = {r.path: (r.identity, r.subgroups) for r in read_records(tmp_path, "folders", manifest)}
    assert records == {
        "fear/p1-f-old.png": ("p1", (("gender", "f"), ("age", "old"))),
        "fear/p2-m-.png": ("p2", (("gender", "m"),)),
        "p3-f-/other.png": (None, ()),
    }
