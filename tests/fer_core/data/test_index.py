from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fer_core.data.drawing_people import Identity
from fer_core.data.index import (
    PIXEL_COLUMNS,
    build_index,
    decode,
    images_in_order,
    load_index,
    measure,
    perceptual_hash,
    save_index,
    tabulate,
)
from fer_core.data.record import Record, Split
from fer_core.data.source import FolderSource
from fer_core.data.synthetic import draw_face
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.errors import CancelledError, DatasetError
from fer_core.labels import Expression


def _face(seed: int, size: int = 96) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    return draw_face(list(Expression)[seed % 8], Identity.sample(rng), rng, size)


def _write(folder: Path, name: str, pixels: NDArray[np.uint8]) -> None:
    cv2.imwrite(str(folder / name), pixels[:, :, ::-1] if pixels.ndim == 3 else pixels)


def _records(*names: str) -> list[Record]:
    return [Record(name, Split.TRAIN, Expression.FEAR) for name in names]


def _bits(first: int, second: int) -> int:
    return ((first ^ second) & (2**64 - 1)).bit_count()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    _write(tmp_path, "a.png", _face(0))
    _write(tmp_path, "same.bmp", _face(0))
    _write(tmp_path, "gray.png", cv2.cvtColor(_face(1, 48), cv2.COLOR_RGB2GRAY))
    _write(tmp_path, "blank.png", np.full((30, 40, 3), 128, np.uint8))
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:60])
    return tmp_path


def test_what_is_measured_is_what_the_pixels_say(folder: Path) -> None:
    row = measure(FolderSource(folder), "gray.png")
    gray = cv2.cvtColor(_face(1, 48), cv2.COLOR_RGB2GRAY)
    assert (row["width"], row["height"], row["channels"]) == (48, 48, 1)
    assert row["bytes"] == (folder / "gray.png").stat().st_size
    assert row["brightness"] == pytest.approx(gray.mean())
    assert row["contrast"] == pytest.approx(gray.std())
    assert row["problem"] == ""
    _write(folder, "soft.png", cv2.GaussianBlur(gray, (0, 0), 2))
    assert measure(FolderSource(folder), "soft.png")["sharpness"] < row["sharpness"] / 2


@pytest.mark.parametrize("name", ["text.png", "empty.png", "cut.png", "none.png"])
def test_a_broken_image_is_a_row_with_a_problem(name: str, folder: Path) -> None:
    index = build_index(FolderSource(folder), _records("a.png", name, "gray.png"), 3)
    assert index["id"].tolist() == ["a.png", name, "gray.png"]
    assert (index["problem"] != "").tolist() == [False, True, False]
    assert (index["sha256"] == "").tolist() == [False, True, False]
    assert np.isnan(index["brightness"][1])


def test_a_blank_image_is_a_problem_but_it_was_read(folder: Path) -> None:
    row = measure(FolderSource(folder), "blank.png")
    assert row["problem"].startswith("blank")
    assert row["sha256"]
    assert (row["width"], row["height"]) == (40, 30)


def test_the_same_pixels_have_the_same_sum_in_any_format(folder: Path) -> None:
    source = FolderSource(folder)
    assert measure(source, "a.png")["sha256"] == measure(source, "same.bmp")["sha256"]
    changed = _face(0)
    changed[0, 0, 0] ^= 1
    _write(folder, "changed.png", changed)
    assert measure(source, "changed.png")["sha256"] != measure(source, "a.png")["sha256"]


def test_the_shape_is_part_of_the_sum(folder: Path) -> None:
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    _write(folder, "wide.png", pixels.reshape(4, 16))
    _write(folder, "square.png", pixels)
    source = FolderSource(folder)
    assert measure(source, "wide.png")["sha256"] != measure(source, "square.png")["sha256"]


@pytest.mark.parametrize("seed", range(8))
def test_the_perceptual_hash_outlives_scaling_compression_and_light(seed: int) -> None:
    gray = cv2.cvtColor(_face(seed, 144), cv2.COLOR_RGB2GRAY)
    jpeg = cv2.imdecode(cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, 70])[1], cv2.IMREAD_GRAYSCALE)
    before = perceptual_hash(gray)
    for changed in (cv2.resize(gray, (96, 96), interpolation=cv2.INTER_AREA), jpeg, (gray * 0.9).astype(np.uint8)):
        assert _bits(before, perceptual_hash(changed)) <= 4


