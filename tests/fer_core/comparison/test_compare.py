"""Comparison of runs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fer_core.comparison.compare import (
    RUNS_MAX,
    Comparison,
    available_metrics,
    compare_runs,
    config_differences,
    flat_config,
    load_curves,
    select_metric,
)
from fer_core.comparison.run_summary import summarize_run
from fer_core.errors import RunError
from fer_core.runs.folder import create_run, open_run
from fer_core.settings import Settings
from tests.support.runs import make_run


def compare(run_ids: Sequence[str], store: Settings) -> Comparison:
    return compare_runs([summarize_run(open_run(run_id, store), store) for run_id in run_ids], store)


def compare_pair(store: Settings, one: dict[str, Any], other: dict[str, Any]) -> Comparison:
    make_run("a", store, **{"title": "One", **one})
    make_run("b", store, **{"title": "Other", **other})
    return compare("ab", store)


def test_the_leading_run_is_named_with_its_lead_and_interval(store: Settings) -> None:
    comparison = compare_pair(store, {"macro_f1": 0.601, "half_width": 0.03}, {"macro_f1": 0.622, "half_width": 0.03})
    assert comparison.comparable
    assert comparison.ranking == (
        "Other is ahead of One by 2.1 points of macro-F1 on the test split of FER+ (3 images): 62.2 against 60.1 %, "
        "each at its best epoch (2 and 2). Their 95 % intervals overlap: on other images the order could be different."
    )


def test_non_overlapping_intervals_are_stated(store: Settings) -> None:
    comparison = compare_pair(store, {"macro_f1": 0.7, "half_width": 0.01}, {"macro_f1": 0.6, "half_width": 0.01})
    assert "One is ahead of Other by 10.0 points" in comparison.ranking
    assert "do not overlap" in comparison.ranking


def test_equal_scores_are_level(store: Settings) -> None:
    comparison = compare_pair(store, {"macro_f1": 0.60001}, {"macro_f1": 0.6})
    assert comparison.ranking.startswith("One and Other are level: both have a macro-F1 of 60.0 %")


@pytest.mark.parametrize(
    ("other", "text"),
    [
        ({"dataset": "affectnet"}, "on different datasets (AffectNet, FER+)"),
        ({"labels": "seven"}, "on different sets of expressions (eight, seven)"),
        ({"images": ["a", "b", "z"]}, "on different images of FER+"),
        ({"report_split": "valid", "images": ["a", "b", "z"], "split": {"seed": 5}}, "on different images of FER+"),
    ],
)
def test_runs_with_different_evaluations_are_not_ranked(store: Settings, other: dict[str, Any], text: str) -> None:
    comparison = compare_pair(store, {}, other)
    assert not comparison.comparable
    assert "can't be ranked" in comparison.ranking and text in comparison.ranking
    assert "ahead" not in comparison.ranking


def test_the_same_images_are_comparable_whatever_the_corrections(store: Settings) -> None:
    comparison = compare_pair(store, {"macro_f1": 0.5}, {"macro_f1": 0.6, "images": ["c", "a", "b"], "corrections": 4})
    assert comparison.comparable and "Other is ahead of One" in comparison.ranking
    assert comparison.differences["key"].tolist() == []  # both runs used version 0


def test_an_unfinished_run_is_compared_on_the_validation_split(store: Settings) -> None:
    comparison = compare_pair(
        store, {"macro_f1": 0.9, "scores": [0.3, 0.4]}, {"finished": False, "scores": [0.5, 0.6], "config_epochs": 9}
    )
    assert comparison.comparable
    assert "Other is ahead of One by 20.0 points of macro-F1 on the validation split" in comparison.ranking
    assert "no intervals" in comparison.ranking and "slightly optimistic" in comparison.ranking


def test_synthetic_data_is_pointed_out(store: Settings) -> None:
    assert "nothing about people" in compare_pair(store, {"synthetic": True}, {}).ranking


def test_runs_without_metrics_are_named(store: Settings) -> None:
    without_metrics = {"scores": [], "finished": False}
    assert "None of these runs has metrics yet" in compare_pair(store, without_metrics, without_metrics).ranking
    make_run("c", store, title="Third")
    assert compare("ac", store).ranking.startswith("Only Third has metrics so far")
    make_run("d", store, title="Fourth")
    assert compare("acd", store).ranking.endswith("One has no metrics yet.")


def test_the_order_of_the_runs_changes_nothing(store: Settings) -> None:
    make_run("a", store, macro_f1=0.5, title="A")
    make_run("b", store, macro_f1=0.6, title="B", batch_size=32)
    make_run("c", store, macro_f1=0.6, title="C", rebalancing="class-weights", scores=[0.1])
    first = compare("abc", store)
    for order in permutations("abc"):
        reordered = compare(order, store)
        assert (reordered.ranking, reordered.comparable) == (first.ranking, first.comparable)
        assert reordered.differences["key"].tolist() == first.differences["key"].tolist()
        pd.testing.assert_frame_equal(reordered.differences[first.differences.columns.tolist()], first.differences)
        key = ["run", "epoch"]
        pd.testing.assert_frame_equal(
            reordered.curves.sort_values(key).reset_index(drop=True),
            first.curves.sort_values(key).reset_index(drop=True),
        )


def test_the_leader_is_compared_with_each_other_run(store: Settings) -> None:
    for name, value in {"a": 0.60, "b": 0.58, "c": 0.30}.items():
        make_run(name, store, macro_f1=value, half_width=0.02, title=name.upper())
    text = compare("abc", store).ranking
    assert "A is ahead of the next, B, by 2.0 points" in text
    assert "overlaps with that of B:" in text


@pytest.mark.parametrize("run_ids", [[], ["a"], ["a", "a"], [*"abcdefg"]])
def test_the_number_of_compared_runs_is_limited(run_ids: list[str], store: Settings) -> None:
    for name in "abcdefg":
        make_run(name, store)
    with pytest.raises(RunError, match=f"2 to {RUNS_MAX} different runs"):
        compare(run_ids, store)


def test_only_differing_keys_are_listed(store: Settings) -> None:
    comparison = compare_pair(
        store,
        {"optimizer": {"learning_rate": 0.1}, "epochs": 3},
        {"optimizer": {"learning_rate": 0.05}, "rebalancing": "over-sampling", "seed": 2},
    )
    assert comparison.differences["key"].tolist() == ["optimizer.learning_rate", "rebalancing.sampling", "seed"]
    assert comparison.differences["a"].tolist() == ["0.1", "natural", "0"]
    assert comparison.differences["b"].tolist() == ["0.05", "over", "2"]


def test_an_explicit_default_is_no_difference(store: Settings) -> None:
    default = flat_config(make_run("d", store))["model.width"]
    comparison = compare_pair(
        store, {"model": {"name": "small-se-resnet"}}, {"model": {"name": "small-se-resnet", "width": default}}
    )
    assert comparison.differences.empty


def test_invalid_configs_are_compared_by_their_values(store: Settings) -> None:
    make_run("a", store)
    make_run("b", store).write("config.yaml", b"dataset: ferplus\nmagic: {power: 3}\nepochs: 3\n")
    make_run("c", store).write("config.yaml", b"dataset: [")
    comparison = compare("abc", store)
    assert comparison.unreadable == ("c",)
    rows = comparison.differences.set_index("key")
    assert rows.loc["magic.power"].tolist() == ["not given", "3"]
    assert "epochs" not in rows.index
    assert rows.columns.tolist() == ["a", "b"]


def test_equal_configs_have_no_differences() -> None:
    assert config_differences({"a": {"x": 1, "title": "A"}, "b": {"x": 1.0, "title": "B"}}).empty
    assert config_differences({}).columns.tolist() == ["key"]


def test_curves_have_metrics_and_elapsed_time(store: Settings) -> None:
    a, b = make_run("a", store, scores=[0.2, 0.4]), make_run("b", store, scores=[0.3], finished=False)
    curves = load_curves([a, b])
    assert curves[["run", "epoch"]].to_numpy().tolist() == [["a", 1], ["a", 2], ["b", 1]]
    assert curves["elapsed_s"].tolist() == [2.0, 4.0, 2.0]
    table = select_metric(curves, "macro_f1")
    assert table.columns.tolist() == ["run", "epoch", "elapsed_s", "train", "valid"]
    assert table["valid"].tolist() == [0.2, 0.4, 0.3]
    np.testing.assert_allclose(table["train"] - table["valid"], 0.1)


def test_a_metric_without_values_is_not_available(store: Settings) -> None:
    curves = load_curves([make_run("a", store)])
    assert "f1_contempt" not in available_metrics(curves) and "f1_fear" in available_metrics(curves)
    with pytest.raises(RunError, match=r"'f1_contempt'\. Choose one of: macro_f1"):
        select_metric(curves, "f1_contempt")
    assert available_metrics(load_curves([])) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[1]\n", b"\xff\n", b'{"loss": 1}\n', b'{"epoch": "x"}\n'])
def test_damaged_metrics_have_no_curve(store: Settings, content: bytes) -> None:
    run = create_run("a", "dataset: x\n", store)
    run.write("metrics.jsonl", content)
    assert load_curves([run]).empty
    assert len(load_curves([run, make_run("b", store)])) == 3
