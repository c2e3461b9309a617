"""Summary of a planned training and warnings about it."""

from __future__ import annotations

from fer_core.data.imbalance.rebalancing import Rebalancing
from fer_core.data.record import Split
from fer_core.data.splits.split import SplitConfig
from fer_core.text import capitalize_first, join_words, lowercase_first
from fer_core.training.config.imbalance_warnings import imbalance_warnings
from fer_core.training.config.train_config import TrainConfig
from fer_core.training.precision import EMULATED, preview_precision
from fer_ui.datasets.imbalance.epoch_summary import warn_small_epoch
from fer_ui.datasets.imbalance.rebalancing_picker import describe_rebalancing
from fer_ui.datasets.imbalance.training_split import TrainingSplit, load_training_split
from fer_ui.datasets.split_choice import describe_split_config, has_published_split
from fer_ui.evaluation.describe_data import NO_TEST_SPLIT
from fer_ui.formatting import format_images
from fer_ui.training.form.form_context import FormContext


def training_summary(config: TrainConfig, context: FormContext, *, every_fold: bool = False) -> str:
    """Describe the split, the number of training images and the rebalancing.

    Raises:
        FerscopeError: the dataset can't be split so, or no training image is left.
    """
    split = load_training_split(context.dataset, config)
    sentences = [
        _describe_split(config.split, context.published, every_fold=every_fold),
        *(["Numbers are for the first run."] if every_fold else []),
    ]
    if split.without_target:
        sentences.append(f"Excluded: {format_images(split.without_target)} without a label in the label set.")
    ambiguous = int(context.index["ambiguous"].sum())
    if config.exclude_ambiguous and ambiguous:
        sentences.append(f"Excluded: {format_images(ambiguous)} marked as ambiguous.")
    if config.extra_datasets:
        sentences.append(f"Also trained on, not counted here: {join_words(config.extra_datasets)}.")
    if config.rebalancing != Rebalancing():
        sentences.append(f"Rebalancing: {lowercase_first(describe_rebalancing(config.rebalancing))}.")
    return " ".join(sentences)


def training_warnings(config: TrainConfig, context: FormContext) -> list[str]:
    """Collect the warnings about the training."""
    split = load_training_split(context.dataset, config)
    sizes = dict(zip(split.labels, split.sizes.tolist(), strict=True))
    return [
        *imbalance_warnings(config, sizes),
        *warn_small_epoch(split, split.epoch_table(config.rebalancing), config),
        *_warn_missing_classes(split),
        *_warn_emulated(config, context),
    ]


def _describe_split(split: SplitConfig, present: frozenset[str], *, every_fold: bool) -> str:
    grouped = "near-duplicates and people kept together"
    if every_fold:
        return f"Each of {split.folds} folds, seed {split.seed}, is the test split of one run; {grouped}."
    if split.kind == "kfold":
        return f"{capitalize_first(describe_split_config(split))}, is the test split; {grouped}."
    if split.kind == "published" and set(Split) <= present:
        return "The dataset's published training, validation and test splits are used."
    if split.kind == "published" and has_published_split(present):
        share = f"{100 * split.valid_01:.3g} % of the training split"
        if Split.TEST not in present:
            return f"{NO_TEST_SPLIT} {capitalize_first(share)} is the validation split."
        return f"The dataset's test split is used; {share} is the validation split."
    seeded = split.model_copy(update={"kind": "seeded"})
    return f"The images are split {describe_split_config(seeded)}, {grouped}."


def _warn_emulated(config: TrainConfig, context: FormContext) -> list[str]:
    if preview_precision(config.precision, on_gpu=bool(context.gpus)).reason != EMULATED:
        return []
    return [
        "This processor emulates bf16, which can take many times as long as fp32. Choose the precision “automatic”."
    ]


def _warn_missing_classes(split: TrainingSplit) -> list[str]:
    missing = [str(expression) for expression, size in zip(split.labels, split.sizes, strict=True) if not size]
    if not missing or len(missing) == len(split.labels):
        return []
    return [f"There are no training images of {join_words(missing, 'or')}: the model can't learn to predict them."]
