"""What an epoch would be under a remedy, in sentences."""

from __future__ import annotations

import pandas as pd

from fer_core.data.imbalance.rebalancing import Rebalancing
from fer_core.text import join_words
from fer_core.training.config.train_config import TrainConfig
from fer_ui.datasets.imbalance.training_split import TrainingSplit
from fer_ui.formatting import count, images, times
from fer_ui.split_query_params import describe_split_config

_SAME_01 = 0.005


def describe_epoch(split: TrainingSplit, table: pd.DataFrame, rebalancing: Rebalancing) -> str:
    """What is drawn, what waits, and how the loss differs.

    Args:
        split: with a labeled image at least.
        table: `split.under(rebalancing)`.
    """
    rarest = table.iloc[int(table["images"].where(table["images"] > 0).argmin())]
    commonest = table.iloc[int(table["images"].argmax())]
    sentences = [_drawn_words(split, table, rarest, rebalancing), _unlabeled_words(split, rebalancing)]
    weight = float(rarest["weight"] / commonest["weight"])
    if abs(weight - 1) > _SAME_01:
        sentences.append(
            f"In the loss, one vote for {rarest['expression']} counts as much as {weight:,.1f} for "
            f"{commonest['expression']}."
            if split.soft
            else f"In the loss, one {rarest['expression']} face counts as much as {weight:,.1f} "
            f"{commonest['expression']} ones."
        )
    if rebalancing.logit_tau > 0:
        sentences.append(
            f"The loss takes {commonest['offset'] - rarest['offset']:.1f} more off the output of "
            f"{rarest['expression']} than off that of {commonest['expression']}; prediction does not."
        )
    return " ".join(filter(None, sentences))


def describe_counted_images(split: TrainingSplit, config: TrainConfig, of: int) -> str:
    """What was counted, and what of the dataset's `of` images was not."""
    kept_out = {
        "left out by the split (near-duplicates of judged ones, or without a part)": split.left_out,
        "excluded": split.excluded,
        "ambiguous": split.ambiguous,
        "unreadable": split.unreadable,
        "whose label or votes teach nothing": split.silent,
    }
    others = [f"{count(number)} {words}" for words, number in kept_out.items() if number]
    how = f"as a run would make it ({describe_split_config(config.split)})"
    sentences = [f"Counted on the training part {how}: {images(split.images)} of {count(of)}."]
    if others:
        sentences.append(f"Not among them, beside those that select and judge: {join_words(others)}.")
    if split.soft:
        sentences.append("Images are drawn by their label; the loss weighs their votes, and its shares are of these.")
    sentences.append(f"The last images of an epoch that fill no batch of {config.batch_size} are passed over.")
    return " ".join(sentences)


def warn_small_epoch(split: TrainingSplit, table: pd.DataFrame, config: TrainConfig) -> list[str]:
    """That training would refuse an epoch of less than a batch, where it would."""
    drawn, batch = int(table["samples"].sum()) + split.unlabeled, config.batch_size
    words = (
        f"An epoch would have {images(drawn)}, fewer than one batch of {batch}, and training refuses that. Lower the "
        "batch size in Training, or choose another remedy."
    )
    return [words] if drawn < batch else []


def _drawn_words(split: TrainingSplit, table: pd.DataFrame, rarest: pd.Series, rebalancing: Rebalancing) -> str:
    drawn, waiting = int(table["samples"].sum()) + split.unlabeled, int(table["never_seen"].sum())
    if rebalancing.sampling == "natural":
        return f"An epoch would show each of {images(drawn)} once."
    of = ", as many as there are" if drawn == split.images else f" instead of {count(split.images)}"
    each = times(rarest["repeats"]) if rarest["repeats"] > 1 else "once"
    words = [f"An epoch would show {images(drawn)}{of}", f"each {rarest['expression']} face {each}"]
    if waiting:
        words.append(f"while {images(waiting)} of other expressions {'waits' if waiting == 1 else 'wait'} for another")
    return f"{', '.join(words)}."


def _unlabeled_words(split: TrainingSplit, rebalancing: Rebalancing) -> str:
    """That images without a label teach too."""
    if not split.unlabeled:
        return ""
    one = split.unlabeled == 1
    once = "" if rebalancing.sampling == "natural" else f" and {'is' if one else 'are'} drawn once as ever"
    shown = f"{count(split.unlabeled)} of the images shown {'has' if one else 'have'} no label{once}"
    return f"{shown}: the votes teach all the same."
