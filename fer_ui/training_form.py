"""The form that starts a training: the choices that matter, the rest folded away, and the same as a command."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.training.config import TrainConfig, dump_config, load_config, presets
from fer_ui.errors import shown_errors
from fer_ui.numbers import count
from fer_ui.params import Param, choose

_MODELS = {"small-soft": "Small residual network, 48x48 gray", "A-cnn": "Study A's CNN, 224x224 RGB, as published"}
_SELECT = {
    "macro_f1": "macro-F1",
    "balanced_accuracy": "balanced accuracy",
    "accuracy": "accuracy",
    "loss": "loss",
}


def training_form(datasets: Sequence[StoredDataset]) -> TrainConfig | None:
    """Draw it; the config once somebody presses the button."""
    by_id = {dataset.id: dataset for dataset in datasets}
    with st.container(border=True):
        first, second, third = st.columns(3)
        with first:
            dataset = by_id[
                choose(
                    "Dataset",
                    list(by_id),
                    Param.DATASET,
                    format_func=lambda name: f"{name} ({count(by_id[name].n)} images)",
                )
            ]
        with second:
            preset = choose("Model", list(_MODELS), Param.MODEL, format_func=_MODELS.__getitem__)
        recipe = load_config(presets()[preset])
        with third:
            epochs = st.number_input("Epochs", 1, 1_000, min(recipe.epochs, 20), key=f"epochs-{preset}")
        changes = [f"dataset={dataset.id}", f"epochs={epochs}", *_more(preset, recipe)]
        with shown_errors():
            config = load_config(presets()[preset], changes)
            st.caption(_part_words(dataset))
            pressed = st.button("Start training", type="primary", icon=":material/play_arrow:")
            _equivalent(preset, changes, config)
            return config if pressed else None
    return None


def _more(preset: str, recipe: TrainConfig) -> list[str]:
    """The knobs that are rarely turned, as changes to the recipe."""
    with st.expander("More options"):
        first, second, third = st.columns(3)
        with first:
            batch = st.number_input("Batch size", 2, 4_096, recipe.batch_size, key=f"batch-{preset}")
            seed = st.number_input("Seed", 0, 2**31 - 1, recipe.seed, key=f"seed-{preset}")
        with second:
            rate = st.number_input(
                "Learning rate",
                1e-6,
                10.0,
                recipe.optimiser.learning_rate,
                format="%.6f",
                step=recipe.optimiser.learning_rate / 10,
                key=f"rate-{preset}",
            )
            names = list(_SELECT)
            select_on = st.selectbox(
                "Keep the epoch of best",
                names,
                index=names.index(recipe.select_on),
                format_func=_SELECT.__getitem__,
                key=f"select-{preset}",
            )
        with third:
            weights = st.toggle(
                "Class weights",
                recipe.class_weights,
                key=f"weights-{preset}",
                help="Each class weighs N / (classes * N of the class), as in study A.",
            )
            title = st.text_input("Title", recipe.title, max_chars=120, key=f"title-{preset}")
    chosen = {
        "batch_size": batch,
        "seed": seed,
        "optimiser.learning_rate": rate,
        "select_on": select_on or recipe.select_on,
        "class_weights": str(weights).lower(),
        "title": f'"{title}"' if title else '""',
    }
    usual = {
        "batch_size": recipe.batch_size,
        "seed": recipe.seed,
        "optimiser.learning_rate": recipe.optimiser.learning_rate,
        "select_on": recipe.select_on,
        "class_weights": str(recipe.class_weights).lower(),
        "title": f'"{recipe.title}"',
    }
    return [f"{key}={value}" for key, value in chosen.items() if value != usual[key]]


def _part_words(dataset: StoredDataset) -> str:
    splits = set(dataset.index(["split"])["split"].dropna())
    if {"train", "valid", "test"} <= splits:
        return "The dataset's own training, validation and test parts are used."
    if "train" in splits and len(splits) > 1:
        return "The dataset's second part is kept as the test; a tenth of the training part selects the epoch."
    return "The images are divided 80/10/10, near-duplicates and people kept together."


def _equivalent(preset: str, changes: Sequence[str], config: TrainConfig) -> None:
    with st.expander("The same as a command, and as a config file"):
        options = " ".join(f"--set {shlex.quote(change)}" for change in changes)
        st.code(f"python -m fer_core jobs submit --config {preset} {options}", language="bash", wrap_lines=True)
        st.code(dump_config(config), language="yaml")
