"""Describe an epoch under a rebalancing, in sentences."""

from __future__ import annotations

import pandas as pd

from fer_core.data.imbalance.rebalancing import Rebalancing
from fer_core.text import join_words
from fer_core.training.config.train_config import TrainConfig
from fer_ui.datasets.imbalance.training_split import TrainingSplit
from fer_ui.datasets.split_choice import describe_split_config
from fer_ui.formatting import format_count, format_images, format_times

_SAME_01 = 0.005


def describe_epoch(split: TrainingSplit, table: pd.DataFrame, rebalancing: Rebalancing) -> str:
    """Describe the samples of an epoch, the images it skips, and how the loss is weighted.

    Args:
        split: with at least one labeled image.
        table: `split.epoch_table(rebalancing)`.
    """
    smallest = table.iloc[int(table["images"].where(table["images"] > 0).argmin())]
    largest = table.iloc[int(table["images"].argmax())]
    sentences = [_describe_samples(split, table, smallest, rebalancing), _describe_unlabeled(split, rebalancing)]
    weight = float(smallest["weight"] / largest["weight"])
    if abs(weight - 1) > _SAME_01:
        sentences.append(
            f"In the loss, one vote for {smallest['expression']} weighs as much as {weight:,.1f} votes for "
            f"{largest['expression']}."
            if split.has_soft_targets
            else f"In the loss, one {smallest['expression']} face weighs as much as {weight:,.1f} "
            f"{largest['expression']} faces."
        )
    if rebalancing.logit_tau > 0:
        sentences.append(
            f"The loss lowers the logit of {smallest['expression']} by {largest['offset'] - smallest['offset']:.1f} "
            f"more than that of {largest['expression']}; prediction does not."
        )
    return " ".join(filter(None, sentences))


def describe_counted_images(split: TrainingSplit, config: TrainConfig, total: int) -> str:
    """Describe which of the dataset's `total` images are counted."""
    skipped = {
        "in no split (such as near-duplicates of test images)": split.without_split,
        "excluded": split.excluded,
        "ambiguous": split.ambiguous,
        "unreadable": split.unreadable,
        "without a usable label or votes": split.without_target,
    }
    others = [f"{format_count(number)} {reason}" for reason, number in skipped.items() if number]
    images = f"{format_images(split.images)} of {format_count(total)}"
    sentences = [f"Training split ({describe_split_config(config.split)}): {images}."]
    if others:
        sentences.append(f"Besides validation and test images, it skips: {join_words(others)}.")
    if split.has_soft_targets:
        sentences.append("Sampling uses labels; the loss, its weights and shares use votes.")
    sentences.append(f"The last incomplete batch of an epoch is dropped (batch size {config.batch_size}).")
    return " ".join(sentences)


def warn_small_epoch(split: TrainingSplit, table: pd.DataFrame, config: TrainConfig) -> list[str]:
    """Warn where an epoch would be smaller than a batch, which training refuses."""
    samples, batch = int(table["samples"].sum()) + split.unlabeled, config.batch_size
    text = (
        f"An epoch contains {format_images(samples)}, fewer than one batch of {batch}, so training would not start. "
        "Lower the batch size in Training, or choose another rebalancing."
    )
    return [text] if samples < batch else []


def _describe_samples(split: TrainingSplit, table: pd.DataFrame, smallest: pd.Series, rebalancing: Rebalancing) -> str:
    samples, unseen = int(table["samples"].sum()) + split.unlabeled, int(table["never_seen"].sum())
    if rebalancing.sampling == "natural":
        return f"An epoch contains each of {format_images(samples)} once."
    total = ", as many as there are" if samples == split.images else f" instead of {format_count(split.images)}"
    repeats = format_times(smallest["repeats"]) if smallest["repeats"] > 1 else "once"
    clauses = [f"An epoch contains {format_count(samples)} samples{total}"]
    clauses.append(f"each {smallest['expression']} face {repeats}")
    if unseen:
        clauses.append(f"and skips {format_images(unseen)} of other expressions")
    return f"{', '.join(clauses)}."


def _describe_unlabeled(split: TrainingSplit, rebalancing: Rebalancing) -> str:
    if not split.unlabeled:
        return ""
    once = "" if rebalancing.sampling == "natural" else ", once each"
    return f"The samples include {format_images(split.unlabeled)} without a label but with votes{once}."
