from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fer_core.data.duplicates.dct_descriptor import DESCRIPTOR, DESCRIPTOR_SIDE, EMPHASIS, encode_descriptors
from fer_core.data.duplicates.duplicates import BLANK_CONTRAST, HASH_DISTANCE_MAX, SIMILARITY_MIN, duplicate_pairs
from fer_core.data.quality import image_checks as images
from fer_core.data.quality.checks import Finding, check_quality, redundant_rows, skipped_checks
from fer_core.data.quality.messages import MESSAGES, FindingKind

K = FindingKind
DISTANT_HASH = 0x0F0F0F0F0F0F0F0F


def _index(n: int, **columns: Any) -> pd.DataFrame:
    """An index of different images of one class without a split; `columns` override the defaults."""
    rng = np.random.default_rng(0)
    index = pd.DataFrame(
        {
            "id": [f"{row}.png" for row in range(n)],
            "path": [f"folder/{row}.png" for row in range(n)],
            "split": pd.array([None] * n, "string"),
            "label": pd.array(["neutral"] * n, "string"),
            "identity": pd.array([None] * n, "string"),
            "width": 48,
            "height": 48,
            "sha256": [f"{row:x}" for row in range(n)],
            "phash": rng.integers(-(2**63), 2**63, n, np.int64),
            "brightness": 128.0,
            "contrast": 50.0,
            "sharpness": np.exp(rng.uniform(6.7, 7.3, n)),
            "dark_01": 0.0,
            "bright_01": 0.0,
            "problem": "",
        }
    )
    for name, values in columns.items():
        index[name] = pd.array(values, index[name].dtype) if name in index else values
    return index


def _find(index: pd.DataFrame, faces: pd.DataFrame | None = None) -> dict[FindingKind, Finding]:
    return {finding.kind: finding for finding in check_quality(index, duplicate_pairs(index), faces)}


def _rows(index: pd.DataFrame, kind: FindingKind, faces: pd.DataFrame | None = None) -> list[int]:
    findings = _find(index, faces)
    return findings[kind].rows.tolist() if kind in findings else []


def _pairs(finding: Finding) -> list[tuple[int, int, int]]:
    assert finding.pairs is not None
    assert list(finding.pairs.columns) == ["a", "b", "bits", "similarity"]
    return list(finding.pairs.drop(columns="similarity").itertuples(index=False, name=None))


def _faulty_index() -> pd.DataFrame:
    """An index with every kind of finding."""
    count = 100
    index = _index(count)
    index["split"] = pd.array(["train"] * 50 + ["test"] * 50, "string")
    index.loc[0, ["sha256", "problem"]] = ["", "does not decode"]
    index.loc[1, "width"] = 20
    index.loc[2, "contrast"] = 0.0
    index.loc[3, ["brightness", "contrast"]] = [20.0, 10.0]
    index.loc[4, ["brightness", "contrast"]] = [230.0, 10.0]
    index.loc[5, "sharpness"] = 0.5
    for first, second, column in ((6, 56, "sha256"), (6, 56, "phash"), (7, 57, "identity"), (8, 58, "path")):
        index.loc[[first, second], column] = index.loc[first, column] if column != "identity" else "p"
    index.loc[56, "label"] = "fear"
    index.loc[9, "phash"] = index.loc[10, "phash"] ^ 1
    frequencies = (
        np.random.default_rng(0).standard_normal((count, DESCRIPTOR_SIDE**2)).astype(np.float32) * 1000 / EMPHASIS
    )
    frequencies[60] = frequencies[11] * np.tile(
        np.where(np.arange(DESCRIPTOR_SIDE) % 2, -1, 1), DESCRIPTOR_SIDE
    )  # mirrored
    index[DESCRIPTOR] = pd.Series(encode_descriptors(frequencies), dtype=object)
    return index


def _faces(index: pd.DataFrame, none: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"id": index["id"], "faces": [0 if row in none else 1 for row in range(len(index))]})


