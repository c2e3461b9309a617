"""What a run would learn from, in words, and what speaks against it."""

from __future__ import annotations

from fer_core.data.rebalance import Remedy
from fer_core.training.config import TrainConfig
from fer_core.training.imbalance import warnings
from fer_core.training.precision import EMULATED, expected_precision
from fer_ui.datasets.epoch_words import too_few
from fer_ui.datasets.remedy_address import remedy_in_words
from fer_ui.datasets.training_part import TrainingPart, training_part
from fer_ui.numbers import count, images
from fer_ui.training_form.division import part_words
from fer_ui.training_form.place import Place


def learnt_from(config: TrainConfig, place: Place, *, every_fold: bool = False) -> str:
    """Which parts the dataset falls into, how many images teach, and what is done about imbalance.

    Raises:
        FerscopeError: the dataset can't be divided so, or nothing is left to learn from.
    """
    part = training_part(place.dataset, config)
    words = [
        part_words(config.split, place.published, every_fold=every_fold),
        f"{count(part.images)} images are learned from{' in the first run' if every_fold else ''}.",
    ]
    if part.silent:
        words.append(f"Nothing is learnt from {images(part.silent)} without a label among the expressions told apart.")
    disputed = int(place.index["disputed"].sum())
    if config.leave_out_disputed and disputed:
        words.append(f"Nothing is learnt from {images(disputed)} marked as disputed.")
    if config.remedy != Remedy():
        remedy = remedy_in_words(config.remedy)
        words.append(f"Against imbalance: {remedy[0].lower()}{remedy[1:]}.")
    return " ".join(words)


def doubts_about(config: TrainConfig, place: Place) -> list[str]:
    """What to think about before the start, in words."""
    part = training_part(place.dataset, config)
    sizes = dict(zip(part.labels, part.sizes.tolist(), strict=True))
    return [
        *warnings(config, sizes),
        *too_few(part, part.under(config.remedy), config),
        *_missing(part),
        *_emulated(config, place),
    ]


def _emulated(config: TrainConfig, place: Place) -> list[str]:
    """A precision that this machine can only emulate."""
    if expected_precision(config.precision, on_gpu=bool(place.gpus)).reason != EMULATED:
        return []
    slow = "This processor has no bf16 instructions and emulates them, which can take many times as long as fp32."
    return [f"{slow} Choose the precision “automatic”."]


def _missing(part: TrainingPart) -> list[str]:
    """Expressions without an image to learn from."""
    none = [str(expression) for expression, size in zip(part.labels, part.sizes, strict=True) if not size]
    if not none or len(none) == len(part.labels):
        return []
    return [f"No image of {' or '.join(none)} is learned from: the network can't learn to tell them apart."]
