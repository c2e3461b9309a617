"""What a run would learn from, in words, and what speaks against it."""

from __future__ import annotations

from fer_core.data.imbalance.rebalancing import Rebalancing
from fer_core.text import join_words
from fer_core.training.config.imbalance_warnings import warnings
from fer_core.training.config.train_config import TrainConfig
from fer_core.training.precision import EMULATED, preview_precision
from fer_ui.datasets.imbalance.epoch_summary import warn_small_epoch
from fer_ui.datasets.imbalance.rebalancing_query_params import describe_rebalancing
from fer_ui.datasets.imbalance.training_split import TrainingSplit, load_training_split
from fer_ui.formatting import count, images
from fer_ui.training.form.form_context import FormContext
from fer_ui.training.form.split_choice import describe_split


def describe_training(config: TrainConfig, context: FormContext, *, every_fold: bool = False) -> str:
    """Which parts the dataset falls into, how many images teach, and what is done about imbalance.

    Raises:
        FerscopeError: the dataset can't be divided so, or nothing is left to learn from.
    """
    split = load_training_split(context.dataset, config)
    words = [
        describe_split(config.split, context.published, every_fold=every_fold),
        f"{count(split.images)} images are learned from{' in the first run' if every_fold else ''}.",
    ]
    if split.without_target:
        words.append(
            f"Nothing is learned from {images(split.without_target)} without a label among the expressions told apart."
        )
    ambiguous = int(context.index["ambiguous"].sum())
    if config.exclude_ambiguous and ambiguous:
        words.append(f"Nothing is learned from {images(ambiguous)} marked as ambiguous.")
    if config.rebalancing != Rebalancing():
        rebalancing = describe_rebalancing(config.rebalancing)
        words.append(f"Against imbalance: {rebalancing[0].lower()}{rebalancing[1:]}.")
    return " ".join(words)


def training_warnings(config: TrainConfig, context: FormContext) -> list[str]:
    """What to think about before the start, in words."""
    split = load_training_split(context.dataset, config)
    sizes = dict(zip(split.labels, split.sizes.tolist(), strict=True))
    return [
        *warnings(config, sizes),
        *warn_small_epoch(split, split.under(config.rebalancing), config),
        *_missing(split),
        *_emulated(config, context),
    ]


def _emulated(config: TrainConfig, context: FormContext) -> list[str]:
    """A precision that this machine can only emulate."""
    if preview_precision(config.precision, on_gpu=bool(context.gpus)).reason != EMULATED:
        return []
    slow = "This processor has no bf16 instructions and emulates them, which can take many times as long as fp32."
    return [f"{slow} Choose the precision “automatic”."]


def _missing(split: TrainingSplit) -> list[str]:
    """Expressions without an image to learn from."""
    none = [str(expression) for expression, size in zip(split.labels, split.sizes, strict=True) if not size]
    if not none or len(none) == len(split.labels):
        return []
    return [f"No image of {join_words(none, 'or')} is learned from: the network can't learn to tell them apart."]
