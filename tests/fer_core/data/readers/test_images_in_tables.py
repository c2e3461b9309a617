"""FER+ as two tables, and Hugging Face Parquet files: the images are written as files at import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fer_core.data.catalog import import_dataset
from fer_core.data.index.images import decode_face
from fer_core.data.ingest.preview import ImportPreview, preview_import, select_manifest
from fer_core.data.ingest.skipped import SkipReason
from fer_core.data.label_mapping.numberings import NUMBERINGS
from fer_core.data.manifest import Manifest
from fer_core.data.readers import detect_reader
from fer_core.data.sources.source import open_source
from fer_core.errors import DatasetError, LabelFileError
from fer_core.settings import Settings
from tests.support.sources import EMPTY_MANIFEST, gray, png, write_folder, write_zip

HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
USAGES = ["Training"] * 4 + ["PublicTest", "PrivateTest"]
ROWS_WITH_IMAGE = [0, 1, 3, 4, 5]
"""Rows for which FER+ names an image; row 2 has none."""


def _fer2013(usages: list[str] = USAGES) -> str:
    rows = [f"3,{' '.join(map(str, gray(n, 48, 48).ravel()))},{usage}\n" for n, usage in enumerate(usages)]
    return "emotion,pixels,Usage\n" + "".join(rows)


def _ferplus(usages: list[str] = USAGES) -> str:
    rows = [
        f"{usage},{f'fer{n:07d}.png' if n in ROWS_WITH_IMAGE else ''},{'2,8' if n % 2 else '8,2'},0,0,0,0,0,0,0,0\n"
        for n, usage in enumerate(usages)
    ]
    return HEADER + "".join(rows)


def _preview(path: Path, store: Settings) -> ImportPreview:
    with open_source(path, store) as source:
        return preview_import(source, select_manifest(source, "", "", "data", store))


@pytest.mark.parametrize("folder", ["", "FERPlus/data/"])
@pytest.mark.parametrize("zipped", [False, True])
def test_the_two_tables_of_ferplus_are_joined_by_row(
    zipped: bool, folder: str, tmp_path: Path, store: Settings
) -> None:
    files = {f"{folder}fer2013.csv": _fer2013(), f"{folder}fer2013new.csv": _ferplus(), "LICENSE": ""}
    path = write_zip(tmp_path / "a.zip", files) if zipped else write_folder(tmp_path / "a", files)
    preview = _preview(path, store)
    assert (preview.manifest.id, preview.manifest.layout) == ("ferplus", "ferplus-csv")
    assert (preview.n_records, preview.n_usable, preview.extra_fields) == (5, 5, ("votes",))
    assert {str(split): n for split, n in preview.splits.items()} == {"train": 3, "valid": 1, "test": 1}
    assert {skipped.reason: skipped.count for skipped in preview.skipped} == {
        SkipReason.WITHOUT_IMAGE: 1,
        SkipReason.OTHER_FILE: 1,
    }
    imported = import_dataset(path, store)
    index = imported.index()
    assert index["id"].tolist() == [
        "FER2013Test/fer0000005.png",
        *(f"FER2013Train/fer000000{n}.png" for n in (0, 1, 3)),
        "FER2013Valid/fer0000004.png",
    ]
    assert index["votes_happiness"].tolist() == [8, 2, 8, 8, 2]
    assert index["label"].tolist() == ["happiness", "neutral", "happiness", "happiness", "neutral"]
    with imported.source(store) as source:
        np.testing.assert_array_equal(decode_face(source.read("FER2013Train/fer0000003.png")), gray(3, 48, 48))
    assert imported.manifest.layout == "ferplus"


def test_ferplus_label_files_without_images_are_read_from_the_tables(tmp_path: Path, store: Settings) -> None:
    """Microsoft's repository has label files in folders without images."""
    label = 'fer0000000.png,"(0, 0, 48, 48)",8,2,0,0,0,0,0,0,0,0\n'
    files = {"data/FER2013Train/label.csv": label, "fer2013.csv": _fer2013(), "fer2013new.csv": _ferplus()}
    assert _preview(write_folder(tmp_path, files), store).manifest.layout == "ferplus-csv"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"fer2013.csv": _fer2013(), "fer2013new.csv": _ferplus(USAGES[:4])}, "new.csv ends before row 6"),
        ({"fer2013.csv": _fer2013(USAGES[:2]), "fer2013new.csv": _ferplus()}, "fer2013.csv ends before row 4"),
        ({"fer2013.csv": _fer2013(), "fer2013new.csv": _ferplus(USAGES[::-1])}, "Row 2 is 'Training'.*'PrivateTest'"),
        ({"fer2013.csv": _fer2013(), "fer2013new.csv": "Usage,name\nTraining,a\n"}, "no column 'Image name'"),
        ({"fer2013.csv": _fer2013(), "fer2013new.csv": _ferplus().replace(",8,", ",x,", 1)}, "not a whole number"),
    ],
)
def test_mismatched_tables_are_refused(files: dict[str, str], message: str, tmp_path: Path, store: Settings) -> None:
    with pytest.raises(LabelFileError, match=message):
        _preview(write_folder(tmp_path, files), store)


