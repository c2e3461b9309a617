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
    EXACT,
    HASH_DISTANCE_MAX,
    SIMILARITY_MIN,
    STRICT_HASH_DISTANCE_MAX,
    duplicate_pairs,
    paired_with,
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


def _random_index(seed: int, n: int = 80, copies: int = 8) -> pd.DataFrame:
    """A shuffled index of random images; a quarter of them have increasingly different copies."""
    rng = np.random.default_rng(seed)
    falloff = 1 / (1 + np.arange(8)[:, None] + np.arange(8)).ravel()
    originals = rng.standard_normal((n, 64)) * 500 * falloff
    noise = rng.standard_normal((n // 4, copies, 64)) * 500 * falloff * np.linspace(0.02, 0.6, copies)[:, None]
    copied = (originals[: n // 4, None] + noise).reshape(-1, 64)
    frequencies = rng.permutation(np.concatenate([originals, copied])).astype(np.float32)
    index = _index(hash_frequencies(frequencies).tolist(), [f"s{row}" for row in range(len(frequencies))])
    return index.assign(signature=pd.Series(encode_signatures(frequencies), dtype=object))


def _brute_force_pairs(index: pd.DataFrame) -> set[tuple[int, int]]:
    """Near pairs by brute force."""
    pairs = np.stack(np.triu_indices(len(index), 1), axis=1)
    hashes = index["phash"].to_numpy(np.int64)
    near = np.bitwise_count((hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]]).view(np.uint64)) <= HASH_DISTANCE_MAX
    near &= similarity(decode_signatures(index["signature"]), pairs) >= SIMILARITY_MIN
    return {(int(a), int(b)) for a, b in pairs[near]}


def _pair_set(pairs: pd.DataFrame) -> set[tuple[int, int]]:
    return set(zip(pairs["a"].tolist(), pairs["b"].tolist(), strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_near_pairs_match_brute_force(seed: int) -> None:
    index = _random_index(seed)
    pairs, expected = duplicate_pairs(index), _brute_force_pairs(index)
    assert len(expected) > 100
    assert _pair_set(pairs) == expected
    near_hashes = _as_pairs(near_pairs(index["phash"].to_numpy(np.int64), HASH_DISTANCE_MAX))
    assert expected < near_hashes, "some are near by their hashes alone"
    assert pairs["bits"].max() > STRICT_HASH_DISTANCE_MAX
    assert pairs["similarity"].dtype == np.float32
    assert pairs["similarity"].between(SIMILARITY_MIN, 1).all()


def test_pairs_do_not_depend_on_row_order() -> None:
    index = _random_index(0)
    order = np.random.default_rng(0).permutation(len(index))
    shuffled = duplicate_pairs(index.iloc[order])
    original_rows = np.sort(order[row_pairs(shuffled)], axis=1)
    assert {(int(a), int(b)) for a, b in original_rows} == _pair_set(duplicate_pairs(index))


def test_an_index_without_signatures_uses_the_strict_hash_distance() -> None:
    index = _random_index(0)
    strict = duplicate_pairs(index.drop(columns="signature"))
    assert len(strict) < len(duplicate_pairs(index)) / 2
    assert strict["bits"].max() <= STRICT_HASH_DISTANCE_MAX
    assert strict["similarity"].isna().all()


def test_an_image_without_a_signature_has_no_near_duplicates() -> None:
    index = _index([0, 0, 1], list("abc"))
    signature = encode_signatures(np.random.default_rng(0).standard_normal((1, 64)).astype(np.float32) * 100)
    index["signature"] = pd.Series([*signature, None, *signature], dtype=object)
    assert _pair_set(duplicate_pairs(index)) == {(0, 2)}


def test_stored_pairs_are_read_only_at_the_same_version(tmp_path: Path) -> None:
    path, pairs = tmp_path / "pairs.parquet", duplicate_pairs(_random_index(0))
    version = pairs_version(["id", "phash", "signature"], "abc")
    assert read_pairs(path, version) is None
    write_pairs(pairs, path, version)
    stored = read_pairs(path, version)
    assert stored is not None
    pd.testing.assert_frame_equal(stored, pairs)
    for other in (pairs_version(["id", "phash"], "abc"), pairs_version(["id", "phash", "signature"], "abd")):
        assert read_pairs(path, other) is None
    pairs.to_parquet(path, index=False)  # as an older version did
    assert read_pairs(path, version) is None


@pytest.fixture(scope="module")
def faces(test_data: Path) -> list[Gray]:
    """Different faces of FER+; uint8, shape (48, 48)."""
    with zipfile.ZipFile(test_data / "ferplus.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        selected = names[:: len(names) // FACES][:FACES]
        return [cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_GRAYSCALE) for name in selected]


def _measure(folder: Path, images: list[Gray]) -> pd.DataFrame:
    paths = [folder / f"{row:04d}.png" for row in range(len(images))]
    for path, pixels in zip(paths, images, strict=True):
        cv2.imwrite(str(path), pixels)
    return measure_images([ByteRange(str(path), path.name) for path in paths], [None] * len(paths))


def _jpeg(face: Gray) -> Gray:
    return cv2.imdecode(cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], cv2.IMREAD_GRAYSCALE)


def _shifted(face: Gray) -> Gray:
    return cv2.copyMakeBorder(face, 1, 0, 1, 0, cv2.BORDER_REPLICATE)[:-1, :-1]


@pytest.mark.parametrize(
    ("change", "recall_min_01", "gain_min"),
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
def test_changed_copies_are_found_and_different_faces_are_not(
    change: Callable[[Gray], Gray], recall_min_01: float, gain_min: int, faces: list[Gray], tmp_path: Path
) -> None:
    index = _measure(tmp_path, [*faces, *(change(face) for face in faces)])
    copies = {(row, row + FACES) for row in range(FACES)}
    result = _pair_set(duplicate_pairs(index))
    assert result <= copies
    assert len(result) >= recall_min_01 * FACES
    assert len(result) >= gain_min * len(
        _pair_set(duplicate_pairs(index.drop(columns=["signature", "detail"]))) & copies
    )


def test_flat_images_have_no_near_duplicates(tmp_path: Path) -> None:
    flat = [np.full((48, 48), level, np.uint8) for level in (90, 91, 200)]
    noisy = [np.asarray(90 + np.random.default_rng(seed).integers(0, 2, (48, 48)), np.uint8) for seed in range(3)]
    assert duplicate_pairs(_measure(tmp_path, flat + noisy)).empty
    identical = _measure(tmp_path, [flat[0], flat[0]])
    assert duplicate_pairs(identical)["kind"].tolist() == ["exact"]


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


DISTANT_HASHES = [0, 0x0F0F0F0F0F0F0F0F, 0x00FF00FF00FF00FF, 0x3333333333333333, 0x5555555555555555]


def _rows(pairs: pd.DataFrame) -> list[tuple[int, int, int, str]]:
    assert list(pairs.columns) == ["a", "b", "bits", "kind", "similarity"]
    assert (pairs["similarity"] == 1).tolist() == (pairs["kind"] == "exact").tolist()
    return list(pairs.drop(columns="similarity").itertuples(index=False, name=None))


def test_pairs_have_a_distance_and_a_kind() -> None:
    index = _index([DISTANT_HASHES[1], 0, 0b11, 0, 0b11, DISTANT_HASHES[2]], ["x", "a", "b", "a", "c", "d"])
    assert _rows(duplicate_pairs(index)) == [
        (1, 2, 2, "near"),
        (1, 3, 0, "exact"),
        (1, 4, 2, "near"),
        (2, 4, 0, "near"),
    ]


def test_no_pairs_are_an_empty_table_with_the_same_columns() -> None:
    for index in (_index(DISTANT_HASHES, list("abcde")), _index([], []).astype({"phash": "int64", "sha256": "str"})):
        pairs = duplicate_pairs(index)
        assert _rows(pairs) == []
        assert (
            pairs.dtypes.astype(str).to_dict()
            == duplicate_pairs(_index([0, 0], ["a", "a"])).dtypes.astype(str).to_dict()
        )


def test_blank_images_can_only_be_exact_duplicates() -> None:
    index = _index([0, 0, 0, 1, 0], list("abcda"))
    index["contrast"] = [BLANK_CONTRAST - 0.1, 0.0, BLANK_CONTRAST, 50.0, BLANK_CONTRAST - 0.1]
    assert _rows(duplicate_pairs(index)) == [(0, 4, 0, "exact"), (2, 3, 1, "near")]


def test_an_index_without_contrast_has_no_blank_images() -> None:
    index = _index([0, 0], list("ab")).drop(columns="contrast")
    assert _rows(duplicate_pairs(index)) == [(0, 1, 0, "near")]


def test_unreadable_images_are_in_no_pair() -> None:
    assert _rows(duplicate_pairs(_index([0, 0, 0], ["", "", "a"]))) == []


@pytest.mark.parametrize("seed", range(6))
def test_without_excluded_matches_a_search_of_the_remaining_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    index = _random_index(seed)
    index = index.iloc[rng.integers(0, len(index), 400)].reset_index(drop=True)
    index["sha256"] += [f"-{copy}" for copy in rng.integers(0, 3, 400)]
    index["excluded"] = rng.random(400) < 0.5
    all_pairs = duplicate_pairs(index)
    assert (all_pairs["kind"] == "exact").any()
    remaining = without_excluded(all_pairs, index)
    assert 0 < len(remaining) < len(all_pairs)
    used = np.flatnonzero(~index["excluded"])
    expected = duplicate_pairs(index.iloc[used])
    pd.testing.assert_frame_equal(remaining, expected.assign(a=used[expected["a"]], b=used[expected["b"]]))


def test_pairs_are_unchanged_without_exclusions() -> None:
    index = _index([0, 0, 1], list("abc"))
    pairs = duplicate_pairs(index)
    assert without_excluded(pairs, index) is pairs
    assert without_excluded(pairs, index.assign(excluded=False)).equals(pairs)


def test_rows_with_the_same_pixels_share_their_pairs() -> None:
    """Rows 0, 1 and 2 have the same pixels, like 5 and 6; only 0 and 5 were compared, and are near-duplicates."""
    pairs = pd.DataFrame(
        {"a": [0, 0, 0, 3, 5], "b": [1, 2, 5, 4, 6], "kind": [EXACT, EXACT, "near", "augmented", EXACT]}
    )

    def paired(*rows: int) -> list[int]:
        return np.flatnonzero(paired_with(pairs, np.isin(np.arange(8), rows))).tolist()

    assert paired(6) == paired(5) == [0, 1, 2, 5, 6]
    assert paired(1) == [0, 1, 2, 5, 6]
    assert paired(3) == [4] and paired(7) == []