def test_different_drawings_have_different_hashes() -> None:
    hashes = [perceptual_hash(cv2.cvtColor(_face(seed), cv2.COLOR_RGB2GRAY)) for seed in range(12)]
    distances = [_bits(a, b) for place, a in enumerate(hashes) for b in hashes[:place]]
    assert min(distances) > 4
    assert all(-(2**63) <= value < 2**63 for value in hashes)


def test_an_index_has_the_readers_columns_and_the_pixels(folder: Path) -> None:
    votes = tuple(range(10))
    records = [
        Record("a.png", Split.TEST, Expression.ANGER, votes=votes, identity="p1"),
        Record("gray.png", None, None, "tie", votes=votes),
    ]
    index = build_index(FolderSource(folder), records, 2)
    said = ["id", "path", "split", "label", "unlabelled", "identity"]
    assert list(index) == [*said, *VOTE_COLUMNS, *PIXEL_COLUMNS]
    assert index["split"].fillna("-").tolist() == ["test", "-"]
    assert index["label"].fillna("-").tolist() == ["anger", "-"]
    assert index["unlabelled"].tolist() == ["", "tie"]
    assert index["identity"].fillna("-").tolist() == ["p1", "-"]
    assert index[list(VOTE_COLUMNS)].to_numpy().tolist() == [list(votes)] * 2


def test_votes_are_there_only_where_every_record_has_them() -> None:
    both = [Record("a", None, None, votes=(0,) * 10), Record("b", None, None)]
    assert VOTE_COLUMNS[0] not in tabulate(both)
    assert VOTE_COLUMNS[0] in tabulate(both[:1])


def test_a_table_of_nothing_is_empty() -> None:
    table = tabulate([])
    assert len(table) == 0
    assert {"id", "split", "label"} <= set(table)


def test_an_index_comes_back_from_disk(folder: Path, tmp_path: Path) -> None:
    index = build_index(FolderSource(folder), _records("a.png", "text.png"), 2)
    save_index(index, tmp_path / "index.parquet")
    loaded = load_index(tmp_path / "index.parquet")
    assert loaded.drop(columns=["split", "label", "identity"]).equals(
        index.drop(columns=["split", "label", "identity"])
    )
    assert loaded["label"].tolist() == index["label"].tolist()
    assert list(load_index(tmp_path / "index.parquet", ["id", "problem"])) == ["id", "problem"]


def test_no_images_is_an_error_in_words(folder: Path) -> None:
    with pytest.raises(DatasetError, match="No images were found"):
        build_index(FolderSource(folder), [], 0)


def test_indexing_tells_how_far_it_is_and_can_be_stopped(folder: Path) -> None:
    said: list[float] = []
    build_index(FolderSource(folder), _records("a.png", "gray.png"), 2, progress=lambda done, _: said.append(done))
    assert said[-1] == 1

    def stop(done_01: float, message: str) -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        build_index(FolderSource(folder), _records("a.png"), 1, progress=stop)


def test_images_come_in_the_order_asked_for(folder: Path) -> None:
    names = ["gray.png", "text.png", "a.png", "none.png", "gray.png"]
    shapes = [None if image is None else image.shape for image in images_in_order(FolderSource(folder), names)]
    assert shapes == [(48, 48), None, (96, 96, 3), None, (48, 48)]


def test_decoding_gives_rgb_drops_alpha_and_keeps_gray(folder: Path) -> None:
    np.testing.assert_array_equal(decode((folder / "a.png").read_bytes()), _face(0))
    alpha = np.dstack([_face(0)[:, :, ::-1], np.full((96, 96), 7, np.uint8)])
    decoded = decode(cv2.imencode(".png", alpha)[1].tobytes())
    np.testing.assert_array_equal(decoded, _face(0))
    deep = decode(cv2.imencode(".png", np.full((8, 8), 512, np.uint16))[1].tobytes())
    assert deep is not None
    assert deep.dtype == np.uint8
    assert deep.shape == (8, 8)