def test_all_kinds_are_found_most_severe_first() -> None:
    index = _faulty_index()
    findings = check_quality(index, duplicate_pairs(index), _faces(index, [11]))
    assert [finding.kind for finding in findings] == list(FindingKind)
    rows = {finding.kind: sorted(finding.rows.tolist()) for finding in findings}
    assert rows == {
        K.UNREADABLE: [0],
        K.DUPLICATE_ACROSS_SPLITS: [6, 11, 56, 60],
        K.IDENTITY_ACROSS_SPLITS: [7, 57],
        K.CONFLICT: [6, 56],
        K.EXACT_DUPLICATE: [6, 56],
        K.NEAR_DUPLICATE: [9, 10],
        K.AUGMENTED_COPY: [11, 60],
        K.BLANK: [2],
        K.NO_FACE: [11],
        K.TINY: [1],
        K.DARK: [3],
        K.BRIGHT: [4],
        K.BLURRED: [5],
        K.NAME_ACROSS_SPLITS: [8, 58],
    }


def test_a_clean_index_has_no_findings() -> None:
    index = _index(200)
    assert check_quality(index, duplicate_pairs(index), _faces(index, [])) == []
    assert check_quality(index.iloc[:0], duplicate_pairs(index.iloc[:0])) == []


def test_excluded_images_are_ignored_by_all_checks() -> None:
    index = _faulty_index()
    pairs, faces = duplicate_pairs(index), _faces(index, [11])
    assert len(check_quality(index.assign(excluded=False), pairs, faces)) == len(FindingKind)
    index["excluded"] = np.arange(len(index)) < 12
    assert check_quality(index, pairs, faces) == []


def test_excluding_the_redundant_rows_resolves_a_finding() -> None:
    index = _faulty_index()
    index["excluded"] = False
    pairs = duplicate_pairs(index)
    resolved = 0
    for finding in check_quality(index, pairs):
        assert (len(finding.redundant) > 0) == (finding.message.suggested_action == "exclude")
        assert set(finding.redundant) <= set(finding.rows)
        if finding.message.suggested_action == "exclude":
            index.loc[finding.redundant, "excluded"] = True
            assert finding.kind not in [remaining.kind for remaining in check_quality(index, pairs)]
            resolved += 1
    assert resolved >= 6


@pytest.mark.parametrize("kind", list(FindingKind))
def test_every_kind_has_a_message(kind: FindingKind) -> None:
    message = MESSAGES[kind]
    assert all((message.title, message.explanation.endswith("."), message.suggestion.endswith(".")))
    assert message.suggested_action in {"exclude", "relabel", "mark_ambiguous", "look"}


@pytest.mark.parametrize(
    ("kind", "limits"),
    [
        (K.TINY, [images.TINY_PX]),
        (K.BLANK, [BLANK_CONTRAST]),
        (K.DARK, [images.DARK_BELOW, images.DARK_MEAN_BELOW]),
        (K.BRIGHT, [images.BRIGHT_ABOVE, images.BRIGHT_MEAN_ABOVE]),
        (K.BLURRED, [images.BLURRED_Z, images.CLASS_MIN]),
        *(
            (kind, [HASH_DISTANCE_MAX, SIMILARITY_MIN])
            for kind in (K.NEAR_DUPLICATE, K.DUPLICATE_ACROSS_SPLITS, K.CONFLICT)
        ),
    ],
)
def test_messages_name_the_thresholds(kind: FindingKind, limits: list[float]) -> None:
    numbers = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", MESSAGES[kind].explanation)}
    assert set(map(float, limits)) <= numbers


def test_an_unreadable_image_has_no_other_finding() -> None:
    index = _index(3, width=[0, 48, 48], height=[0, 48, 48], sha256=["", "a", "b"], contrast=[np.nan, 50, 50])
    index[["brightness", "sharpness", "dark_01", "bright_01"]] = np.nan
    assert list(_find(index)) == [K.UNREADABLE]


