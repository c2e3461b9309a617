"""Config values with a widget: label, help text, choices and when they apply."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fer_core.labels import LABEL_SETS
from fer_core.metrics import METRIC_TITLES
from fer_core.models.catalog import model_info
from fer_core.training.config.train_config import TITLE_CHARACTERS_MAX
from fer_ui.training.form.form_context import FormContext
from fer_ui.training.form.form_state import Values


def _always(_values: Values, _context: FormContext) -> bool:
    return True


def _if_one_of(path: str, *options: object) -> Callable[[Values, FormContext], bool]:
    return lambda values, _context: values[path] in options


@dataclass(frozen=True)
class Field:
    """A value's widget.

    Attributes:
        titles: titles of the choices, if any.
        options: the choices available; None for all.
        step: of a number's buttons, in displayed units.
        applies: whether the value has an effect, given the others; hidden if not.
        dataset_dependent: whether that depends on the dataset; the value is then reset to its default.
    """

    label: str
    help: str = ""
    titles: Mapping[str, str] | None = None
    options: Callable[[Values, FormContext], Sequence[str]] | None = None
    step: float = 1
    applies: Callable[[Values, FormContext], bool] = _always
    dataset_dependent: bool = False

    @property
    def percent(self) -> bool:
        """Whether a share is shown in percent."""
        return "%" in self.label


LABEL_SET_TITLES = {
    "eight": "All eight expressions",
    "seven": "Seven, without contempt",
    "four": "Four, as in study B: neutral, happiness, sadness, surprise",
    "three": "Three, as in study C: happiness, sadness, anger",
}


def _stops_early(values: Values, _context: FormContext) -> bool:
    return bool(values["early_stopping.patience"])


def _monitor_options(values: Values, _context: FormContext) -> list[str]:
    known = {f"f1_{expression}" for expression in LABEL_SETS[values["labels"]]}
    return [name for name in METRIC_TITLES if not name.startswith("f1_") or name in known]


def _precisions(_values: Values, context: FormContext) -> list[str]:
    return ["auto", "fp32", "bf16", *(["fp16"] if context.gpus else [])]


def _teacher_options(values: Values, context: FormContext) -> list[str]:
    """Runs with the input contract of the chosen network."""
    contract = model_info(values["model.name"]).contract(LABEL_SETS[values["labels"]], values.get("model.size_px"))
    return [run_id for run_id, other in context.teachers.items() if other == contract]


_SGD = _if_one_of("optimizer.name", "sgd")
_PLATEAU = _if_one_of("optimizer.schedule", "plateau")
_MONITOR_HELP = "On the validation split. Lower is better for the loss, higher for the others."

OPTIMIZER: dict[str, Field] = {
    "optimizer.name": Field(
        "Optimizer",
        "SGD with momentum is reliable from scratch; Adam starts fast and was used by the studies; AdamW is Adam with "
        "decoupled weight decay.",
        {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"},
    ),
    "optimizer.momentum": Field(
        "Momentum", "Share of the previous update that is kept, 0 to below 1.", step=0.05, applies=_SGD
    ),
    "optimizer.nesterov": Field(
        "Nesterov momentum",
        "Computes the gradient after the momentum step.",
        applies=lambda values, _: values["optimizer.name"] == "sgd" and values["optimizer.momentum"] > 0,
    ),
    "optimizer.weight_decay": Field(
        "Weight decay (L2)", "Pulls weights towards zero, 0 to 1; 0 is off, 0.0005 is common.", step=0.0001
    ),
    "optimizer.l1": Field(
        "L1 penalty", "Adds this times the sum of absolute weights to the loss, 0 to 1; 0 is off.", step=0.00001
    ),
    "optimizer.clip_norm": Field(
        "Gradient clipping", "Maximum norm of the gradient; 0 is off, 1 to 5 are common.", step=0.5
    ),
}

RATE: dict[str, Field] = {
    "optimizer.learning_rate": Field(
        "Learning rate",
        "Step size, above 0 and up to 10. Common: 0.1 for SGD, 0.001 or less for Adam. If it is too high, the loss "
        "becomes nan.",
        step=0.001,
    ),
    "optimizer.schedule": Field(
        "Schedule",
        "How the learning rate changes: constant; cosine decay to zero; one cycle up and down; or reduced when the "
        "validation loss stops falling.",
        {"constant": "Constant", "cosine": "Cosine", "one_cycle": "One cycle", "plateau": "Reduce on plateau"},
    ),
    "optimizer.warmup_epochs": Field(
        "Warm-up, epochs",
        "Epochs over which the rate rises from zero; 0 is off. One cycle has its own warm-up.",
        applies=_if_one_of("optimizer.schedule", "constant", "cosine", "plateau"),
    ),
    "optimizer.plateau_patience": Field(
        "Plateau patience, epochs",
        "Epochs without a lower validation loss before the rate is reduced.",
        applies=_PLATEAU,
    ),
    "optimizer.plateau_factor": Field(
        "Plateau factor", "Factor for the rate when it is reduced, between 0 and 1.", step=0.1, applies=_PLATEAU
    ),
}

BATCHES: dict[str, Field] = {
    "batch_size": Field("Batch size", "Images per batch, 2 to 65,536; memory grows with it.", step=8),
    "optimizer.accumulation_steps": Field(
        "Gradient accumulation",
        "Batches per optimizer step: the effect of a larger batch in the memory of a small one.",
    ),
    "precision": Field(
        "Precision",
        "Automatic uses bf16 where the hardware supports it and fp32 elsewhere, where bf16 would be emulated and slow. "
        "fp16 needs a GPU.",
        {"auto": "automatic", "fp32": "fp32", "bf16": "bf16", "fp16": "fp16 (GPU)"},
        _precisions,
    ),
    "ema_decay": Field(
        "Weight averaging (EMA)",
        "Decay of the moving average of the weights, which is evaluated and kept; 0 is off, 0.999 is common.",
        step=0.0005,
    ),
}

LOSS: dict[str, Field] = {
    "loss.name": Field(
        "Loss",
        "Focal loss reduces the weight of images that are already predicted well.",
        {"cross_entropy": "Cross-entropy", "focal": "Focal"},
    ),
    "loss.gamma": Field(
        "Focal: gamma",
        "How much less, 0 to 10; 0 is cross-entropy.",
        step=0.5,
        applies=_if_one_of("loss.name", "focal"),
    ),
    "loss.label_smoothing": Field(
        "Label smoothing, %", "Share of each target spread evenly over all expressions, 0 to below 100; 10 is common."
    ),
    "targets": Field(
        "Targets",
        "The distribution of votes (without single votes), or only the most frequent vote as label.",
        {"votes": "Votes", "label": "Labels"},
        applies=lambda _, context: context.votes,
    ),
    "affect_weight": Field(
        "Valence and arousal loss weight",
        "Above 0, the network also predicts valence and arousal, with this weight of their loss.",
        step=0.1,
        applies=lambda _, context: context.affect,
        dataset_dependent=True,
    ),
}

TEACHERS: dict[str, Field] = {
    "distillation.teachers": Field(
        "Teachers",
        "Finished runs with the same input, whose predictions are mixed into the targets. They must have the same "
        "training split.",
        options=_teacher_options,
    ),
    "distillation.share_01": Field(
        "Teacher weight, %",
        "Share of the teachers in the targets, above 0 and up to 100; 50 to 90 are common.",
        step=5,
        applies=lambda values, _: bool(values["distillation.teachers"]),
    ),
}

DATA: dict[str, Field] = {
    "extra_datasets": Field(
        "More training images",
        "Other datasets whose labeled images are trained on, too, such as Feedback. The run is validated and tested on "
        "its own dataset only; copies of its validation and test images are left out.",
        options=lambda _, context: list(context.other_datasets),
        applies=lambda values, context: bool(context.other_datasets or values["extra_datasets"]),
        dataset_dependent=True,
    ),
}

LEARNING: dict[str, Field] = {**OPTIMIZER, **RATE, **BATCHES, **LOSS, **TEACHERS}

SELECTION: dict[str, Field] = {
    "monitor": Field("Keep the epoch with the best", _MONITOR_HELP, METRIC_TITLES, _monitor_options),
    "flip_tta": Field(
        "Flip TTA",
        "Averages the predictions for each face and its mirror image: slightly more accurate, at twice the time.",
    ),
    "early_stopping.patience": Field(
        "Early stopping patience, epochs", "Training ends after this many epochs without improvement; 0 is off."
    ),
    "early_stopping.metric": Field(
        "Early stopping metric", _MONITOR_HELP, METRIC_TITLES, _monitor_options, applies=_stops_early
    ),
    "early_stopping.min_delta": Field(
        "Minimum improvement", "Smaller improvements do not count, 0 to 1.", step=0.001, applies=_stops_early
    ),
}

RUN: dict[str, Field] = {
    "title": Field("Title", f"Name of the run, up to {TITLE_CHARACTERS_MAX} characters; default: the network's name."),
    "init_from": Field(
        "Initial weights",
        "The id of a run with the same network, or a file on the server: a PyTorch state dict or safetensors. Empty: "
        "from scratch, or as the network options say.",
    ),
    "seed": Field("Seed", "The same seed gives the same run on one machine."),
}

EPOCHS: dict[str, Field] = {"epochs": Field("Epochs", "Passes over the training images, 1 to 10,000.")}
