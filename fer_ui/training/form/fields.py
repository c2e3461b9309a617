"""Every value of a config that has a widget of its own: what it is called, what it does, and when it means anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fer_core.labels import LABEL_SETS, Expression
from fer_core.models.catalog import model_info
from fer_core.training.config.learning import MONITORED_METRICS
from fer_ui.training.form.form_context import FormContext
from fer_ui.training.form.form_state import Values


def _always(_values: Values, _context: FormContext) -> bool:
    return True


def _if_one_of(path: str, *wanted: object) -> Callable[[Values, FormContext], bool]:
    return lambda values, _context: values[path] in wanted


def _if_above(path: str, limit: float = 0) -> Callable[[Values, FormContext], bool]:
    return lambda values, _context: values[path] > limit


@dataclass(frozen=True)
class Field:
    """A value's widget.

    Attributes:
        titles: of its choices, where it has some.
        options: which of them make sense; all of them where it is None.
        step: of a number's buttons, in what is shown.
        percent: whether a share is shown as a percentage.
        applies: whether the value does anything beside the others; without that it is not asked for.
        dataset_dependent: whether it is the dataset that decides so: elsewhere the value is put back to its default.
    """

    label: str
    help: str = ""
    titles: Mapping[str, str] | None = None
    options: Callable[[Values, FormContext], Sequence[str]] | None = None
    step: float = 1
    percent: bool = False
    applies: Callable[[Values, FormContext], bool] = _always
    dataset_dependent: bool = False


MONITOR_TITLES = {
    "macro_f1": "Macro-F1",
    "balanced_accuracy": "Balanced accuracy",
    "accuracy": "Accuracy",
    "loss": "Loss",
} | {f"f1_{expression}": f"F1 of {expression}" for expression in Expression}
assert set(MONITOR_TITLES) == set(MONITORED_METRICS)

LABEL_SET_TITLES = {
    "eight": "All eight expressions",
    "seven": "Seven, without contempt",
    "four": "Four, as study B: neutral, happiness, sadness, surprise",
    "three": "Three, as study C: happiness, sadness, anger",
}


def _monitor_options(values: Values, _context: FormContext) -> list[str]:
    known = {f"f1_{expression}" for expression in LABEL_SETS[values["labels"]]}
    return [name for name in MONITOR_TITLES if not name.startswith("f1_") or name in known]


def _precisions(_values: Values, context: FormContext) -> list[str]:
    return ["auto", "fp32", "bf16", *(["fp16"] if context.gpus else [])]


def _teacher_options(values: Values, context: FormContext) -> list[str]:
    """The runs that take faces as the chosen network does."""
    contract = model_info(values["model.name"]).contract(LABEL_SETS[values["labels"]], values.get("model.size_px"))
    return [name for name, theirs in context.teachers.items() if theirs == contract]


_SGD = _if_one_of("optimizer.name", "sgd")
_PLATEAU = _if_one_of("optimizer.schedule", "plateau")
_STOPS = _if_above("early_stopping.patience")
_MONITOR_HELP = "All of them are of the validation part; of the loss less is better."

OPTIMIZER: dict[str, Field] = {
    "optimizer.name": Field(
        "Optimizer",
        "SGD with momentum is steady from scratch; Adam is quick to begin and the studies' choice; AdamW is Adam with "
        "weight decay apart from the gradient.",
        {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"},
    ),
    "optimizer.momentum": Field(
        "Momentum", "How much of the last steps goes on, 0 to below 1.", step=0.05, applies=_SGD
    ),
    "optimizer.nesterov": Field(
        "Nesterov's momentum",
        "Looks ahead along the momentum before it steps.",
        applies=lambda values, _: values["optimizer.name"] == "sgd" and values["optimizer.momentum"] > 0,
    ),
    "optimizer.weight_decay": Field(
        "Weight decay (L2)", "Pulls weights towards nothing, 0 to 1; 0 is off, 0.0005 usual.", step=0.0001
    ),
    "optimizer.l1": Field(
        "L1 penalty", "Adds so much times the sum of the weights' sizes to the loss, 0 to 1; 0 is off.", step=0.00001
    ),
    "optimizer.clip_norm": Field(
        "Clip gradients to", "Longer gradients are cut to this length; 0 is off, 1 to 5 usual.", step=0.5
    ),
}

RATE: dict[str, Field] = {
    "optimizer.learning_rate": Field(
        "Learning rate",
        "How far a step goes, above 0 and up to 10. Usual: 0.1 for SGD, 0.001 or less for Adam. Too high, and the "
        "loss becomes nan.",
        step=0.001,
    ),
    "optimizer.schedule": Field(
        "Schedule",
        "How the learning rate goes: as it is; down a cosine to nothing; up for a tenth of the way and then down; or "
        "down a step when the validation loss stops falling.",
        {"constant": "Constant", "cosine": "Cosine", "one_cycle": "One cycle", "plateau": "ReduceOnPlateau"},
    ),
    "optimizer.warmup_epochs": Field(
        "Warm-up, epochs",
        "The rate rises from nothing over so many epochs first; 0 is off. One cycle has a rise of its own.",
        step=1,
        applies=_if_one_of("optimizer.schedule", "constant", "cosine", "plateau"),
    ),
    "optimizer.plateau_patience": Field(
        "Plateau: epochs to wait", "So long the validation loss may stand before the rate falls.", applies=_PLATEAU
    ),
    "optimizer.plateau_factor": Field(
        "Plateau: factor", "What the rate is multiplied by when it falls, between 0 and 1.", step=0.1, applies=_PLATEAU
    ),
}

BATCHES: dict[str, Field] = {
    "batch_size": Field(
        "Batch size", "Images that are learned from at once, 2 to 65,536; memory grows with it.", step=8
    ),
    "optimizer.accumulate": Field(
        "Batches a step", "So many batches make one step: as a larger batch, in the memory of a small one."
    ),
    "precision": Field(
        "Precision",
        "Automatic takes bf16 where the hardware multiplies such numbers itself, and fp32 elsewhere, where bf16 would "
        "be emulated and slow. fp16 is for GPUs.",
        {"auto": "automatic", "fp32": "fp32", "bf16": "bf16", "fp16": "fp16 (GPU)"},
        _precisions,
    ),
    "ema_decay": Field(
        "Weight averaging (EMA)",
        "The judged weights are a moving average of the learned ones, with this decay; 0 is off, 0.999 usual.",
        step=0.0005,
    ),
}

LOSS: dict[str, Field] = {
    "loss.name": Field(
        "Loss",
        "Focal loss gives images that are read well already less to say.",
        {"cross_entropy": "Cross-entropy", "focal": "Focal"},
    ),
    "loss.gamma": Field(
        "Focal: gamma",
        "How much less, 0 to 10; 0 is cross-entropy.",
        step=0.5,
        applies=_if_one_of("loss.name", "focal"),
    ),
    "loss.label_smoothing": Field(
        "Label smoothing, %",
        "The share of each target that is dealt out to all expressions alike, 0 to below 100; 10 usual.",
        step=1,
        percent=True,
    ),
    "targets": Field(
        "Learn from",
        "Votes tell how sure people were (single votes are left out); the label is the commonest vote alone.",
        {"votes": "The votes", "label": "The label alone"},
        applies=lambda _, context: context.votes,
    ),
    "affect_weight": Field(
        "Weight of valence and arousal",
        "Above 0, the network reads these two as well, and their loss counts so much beside that of the expressions.",
        step=0.1,
        applies=lambda _, context: context.affect,
        dataset_dependent=True,
    ),
}

TEACHERS: dict[str, Field] = {
    "distillation.teachers": Field(
        "Teachers",
        "Finished runs that take faces in the same way: what they read in each training image joins the target. Their "
        "training part must be this run's.",
        options=_teacher_options,
    ),
    "distillation.share_01": Field(
        "Teachers' share of the target, %",
        "The rest is the votes' or the label's; above 0 and up to 100, 50 to 90 usual.",
        step=5,
        percent=True,
        applies=lambda values, _: bool(values["distillation.teachers"]),
    ),
}

LEARNING: dict[str, Field] = {**OPTIMIZER, **RATE, **BATCHES, **LOSS, **TEACHERS}

SELECTION: dict[str, Field] = {
    "monitor": Field("Keep the epoch of best", _MONITOR_HELP, MONITOR_TITLES, _monitor_options),
    "flip_tta": Field(
        "Mean with mirror",
        "The trained network reads each face and its mirror image, and the mean counts: a little more often right, at "
        "twice the time.",
    ),
    "early_stopping.patience": Field(
        "Stop early after, epochs", "When so many epochs in a row were no better, training ends; 0 never stops early."
    ),
    "early_stopping.metric": Field("Better by", _MONITOR_HELP, MONITOR_TITLES, _monitor_options, applies=_STOPS),
    "early_stopping.min_delta": Field(
        "At least so much better", "A smaller gain does not count, 0 to 1.", step=0.001, applies=_STOPS
    ),
}

RUN: dict[str, Field] = {
    "title": Field("Title", "How the run is called, up to 120 characters; the network's name where this is empty."),
    "init_from": Field(
        "Weights to begin with",
        "A run of this very network by its id, or a file where FERscope runs: a plain state dict of PyTorch's, as "
        "which study A's are published, or safetensors. Empty: from scratch, or as the network's options say.",
    ),
    "seed": Field("Seed", "Decides all that is left to chance: the same seed gives the same run on one machine."),
}

EPOCHS: dict[str, Field] = {"epochs": Field("Epochs", "How often every image is learned from, 1 to 10,000.")}
