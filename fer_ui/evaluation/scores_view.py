"""The section Scores: every score with its interval, and how they compare with what annotators reach."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from fer_core.data.agreement import AnnotatorAgreement, annotator_agreement
from fer_core.errors import InputError
from fer_core.evaluation.analysis.vote_scores import VoteScores, score_votes
from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_core.evaluation.scores import SCORE_TITLES, SHARES, Score, ScoreName, score_with_intervals
from fer_ui.chart_view import show_chart
from fer_ui.charts.evaluation.scores import ScoreRow, scores_chart
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.evaluation import Evaluation
from fer_ui.formatting import NO_VALUE, format_images, format_interval, format_percent
from fer_ui.frame.view_layout import chart_and_numbers, verdict

_MEANINGS: dict[ScoreName, str] = {
    "macro_f1": "Mean F1 of the expressions; each counts alike, however rare.",
    "balanced_accuracy": "Mean recall of the expressions.",
    "accuracy": "Share of the images that are right; the common expressions decide it.",
    "weighted_f1": "Mean F1, weighted by the images of each expression.",
    "kappa": "Agreement beyond what the frequencies of labels and predictions give; 1 is perfect, 0 chance.",
    "mcc": "Correlation of predictions and labels; 1 is perfect, 0 chance.",
    "top2": "Share of the images whose label is one of the two likeliest expressions.",
    "log_loss": "Mean surprise at the label, in nats; 0 is perfect, and sure errors cost most.",
    "ece": "Mean gap between confidence and accuracy in 15 bins; 0 is perfect. Of few images it is too high.",
}
_INTERVALS = (
    "Intervals: 1,000 resamples of the images. Those beside the confusion matrix come from its counts, and are wider "
    "where a class has few images, which resamples alone underrate."
)
_SINGLE, _PANEL = "one annotator against the others", "panel of annotators"


@dataclass(frozen=True)
class _Scores:
    """The scores of an evaluation; those of votes and annotators only where the dataset has votes."""

    scores: dict[ScoreName, Score]
    votes: VoteScores | None
    annotators: AnnotatorAgreement | None


def show_scores(evaluation: Evaluation) -> None:
    """Show the scores on one axis, with a table of all of them."""
    assert evaluation.images is not None
    found = _compute(evaluation.version, evaluation.images)
    rows = [ScoreRow(SCORE_TITLES[name], *found.scores[name], _people(found, name)) for name in SHARES]
    if found.votes:
        votes = found.votes
        people = {"two annotators with each other": votes.annotator_agreement, "best possible": votes.best_agreement}
        rows.append(ScoreRow("Agreement with a vote", votes.agreement, votes.agreement_interval, people))
    view = chart_and_numbers("scores")
    with view.numbers:
        verdict(describe_scores(found.scores, found.annotators))
        st.caption(escape_markdown(f"{format_images(evaluation.report.n)}. {_INTERVALS}"))
        if found.votes:
            st.markdown(escape_markdown(describe_votes(found.votes)))
    with view.chart:
        subtitle = "The whisker is the 95 % interval." if len(rows) == len(SHARES) else _PEOPLE_SUBTITLE
        table = scores_table(found.scores)
        show_chart(scores_chart(rows, subtitle), f"scores-{evaluation.key}", table=table)
    shown = {
        "Score": list(SCORE_TITLES.values()),
        "Value": [_format(name, found.scores[name].value) for name in SCORE_TITLES],
        "95 % interval": [_format_interval(name, found.scores[name]) for name in SCORE_TITLES],
        "What it means": [_MEANINGS[name] for name in SCORE_TITLES],
    }
    st.dataframe(pd.DataFrame(shown), hide_index=True, key=f"scores-table-{evaluation.key}")


_PEOPLE_SUBTITLE = "Diamonds are what annotators reach on the same images by the same measure."


def scores_table(scores: dict[ScoreName, Score]) -> pd.DataFrame:
    """Tabulate the scores: `score`, `value`, `low` and `high`."""
    rows = [(name, value, *interval) for name, (value, interval) in scores.items()]
    return pd.DataFrame(rows, columns=["score", "value", "low", "high"])


def describe_scores(scores: dict[ScoreName, Score], annotators: AnnotatorAgreement | None) -> str:
    """Say how far accuracy is above the score that counts every expression alike, and how near to what people reach."""
    accuracy, macro = scores["accuracy"].value, scores["macro_f1"].value
    text = f"Accuracy is {format_percent(accuracy)}, but macro-F1 {format_percent(macro)}: "
    if accuracy - macro < 0.05:
        text = f"Accuracy ({format_percent(accuracy)}) and macro-F1 ({format_percent(macro)}) are close: "
        text += "rare expressions are found almost as well as common ones."
    else:
        text += "rare expressions are found less often than common ones."
    if annotators is None:
        return text
    single = annotators.single_annotator_01
    low, high = scores["accuracy"].interval
    compared = "as often as" if low <= single <= high else "more often than" if accuracy > single else "less often than"
    return f"{text} It agrees with the label {compared} a single annotator ({format_percent(single)})."


def describe_votes(votes: VoteScores) -> str:
    """Compare the model with the votes themselves, not only with the label that they lead to."""
    return (
        f"Against the votes of {format_images(votes.n)}: a vote picked at random agrees with the model in "
        f"{format_percent(votes.agreement)} (95 %: {format_interval(*votes.agreement_interval)}), with another vote in "
        f"{format_percent(votes.annotator_agreement)}; at best {format_percent(votes.best_agreement)} are possible. "
        f"Cross-entropy to the shares of the votes: {votes.cross_entropy:.3f} nats; the least possible is "
        f"{votes.least_cross_entropy:.3f}."
    )


def _people(found: _Scores, name: ScoreName) -> dict[str, float]:
    if name != "accuracy" or found.annotators is None:
        return {}
    return {_SINGLE: found.annotators.single_annotator_01, _PANEL: found.annotators.majority_panel_01}


def _format(name: ScoreName, value: float) -> str:
    if math.isnan(value):
        return NO_VALUE
    return format_percent(value) if name in SHARES else f"{value:.3f}"


def _format_interval(name: ScoreName, score: Score) -> str:
    if math.isnan(score.value):
        return NO_VALUE
    return format_interval(*score.interval) if name in SHARES else "{:.3f} to {:.3f}".format(*score.interval)


@st.cache_data(show_spinner="Resampling the images", max_entries=16)
def _compute(version: str, _images: EvaluatedImages) -> _Scores:
    del version  # cache key
    votes = annotators = None
    labeled = _images.labeled
    if labeled.votes is not None:
        try:
            votes = score_votes(labeled.votes, labeled.probabilities, labeled.labels)
            annotators = annotator_agreement(labeled.votes)
        except InputError:  # the images of this split have no votes
            votes = None
    return _Scores(score_with_intervals(_images.labeled_predictions), votes, annotators)
