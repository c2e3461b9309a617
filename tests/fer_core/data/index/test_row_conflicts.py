from __future__ import annotations

from pathlib import Path

import pandas as pd

from fer_core.data.catalog import import_dataset
from fer_core.data.index.builder import CHUNK_ROWS
from fer_core.data.index.row_conflicts import find_conflicts
from fer_core.data.ingest.reindex import reindex
from fer_core.data.manifest import TableColumns
from fer_core.settings import Settings
from tests.support.sources import EMPTY_MANIFEST, png, write_folder

COLUMNS = TableColumns(path="image", label="emotion")
MANIFEST = EMPTY_MANIFEST.model_copy(update={"layout": "table", "columns": COLUMNS})


def test_rows_with_different_labels_of_one_file_conflict() -> None:
    index = pd.DataFrame(
        {
            "path": ["a", "b", "a", "c", "c", "d", "d", "a"],
            "label": ["fear", "fear", "anger", "fear", "fear", "fear", None, "fear"],
        }
    )
    conflict = "the label file has it twice, as anger and fear"
    assert find_conflicts(index).tolist() == [conflict, "", conflict, "", "", "", "", conflict]


def test_different_faces_of_one_image_do_not_conflict() -> None:
    boxes = {"box_left": [0, 5, 0], "box_top": [0, 0, 0], "box_right": [4, 9, 4], "box_bottom": [4, 4, 4]}
    index = pd.DataFrame({"path": ["a", "a", "b"], "label": ["fear", "anger", "fear"], **boxes})
    assert find_conflicts(index).tolist() == ["", "", ""]
    same_box = index.assign(box_left=0, box_right=4)
    assert [bool(problem) for problem in find_conflicts(same_box)] == [True, True, False]


def test_conflicting_rows_are_problems_and_remain_so_after_reindexing(tmp_path: Path, store: Settings) -> None:
    """The rows can be in different chunks of the index and can spell the file name differently."""
    files = {f"{number}.png": png(number) for number in range(4)}
    valid_rows = "".join(f"{number % 2 + 1}.png,sad\n" for number in range(CHUNK_ROWS))
    text = f"image,emotion\n0.png,Fear\n{valid_rows}3.png,fear\n0.PNG,angry\nmissing.png,fear\n"
    dataset = import_dataset(write_folder(tmp_path / "faces", files | {"labels.csv": text}), store, manifest=MANIFEST)

    def problems() -> list[tuple[str, str]]:
        index = dataset.index()
        return [(path, problem) for path, problem in zip(index["path"], index["problem"], strict=True) if problem]

    conflict = "the label file has it twice, as anger and fear"
    expected = [("0.png", conflict), ("0.png", conflict), ("missing.png", "there is no file 'missing.png'")]
    assert problems() == expected
    assert reindex(dataset, store).problems == 3
    assert problems() == expected
