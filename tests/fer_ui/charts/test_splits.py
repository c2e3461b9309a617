from __future__ import annotations

import pandas as pd
import pytest

from fer_core.data.splits.split import SPLITS
from fer_core.labels import Expression
from fer_ui.charts.layout import get_titles
from fer_ui.charts.splits import describe_split_shares, split_class_shares, split_share_bars
from tests.support.texts import assert_mentions

E = Expression


def split_counts(
    train: dict[Expression, int], valid: dict[Expression, int], test: dict[Expression, int]
) -> pd.DataFrame:
    rows = [{str(e): split.get(e, 0) for e in Expression} for split in (train, valid, test, {})]
    table = pd.DataFrame(rows, index=pd.Index(SPLITS, name="split")).assign(unlabeled=7)
    return table.assign(total=table.sum(axis=1))


SOME = {E.ANGER: 30, E.HAPPINESS: 20}
STRATIFIED = split_counts({E.FEAR: 20, E.ANGER: 60}, {E.FEAR: 5, E.ANGER: 15}, {E.FEAR: 10, E.ANGER: 30})


def test_shares_are_of_a_splits_labeled_images_in_the_fixed_order() -> None:
    classes, panels = split_class_shares(STRATIFIED)
    assert classes == (E.FEAR, E.ANGER)
    assert [panel.split for panel in panels] == ["train", "valid", "test"]
    assert all(panel.shares_01 == (0.25, 0.75) for panel in panels)
    assert panels[1].counts == (5, 15)


def test_each_split_has_a_bar_of_each_class_on_one_axis() -> None:
    figure = split_share_bars(STRATIFIED)
    bars = [trace for trace in figure.data if trace.showlegend is not False]
    assert [trace.name for trace in bars] == ["Training", "Validation", "Test"]
    assert all(list(trace.x) == [25, 75] and list(trace.y) == ["Fear", "Anger"] for trace in bars)
    assert_mentions(bars[1].hovertext[0], "validation", "5 of 20 images", "fear", "25.0 %")
    assert_mentions(get_titles(figure).subtitle, "same")
    assert list(bars[2].customdata[1]) == ["anger", "test"]


@pytest.mark.parametrize(
    ("table", "mentioned"),
    [
        (
            split_counts({E.FEAR: 50, E.ANGER: 50}, {E.FEAR: 10, E.ANGER: 10}, {E.FEAR: 10, E.ANGER: 30}),
            ["fear", "50.0 % in training", "25.0 % in test"],
        ),
        (
            split_counts({E.FEAR: 50, E.ANGER: 50}, {E.ANGER: 9}, {E.FEAR: 1, E.ANGER: 30}),
            ["validation", "no images of fear"],
        ),
        (split_counts({E.FEAR: 5}, {}, {}), ["only one split"]),
        (
            split_counts(
                {E.FEAR: 1, E.ANGER: 55, E.HAPPINESS: 50}, {E.FEAR: 3, E.ANGER: 5, E.HAPPINESS: 5}, {E.FEAR: 1} | SOME
            ),
            ["anger differs most"],
        ),
        (split_counts({E.FEAR: 1, E.ANGER: 2}, {E.FEAR: 2, E.ANGER: 1}, {}), ["too few to compare"]),
    ],
)
def test_the_subtitle_names_the_largest_difference(table: pd.DataFrame, mentioned: list[str]) -> None:
    assert_mentions(describe_split_shares(table), *mentioned)


def test_without_labels_the_figure_shows_why() -> None:
    figure = split_share_bars(split_counts({}, {}, {}))
    assert not figure.data
    assert_mentions(figure.layout.annotations[0].text, "no image")
