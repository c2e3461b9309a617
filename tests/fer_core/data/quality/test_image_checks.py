from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.quality import image_checks as images

Check = Callable[[pd.DataFrame, NDArray[np.bool_]], NDArray[np.int64]]


def _index(n: int, **columns: Any) -> pd.DataFrame:
    """An index of about equally sharp images of one class and size; `columns` override the defaults."""
    defaults = {
        "label": pd.array(["neutral"] * n, "string"),
        "width": 48,
        "height": 48,
        "sha256": [f"{row:x}" for row in range(n)],
        "brightness": 128.0,
        "contrast": 50.0,
        "sharpness": np.exp(np.random.default_rng(0).uniform(6.7, 7.3, n)),
        "dark_01": 0.0,
        "bright_01": 0.0,
    }
    return pd.DataFrame({**defaults, **columns})


def _rows(check: Check, index: pd.DataFrame) -> list[int]:
    rows = check(index, np.ones(len(index), bool)).tolist()
    for row in rows:
        used = np.arange(len(index)) != row
        assert row not in check(index, used)
    return rows


def test_tiny_images_are_found_by_their_shorter_side_smallest_first() -> None:
    sides = [images.TINY_PX - 1, images.TINY_PX, 20, 300]
    assert _rows(images.tiny, _index(4, width=sides, height=[300] * 4)) == [2, 0]
    assert _rows(images.tiny, _index(4, height=sides, width=[300] * 4)) == [2, 0]


def test_dark_images_have_dark_highlights_or_are_half_black() -> None:
    # dark highlights; dark mean with highlights; half black and dark; half black with highlights; blank
    columns = {
        "brightness": [40.0, 60.0, 39.0, 60.0, 0.0],
        "contrast": [19.0, 30.0, 50.0, 60.0, 0.0],
        "dark_01": [0.1, 0.1, 0.6, 0.6, 1.0],
    }
    index = _index(5, **columns)
    assert _rows(images.dark, index) == [2, 0]
    assert _rows(images.dark, index.drop(columns=["dark_01", "bright_01"])) == [0]
    assert _rows(images.blank, index) == [4]


def test_bright_images_have_bright_shadows_or_are_half_white() -> None:
    columns = {
        "brightness": [200.0, 200.0, 220.0, 190.0, 255.0],
        "contrast": [20.0, 40.0, 50.0, 60.0, 0.0],
        "bright_01": [0.1, 0.1, 0.6, 0.6, 1.0],
    }
    index = _index(5, **columns)
    assert _rows(images.bright, index) == [2, 0]
    assert _rows(images.bright, index.drop(columns=["dark_01", "bright_01"])) == [0]


def test_blur_is_relative_to_the_class() -> None:
    index = _index(400)
    index.loc[200:, "label"] = "fear"
    index.loc[200:, "sharpness"] /= 8  # a soft class is not blurred relative to itself
    assert _rows(images.blurred, index) == []
    index.loc[0, "sharpness"] = index["sharpness"][200:].median()
    assert _rows(images.blurred, index) == [0]


def test_blur_is_relative_to_the_size() -> None:
    index = _index(400)
    index.loc[300:, ["width", "height"]] = 224
    index.loc[300:, "sharpness"] /= 50
    assert _rows(images.blurred, index) == []
    index.loc[300:, ["width", "height"]] = 48
    assert sorted(_rows(images.blurred, index)) == list(range(300, 400))


def test_similar_sizes_are_compared_with_each_other() -> None:
    index = _index(200)
    index["width"] = index["height"] = 45 + np.arange(200) % 12
    index.loc[7, "sharpness"] = 1.0
    assert _rows(images.blurred, index) == [7]


def test_a_low_contrast_image_is_not_blurred() -> None:
    index = _index(200)
    index.loc[0, ["contrast", "sharpness"]] = [10.0, index["sharpness"].median() * (10 / 50) ** 2]
    index.loc[1, "sharpness"] = index["sharpness"].median() * (10 / 50) ** 2
    assert _rows(images.blurred, index) == [1]


def test_a_small_class_is_compared_with_all_images_of_its_size() -> None:
    index = _index(200)
    index.loc[: images.CLASS_MIN - 2, "label"] = "contempt"
    index.loc[0, "sharpness"] = 1.0
    assert _rows(images.blurred, index) == [0]
    subset = index.iloc[: images.CLASS_MIN - 1]
    assert _rows(images.blurred, subset) == []
    all_rows = np.ones(len(subset), bool)
    assert np.isnan(images.sharpness_z(subset, all_rows)).all()


def test_images_of_equal_sharpness_are_not_compared() -> None:
    index = _index(200, sharpness=[5.0] * 200)
    index.loc[0, "sharpness"] = 1.0
    assert _rows(images.blurred, index) == []