def _parquet(
    path: Path, labels: list[Any], first: int = 0, names: list[str] | None = None, nested: bool = True
) -> None:
    """A Parquet file as written by the `datasets` library, or with plain bytes as images."""
    images = [png(first + n) for n in range(len(labels))]
    cells = [{"bytes": image, "path": f"{n}.png"} for n, image in enumerate(images)] if nested else images
    table = pa.table({"image": cells, "label": labels})
    if names:
        info = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(info)})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


@pytest.mark.parametrize("nested", [True, False])
def test_parquet_images_are_read_with_class_names(nested: bool, tmp_path: Path, store: Settings) -> None:
    names = ["angry", "happy"]
    _parquet(tmp_path / "a/data/train-00000-of-00002.parquet", [0, 1, 0, 1], 0, names, nested)
    _parquet(tmp_path / "a/data/train-00001-of-00002.parquet", [1, 1], 10, names, nested)
    _parquet(tmp_path / "a/data/validation-00000-of-00001.parquet", [0, 1], 20, names, nested)
    preview = _preview(tmp_path / "a", store)
    assert (preview.manifest.layout, preview.unknown_labels, preview.n_usable) == ("hf-parquet", (), 8)
    assert {str(split): n for split, n in preview.splits.items()} == {"train": 6, "valid": 2}
    imported = import_dataset(tmp_path / "a", store)
    index = imported.index()
    assert index["label"].value_counts().to_dict() == {"happiness": 5, "anger": 3}
    assert index["split"].value_counts().to_dict() == {"train": 6, "valid": 2}
    assert (index["problem"] == "").all()
    with imported.source(store) as source:
        contents = {source.read(name) for name in source.names()}
    assert contents == {png(n) for n in (0, 1, 2, 3, 10, 11, 20, 21)}


def test_parquet_codes_without_names_need_a_numbering(tmp_path: Path, store: Settings) -> None:
    _parquet(tmp_path / "faces.parquet", [0, 6, 6])
    preview = _preview(tmp_path / "faces.parquet", store)
    assert (preview.manifest.layout, set(preview.unknown_labels)) == ("hf-parquet", {"0", "6"})
    assert "affectnet" in [numbering.name for numbering in preview.numberings]
    with pytest.raises(DatasetError, match="--numbering"):
        import_dataset(tmp_path / "faces.parquet", store)
    codes = dict(NUMBERINGS["affectnet"].codes)
    manifest = Manifest.model_validate({**EMPTY_MANIFEST.model_dump(), "layout": "hf-parquet", "labels": codes})
    index = import_dataset(tmp_path / "faces.parquet", store, manifest=manifest).index()
    assert sorted(index["label"]) == ["anger", "anger", "neutral"]


def test_class_names_are_read_from_the_dataset_card(tmp_path: Path, store: Settings) -> None:
    card = """---
dataset_info:
  features:
  - name: image
    dtype: image
  - name: label
    dtype:
      class_label:
        names:
          '0': sad
          '1': fear
---
# Faces
"""
    _parquet(tmp_path / "data/test-0.parquet", [0, 1, 1])
    write_folder(tmp_path, {"README.md": card})
    preview = _preview(tmp_path, store)
    assert dict(zip(preview.labels["raw"], preview.labels["count"], strict=True)) == {"fear": 2, "sad": 1}


def test_text_labels_are_read_and_rows_without_an_image_are_problems(tmp_path: Path, store: Settings) -> None:
    cells = [{"bytes": png(n), "path": "same.png"} for n in range(3)] + [None]
    pq.write_table(pa.table({"img": cells, "emotion": ["joy", "joy", "sad/../x", "joy"]}), tmp_path / "a.parquet")
    preview = _preview(tmp_path / "a.parquet", store)
    assert preview.unknown_labels == ("sad-..-x",)
    manifest = preview.manifest.model_copy(update={"labels": {"sad-..-x": None}})
    index = import_dataset(tmp_path / "a.parquet", store, manifest=manifest).index()
    assert len(index) == 4 and (index["problem"] != "").sum() == 1


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"path": ["a.png"], "label": [1]}, "no column of images"),
        ({"image": [b"x"], "width": [1.5]}, "no column of labels"),
    ],
)
def test_other_parquet_files_are_an_error(
    columns: dict[str, list[Any]], message: str, tmp_path: Path, store: Settings
) -> None:
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(LabelFileError, match=message):
        _preview(tmp_path / "a.parquet", store)
    (tmp_path / "a.parquet").write_bytes(b"PAR1 not at all")
    with pytest.raises(LabelFileError, match="can't be read as Parquet"):
        _preview(tmp_path / "a.parquet", store)


def test_parquet_next_to_images_is_a_table(tmp_path: Path, store: Settings) -> None:
    write_folder(tmp_path, {"a.png": png(1)})
    pq.write_table(pa.table({"path": ["a.png"], "label": ["fear"]}), tmp_path / "a.parquet")
    with open_source(tmp_path, store) as source:
        assert detect_reader(source).layout == "table"


def test_the_example_sources_are_read(test_data: Path, store: Settings) -> None:
    cases = test_data.parent / "cases"
    for name, n_usable, layout in (("ferplus_official", 32, "ferplus-csv"), ("hf_parquet_images", 56, "hf-parquet")):
        if not (cases / name).is_dir():
            pytest.skip(f"No case {name}.")
        preview = _preview(cases / name, store)
        assert (preview.n_usable, preview.manifest.layout) == (n_usable, layout)