def test_the_no_face_check_needs_a_face_search() -> None:
    index = _index(4)
    faces = pd.DataFrame({"id": ["2.png", "0.png", "elsewhere.png", "1.png"], "faces": [0, 2, 0, None]})
    pairs = duplicate_pairs(index)
    assert _rows(index, K.NO_FACE, faces) == [2]
    assert "2 of 4" in skipped_checks(index, pairs, faces)[K.NO_FACE]
    assert "not searched" in skipped_checks(index, pairs)[K.NO_FACE]
    assert K.NO_FACE not in skipped_checks(index, pairs, _faces(index, [1]))


def test_duplicates_of_duplicates_are_one_group() -> None:
    index = _index(6, phash=[0, 0, 0, 0b11, 1 << 40, 2**62 - 1], sha256=list("aabcde"))
    findings = _find(index)
    assert _pairs(findings[K.EXACT_DUPLICATE]) == [(0, 1, 0)]
    nearest = [(0, 2, 0), (0, 4, 1), (2, 4, 1), (0, 3, 2), (2, 3, 2), (3, 4, 3)]
    assert _pairs(findings[K.NEAR_DUPLICATE]) == nearest
    assert findings[K.NEAR_DUPLICATE].rows.tolist() == [0, 2, 4, 3]
    assert redundant_rows(duplicate_pairs(index), index).tolist() == [1, 2, 3, 4]


def test_evaluation_images_are_not_redundant() -> None:
    index = _index(6, phash=[0, 0, 0, DISTANT_HASH, DISTANT_HASH, DISTANT_HASH])
    pairs = duplicate_pairs(index)
    for split, redundant in (
        (["train", "valid", "test", "train", "train", "valid"], [0, 1, 3, 4]),
        ([None, "train", None, "valid", "valid", "train"], [0, 2, 4, 5]),
    ):
        index["split"] = pd.array(split, "string")
        assert redundant_rows(pairs, index).tolist() == redundant
    index["excluded"] = [True, False, False, False, False, False]
    assert redundant_rows(pairs, index).tolist() == [2, 4, 5]
    index["split"] = pd.array([None] * 6, "string")
    assert redundant_rows(pairs, index).tolist() == [2, 4, 5]
    assert redundant_rows(pairs.iloc[:0], index).tolist() == []


def test_blank_images_are_not_duplicates() -> None:
    index = _index(2, sha256=["a", "a"], phash=[0, 0], contrast=[0.0, 0.0], label=["fear", "anger"])
    index["split"] = pd.array(["train", "test"], "string")
    assert list(_find(index)) == [K.BLANK]


def test_of_duplicates_across_splits_the_training_copy_is_redundant() -> None:
    index = _index(5, phash=[0, 0, 1, DISTANT_HASH, DISTANT_HASH])
    index["split"] = pd.array(["train", "train", "valid", "train", "train"], "string")
    finding = _find(index)[K.DUPLICATE_ACROSS_SPLITS]
    assert _pairs(finding) == [(0, 2, 1), (1, 2, 1)]
    assert finding.rows.tolist() == [0, 2, 1]
    assert finding.redundant.tolist() == [0, 1]


def test_a_group_without_a_pair_across_splits_shows_two_of_its_images() -> None:
    # both are paired with the first row, which has no split and no label
    index = _index(3, sha256=["a", "a", "a"], phash=[0, 0, 0], label=[None, "fear", "anger"])
    index["split"] = pd.array([None, "train", "test"], "string")
    findings = _find(index)
    for kind in (K.DUPLICATE_ACROSS_SPLITS, K.CONFLICT):
        assert _pairs(findings[kind]) == [(1, 2, 0)]
        assert findings[kind].pairs["similarity"].isna().all(), "the two were not compared"
        assert sorted(findings[kind].rows.tolist()) == [1, 2]


