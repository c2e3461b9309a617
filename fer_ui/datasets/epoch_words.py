"""What an epoch would be under a remedy, in sentences."""

from __future__ import annotations

import pandas as pd

from fer_core.data.rebalance import Remedy
from fer_core.training.config import TrainConfig
from fer_ui.datasets.training_part import TrainingPart
from fer_ui.numbers import count, images, listed, times
from fer_ui.split_address import split_in_words

_SAME_01 = 0.005


def epoch_words(part: TrainingPart, table: pd.DataFrame, remedy: Remedy) -> str:
    """What is drawn, what waits, and how the loss differs.

    Args:
        part: with a labelled image at least.
        table: `part.under(remedy)`.
    """
    rarest = table.iloc[int(table["images"].where(table["images"] > 0).argmin())]
    commonest = table.iloc[int(table["images"].argmax())]
    sentences = [_drawn_words(part, table, rarest, remedy), _unlabelled_words(part, remedy)]
    weight = float(rarest["weight"] / commonest["weight"])
    if abs(weight - 1) > _SAME_01:
        sentences.append(
            f"In the loss, one vote for {rarest['expression']} counts as much as {weight:,.1f} for "
            f"{commonest['expression']}."
            if part.soft
            else f"In the loss, one {rarest['expression']} face counts as much as {weight:,.1f} "
            f"{commonest['expression']} ones."
        )
    if remedy.logit_tau > 0:
        sentences.append(
            f"The loss takes {commonest['offset'] - rarest['offset']:.1f} more off the output of "
            f"{rarest['expression']} than off that of {commonest['expression']}; prediction does not."
        )
    return " ".join(filter(None, sentences))


def counted_words(part: TrainingPart, config: TrainConfig, of: int) -> str:
    """What was counted, and what of the dataset's `of` images was not."""
    kept_out = {
        "left out by the split (near-duplicates of judged ones, or without a part)": part.left_out,
        "excluded": part.excluded,
        "disputed": part.disputed,
        "unreadable": part.unreadable,
        "whose label or votes teach nothing": part.silent,
    }
    others = [f"{count(number)} {words}" for words, number in kept_out.items() if number]
    how = f"as a run would make it ({split_in_words(config.split)})"
    sentences = [f"Counted on the training part {how}: {images(part.images)} of {count(of)}."]
    if others:
        sentences.append(f"Not among them, beside those that select and judge: {listed(others)}.")
    if part.soft:
        sentences.append("Images are drawn by their label; the loss weighs their votes, and its shares are of these.")
    sentences.append(f"The last images of an epoch that fill no batch of {config.batch_size} are passed over.")
    return " ".join(sentences)


def too_few(part: TrainingPart, table: pd.DataFrame, config: TrainConfig) -> list[str]:
    """That training would refuse an epoch of less than a batch, where it would."""
    drawn, batch = int(table["drawn"].sum()) + part.unlabelled, config.batch_size
    words = (
        f"An epoch would have {images(drawn)}, fewer than one batch of {batch}, and training refuses that. Lower the "
        "batch size in Training, or choose another remedy."
    )
    return [words] if drawn < batch else []


def _drawn_words(part: TrainingPart, table: pd.DataFrame, rarest: pd.Series, remedy: Remedy) -> str:
    drawn, waiting = int(table["drawn"].sum()) + part.unlabelled, int(table["never_seen"].sum())
    if remedy.sampling == "natural":
        return f"An epoch would show each of {images(drawn)} once."
    of = ", as many as there are" if drawn == part.images else f" instead of {count(part.images)}"
    each = times(rarest["repeats"]) if rarest["repeats"] > 1 else "once"
    words = [f"An epoch would show {images(drawn)}{of}", f"each {rarest['expression']} face {each}"]
    if waiting:
        words.append(f"while {images(waiting)} of other expressions {'waits' if waiting == 1 else 'wait'} for another")
    return f"{', '.join(words)}."


def _unlabelled_words(part: TrainingPart, remedy: Remedy) -> str:
    """That images without a label teach too."""
    if not part.unlabelled:
        return ""
    one = part.unlabelled == 1
    once = "" if remedy.sampling == "natural" else f" and {'is' if one else 'are'} drawn once as ever"
    shown = f"{count(part.unlabelled)} of the images shown {'has' if one else 'have'} no label{once}"
    return f"{shown}: the votes teach all the same."
