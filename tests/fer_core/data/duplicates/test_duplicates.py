from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fer_core.data.duplicates.dct_descriptor import decode_signatures, encode_signatures, similarity
from fer_core.data.duplicates.duplicates import (
    BLANK_CONTRAST,
    HASH_DISTANCE_MAX,
    SIMILARITY_MIN,
    STRICT_HASH_DISTANCE_MAX,
    duplicate_pairs,
    pairs_version,
    read_pairs,
    row_pairs,
    without_excluded,
    write_pairs,
)
from fer_core.data.duplicates.near_search import near_pairs
from fer_core.data.index.image_stats import hash_frequencies, measure_images
from fer_core.data.sources.byte_range import ByteRange

Gray = NDArray[np.uint8]

FACES = 64


def _pictures(seed: int, n: int = 80, copies: int = 8) -> pd.DataFrame:
    """An index of pictures of their own, a share of them with copies that differ more and more, in any order."""
    rng = np.random.default_rng(seed)
    lower = 1 / (1 + np.arange(8)[:, None] + np.arange(8)).ravel()
    own = rng.standard_normal((n, 64)) * 500 * lower
    noise = rng.standard_normal((n // 4, copies, 64)) * 500 * lower * np.linspace(0.02, 0.6, copies)[:, None]
    copied = (own[: n // 4, None] + noise).reshape(-1, 64)
    frequencies = rng.permutation(np.concatenate([own, copied])).astype(np.float32)
    index = _index(hash_frequencies(frequencies).tolist(), [f"s{row}" for row in range(len(frequencies))])
    return index.assign(signature=pd.Series(encode_signatures(frequencies), dtype=object))


def _compared(index: pd.DataFrame) -> set[tuple[int, int]]:
    """The near pairs, by comparing all."""
    pairs = np.stack(np.triu_indices(len(index), 1), axis=1)
    hashes = index["phash"].to_numpy(np.int64)
    near = np.bitwise_count((hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]]).view(np.uint64)) <= HASH_DISTANCE_MAX
    near &= similarity(decode_signatures(index["signature"]), pairs) >= SIMILARITY_MIN
    return {(int(a), int(b)) for a, b in pairs[near]}


def _ends(pairs: pd.DataFrame) -> set[tuple[int, int]]:
    return set(zip(pairs["a"].tolist(), pairs["b"].tolist(), strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_near_pairs_are_those_of_comparing_all(seed: int) -> None:
    index = _pictures(seed)
    found, expected = duplicate_pairs(index), _compared(index)
    assert len(expected) > 100
    assert _ends(found) == expected
    within = _as_pairs(near_pairs(index["phash"].to_numpy(np.int64), HASH_DISTANCE_MAX))
    assert expected < within, "some are near by their hashes alone"
    assert found["bits"].max() > STRICT_HASH_DISTANCE_MAX
    assert found["similarity"].dtype == np.float32
    assert found["similarity"].between(SIMILARITY_MIN, 1).all()


def test_the_order_of_the_rows_does_not_matter() -> None:
    index = _pictures(0)
    order = np.random.default_rng(0).permutation(len(index))
    shuffled = duplicate_pairs(index.iloc[order])
    back = np.sort(order[row_pairs(shuffled)], axis=1)
    assert {(int(a), int(b)) for a, b in back} == _ends(duplicate_pairs(index))


def test_an_index_of_an_older_version_is_searched_by_the_strict_rule() -> None:
    index = _pictures(0)
    strict = duplicate_pairs(index.drop(columns="signature"))
    assert len(strict) < len(duplicate_pairs(index)) / 2
    assert strict["bits"].max() <= STRICT_HASH_DISTANCE_MAX
    assert strict["similarity"].isna().all()


def test_a_picture_without_a_signature_is_near_to_nothing() -> None:
    index = _index([0, 0, 1], list("abc"))
    alike = encode_signatures(np.random.default_rng(0).standard_normal((1, 64)).astype(np.float32) * 100)
    index["signature"] = pd.Series([*alike, None, *alike], dtype=object)
    assert _ends(duplicate_pairs(index)) == {(0, 2)}


def test_pairs_are_kept_with_the_rule_that_they_were_found_by(tmp_path: Path) -> None:
    path, found = tmp_path / "pairs.parquet", duplicate_pairs(_pictures(0))
    now = pairs_version(["id", "phash", "signature"], "abc")
    assert read_pairs(path, now) is None
    write_pairs(found, path, now)
    kept = read_pairs(path, now)
    assert kept is not None
    pd.testing.assert_frame_equal(kept, found)
    for other in (pairs_version(["id", "phash"], "abc"), pairs_version(["id", "phash", "signature"], "abd")):
        assert read_pairs(path, other) is None
    found.to_parquet(path, index=False)  # as an older version did
    assert read_pairs(path, now) is None


@pytest.fixture(scope="module")
def faces(test_data: Path) -> list[Gray]:
    """Different faces of FER+; uint8, shape (48, 48)."""
    with zipfile.ZipFile(test_data / "ferplus.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        chosen = names[:: len(names) // FACES][:FACES]
        return [cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_GRAYSCALE) for name in chosen]


def _measured(folder: Path, pictures: list[Gray]) -> pd.DataFrame:
    paths = [folder / f"{row:04d}.png" for row in range(len(pictures))]
    for path, pixels in zip(paths, pictures, strict=True):
        cv2.imwrite(str(path), pixels)
    return measure_images([ByteRange(str(path), path.name) for path in paths], [None] * len(paths))


def _jpeg(face: Gray) -> Gray:
    return cv2.imdecode(cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], cv2.IMREAD_GRAYSCALE)


def _shifted(face: Gray) -> Gray:
    return cv2.copyMakeBorder(face, 1, 0, 1, 0, cv2.BORDER_REPLICATE)[:-1, :-1]


@pytest.mark.parametrize(
    ("change", "found_01", "of_strict"),
    [
        (lambda face: cv2.resize(face, (96, 96), interpolation=cv2.INTER_CUBIC), 1.0, 1),
        (lambda face: cv2.resize(face, (36, 36), interpolation=cv2.INTER_AREA), 1.0, 1),
        (_jpeg, 1.0, 1),
        (lambda face: cv2.convertScaleAbs(face, alpha=1.1, beta=10), 1.0, 1),
        (lambda face: face[1:-1, 1:-1], 0.8, 3),
        (_shifted, 0.5, 5),
    ],
    ids=["enlarged", "shrunk", "jpeg", "brightened", "cropped", "shifted"],
)
def test_changed_copies_of_a_face_are_found_and_other_faces_are_not(
    change: Callable[[Gray], Gray], found_01: float, of_strict: int, faces: list[Gray], tmp_path: Path
) -> None:
    index = _measured(tmp_path, [*faces, *(change(face) for face in faces)])
    copies = {(row, row + FACES) for row in range(FACES)}
    found = _ends(duplicate_pairs(index))
    assert found <= copies
    assert len(found) >= found_01 * FACES
    assert len(found) >= of_strict * len(_ends(duplicate_pairs(index.drop(columns=["signature", "detail"]))) & copies)


def test_flat_images_are_like_nothing(tmp_path: Path) -> None:
    flat = [np.full((48, 48), level, np.uint8) for level in (90, 91, 200)]
    grainy = [np.asarray(90 + np.random.default_rng(seed).integers(0, 2, (48, 48)), np.uint8) for seed in range(3)]
    assert duplicate_pairs(_measured(tmp_path, flat + grainy)).empty
    one = _measured(tmp_path, [flat[0], flat[0]])
    assert duplicate_pairs(one)["kind"].tolist() == ["exact"]


def _as_pairs(pairs: NDArray[np.int64]) -> set[tuple[int, int]]:
    return {(int(a), int(b)) for a, b in pairs}


def _index(phash: list[int], sha256: list[str], identity: list[str | None] | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "phash": phash,
            "sha256": sha256,
            "identity": pd.array(identity or [None] * len(phash), dtype="string"),
            "contrast": [50.0 if value else float("nan") for value in sha256],
            "problem": ["" if value else "does not decode" for value in sha256],
        }
    )


FAR = [0, 0x0F0F0F0F0F0F0F0F, 0x00FF00FF00FF00FF, 0x3333333333333333, 0x5555555555555555]


def _same(labels: NDArray[np.int64]) -> list[list[int]]:
    """Row numbers by group."""
    return [np.flatnonzero(labels == label).tolist() for label in dict.fromkeys(labels.tolist())]


def _rows(pairs: pd.DataFrame) -> list[tuple[int, int, int, str]]:
    assert list(pairs.columns) == ["a", "b", "bits", "kind", "similarity"]
    assert (pairs["similarity"] == 1).tolist() == (pairs["kind"] == "exact").tolist()
    return list(pairs.drop(columns="similarity").itertuples(index=False, name=None))


def test_pairs_have_a_distance_and_a_kind() -> None:
    index = _index([FAR[1], 0, 0b11, 0, 0b11, FAR[2]], ["x", "a", "b", "a", "c", "d"])
    assert _rows(duplicate_pairs(index)) == [
        (1, 2, 2, "near"),
        (1, 3, 0, "exact"),
        (1, 4, 2, "near"),
        (2, 4, 0, "near"),
    ]


def test_no_pairs_are_an_empty_table_with_the_same_columns() -> None:
    for index in (_index(FAR, list("abcde")), _index([], []).astype({"phash": "int64", "sha256": "str"})):
        found = duplicate_pairs(index)
        assert _rows(found) == []
        assert (
            found.dtypes.astype(str).to_dict()
            == duplicate_pairs(_index([0, 0], ["a", "a"])).dtypes.astype(str).to_dict()
        )


def test_blank_images_are_near_to_nothing_but_may_be_the_same() -> None:
    index = _index([0, 0, 0, 1, 0], list("abcda"))
    index["contrast"] = [BLANK_CONTRAST - 0.1, 0.0, BLANK_CONTRAST, 50.0, BLANK_CONTRAST - 0.1]
    assert _rows(duplicate_pairs(index)) == [(0, 4, 0, "exact"), (2, 3, 1, "near")]


def test_an_index_without_contrast_has_no_blank_images() -> None:
    index = _index([0, 0], list("ab")).drop(columns="contrast")
    assert _rows(duplicate_pairs(index)) == [(0, 1, 0, "near")]


def test_images_that_could_not_be_read_are_in_no_pair() -> None:
    assert _rows(duplicate_pairs(_index([0, 0, 0], ["", "", "a"]))) == []


@pytest.mark.parametrize("seed", range(6))
def test_what_is_left_of_the_pairs_is_what_a_search_without_the_excluded_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    index = _pictures(seed)
    index = index.iloc[rng.integers(0, len(index), 400)].reset_index(drop=True)
    index["sha256"] += [f"-{copy}" for copy in rng.integers(0, 3, 400)]
    index["excluded"] = rng.random(400) < 0.5
    every = duplicate_pairs(index)
    assert (every["kind"] == "exact").any()
    left = without_excluded(every, index)
    assert 0 < len(left) < len(every)
    used = np.flatnonzero(~index["excluded"])
    fresh = duplicate_pairs(index.iloc[used])
    pd.testing.assert_frame_equal(left, fresh.assign(a=used[fresh["a"]], b=used[fresh["b"]]))


def test_pairs_stay_as_they_are_where_nothing_is_excluded() -> None:
    index = _index([0, 0, 1], list("abc"))
    found = duplicate_pairs(index)
    assert without_excluded(found, index) is found
    assert without_excluded(found, index.assign(excluded=False)).equals(found)