def test_pairs_have_a_similarity_and_are_sorted_by_distance() -> None:
    index = _index(5, phash=[0, 0, 0b1, 0b111, DISTANT_HASH], sha256=list("aabcd"), label=["fear"] * 2 + ["anger"] * 3)
    pairs = pd.DataFrame({"a": [0, 0, 0], "b": [1, 2, 3], "bits": [0, 1, 3], "kind": ["exact", "near", "near"]})
    pairs["similarity"] = np.array([1, 0.96, 0.98], np.float32)
    pairs_by_kind = {finding.kind: finding.pairs for finding in check_quality(index, pairs)}
    for kind, expected in (
        (K.EXACT_DUPLICATE, [1]),
        (K.NEAR_DUPLICATE, [0.98, 0.96]),
        (K.CONFLICT, [0.98, 0.96]),
    ):
        finding_pairs = pairs_by_kind[kind]
        assert finding_pairs is not None
        assert finding_pairs["similarity"].tolist() == pytest.approx(expected)


def test_label_conflicts_are_pairs_with_different_labels() -> None:
    phash = [0, 0b1, 0b11, DISTANT_HASH, DISTANT_HASH, 2**62 - 1]
    index = _index(6, phash=phash, label=["fear", "fear", "anger", "anger", None, "fear"])
    finding = _find(index)[K.CONFLICT]
    assert _pairs(finding) == [(1, 2, 1), (0, 2, 2)]
    assert sorted(finding.rows.tolist()) == [0, 1, 2]
    assert finding.message.suggested_action == "mark_ambiguous"
    assert len(finding.redundant) == 0


def test_an_ambiguous_label_does_not_conflict() -> None:
    index = _index(2, phash=[0, 0], label=["fear", "anger"])
    index["ambiguous"] = [False, False]
    assert K.CONFLICT in _find(index)
    index["ambiguous"] = [False, True]
    assert K.CONFLICT not in _find(index)


def test_an_identity_in_two_splits_is_found() -> None:
    index = _index(6, identity=["p", "q", "p", "q", None, ""])
    index["split"] = pd.array(["train", "train", "test", "train", "train", "test"], "string")
    finding = _find(index)[K.IDENTITY_ACROSS_SPLITS]
    assert [pair[:2] for pair in _pairs(finding)] == [(0, 2)]
    assert finding.redundant.tolist() == [0]


def test_a_file_name_in_two_splits_is_found() -> None:
    index = _index(4, path=["train/1.png", "test/1.png", "train/a/2.png", "train/b/2.png"])
    index["split"] = pd.array(["train", "test", "train", "train"], "string")
    assert _rows(index, K.NAME_ACROSS_SPLITS) == [0, 1]


def test_skipped_checks_have_a_reason() -> None:
    index = _index(60)
    reasons = skipped_checks(index, None)
    assert set(reasons) == {
        *(K.DUPLICATE_ACROSS_SPLITS, K.CONFLICT, K.EXACT_DUPLICATE, K.NEAR_DUPLICATE, K.AUGMENTED_COPY),
        *(K.IDENTITY_ACROSS_SPLITS, K.NAME_ACROSS_SPLITS, K.NO_FACE),
    }
    assert {finding.kind for finding in check_quality(index, None)} == set()
    index["split"] = pd.array(["train"] * 59 + ["test"], "string")
    index["identity"] = pd.array(["p"] * 60, "string")
    assert skipped_checks(index, duplicate_pairs(index), _faces(index, [])) == {}
    index["label"] = pd.array([None] * 60, "string")
    assert set(skipped_checks(index, duplicate_pairs(index), _faces(index, []))) == {K.CONFLICT}
    few = index.iloc[: images.CLASS_MIN - 1]
    assert K.BLURRED in skipped_checks(few, duplicate_pairs(few))
    index["split"] = pd.array(["train"] * 60, "string")
    assert "split" in skipped_checks(index, duplicate_pairs(index))[K.DUPLICATE_ACROSS_SPLITS]
