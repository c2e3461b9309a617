"""The form that starts a training: the choices that matter, the rest folded away, and the same as a command.

A link to it can carry the dataset, the model, a remedy for imbalance, an augmentation recipe, a way of dividing the
images, and whether disputed ones are left out; what is chosen here is in the address too.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import pandas as pd
import streamlit as st
from pydantic import BaseModel

from fer_core.data.catalog import StoredDataset
from fer_core.data.rebalance import NAMED_REMEDIES, Remedy
from fer_core.data.split import SplitConfig
from fer_core.training.config import AugmentConfig, TrainConfig, dump_config, load_config, presets
from fer_core.training.recipes import recipes
from fer_ui.datasets.remedy_address import remedy_from_address, remedy_in_words, remedy_to_address
from fer_ui.errors import shown_errors
from fer_ui.numbers import count, images
from fer_ui.params import Param, choose, value_of
from fer_ui.resources import index_of
from fer_ui.split_address import split_from_address, split_in_words, split_to_address

MODELS = {"small-soft": "Small residual network, 48x48 gray", "A-cnn": "Study A's CNN, 224x224 RGB, as published"}
"""The presets that the form offers, with what they are."""

LEFT_OUT = "left-out"
"""What `Param.DISPUTED` says where disputed images are left out."""

_SELECT = {
    "macro_f1": "macro-F1",
    "balanced_accuracy": "balanced accuracy",
    "accuracy": "accuracy",
    "loss": "loss",
}
_OWN = "own"
"""The augmentation that the preset has by itself."""

_Part = TypeVar("_Part", Remedy, SplitConfig)


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
            preset = choose("Model", list(MODELS), Param.MODEL, format_func=MODELS.__getitem__)
        usual = load_config(presets()[preset])
        with third:
            epochs = st.number_input("Epochs", 1, 1_000, min(usual.epochs, 20), key=f"epochs-{preset}")
        with shown_errors():
            index = index_of(dataset)
            changes = [f"dataset={dataset.id}", f"epochs={epochs}", *_more(preset, usual, index)]
            config = load_config(presets()[preset], changes)
            st.caption(_what_is_learnt_from(config, index))
            pressed = st.button("Start training", type="primary", icon=":material/play_arrow:")
            _equivalent(preset, changes, config)
            return config if pressed else None
    return None


def _more(preset: str, usual: TrainConfig, index: pd.DataFrame) -> list[str]:
    """The knobs that are rarely turned, as changes to the preset. Open where a link turned one of them."""
    linked = any(map(value_of, (Param.REMEDY, Param.RECIPE, Param.SPLIT, Param.DISPUTED)))
    with st.expander("More options", expanded=linked):
        first, second, third = st.columns(3)
        with first:
            remedy = _remedy(usual.remedy)
            augment = _augmentation(usual.augment)
            select_on = st.selectbox(
                "Keep the epoch of best",
                list(_SELECT),
                index=list(_SELECT).index(usual.select_on),
                format_func=_SELECT.__getitem__,
                key=f"select-{preset}",
            )
        with second:
            split = _split(usual.split)
            without_disputed = choose_disputed(index)
            title = st.text_input("Title", usual.title, max_chars=120, key=f"title-{preset}")
        with third:
            batch = st.number_input("Batch size", 2, 4_096, usual.batch_size, key=f"batch-{preset}")
            rate = _learning_rate(preset, usual.optimiser.learning_rate)
            seed = st.number_input("Seed", 0, 2**31 - 1, usual.seed, key=f"seed-{preset}")
    chosen = {
        "batch_size": batch,
        "seed": seed,
        "optimiser.learning_rate": rate,
        "select_on": select_on or usual.select_on,
        "leave_out_disputed": str(without_disputed).lower(),
        "title": json.dumps(title, ensure_ascii=False),
    }
    before = {
        "batch_size": usual.batch_size,
        "seed": usual.seed,
        "optimiser.learning_rate": usual.optimiser.learning_rate,
        "select_on": usual.select_on,
        "leave_out_disputed": str(usual.leave_out_disputed).lower(),
        "title": json.dumps(usual.title, ensure_ascii=False),
    }
    return [
        *(f"{key}={value}" for key, value in chosen.items() if value != before[key]),
        *_changes("remedy", usual.remedy, remedy),
        *_changes("split", usual.split, split),
        *([] if augment == usual.augment else [f"augment={augment.model_dump_json(exclude_defaults=True)}"]),
    ]


def _remedy(usual: Remedy) -> Remedy:
    """What is done about imbalance: one of those with a name, the preset's own, or what a link brought."""
    named = [each.remedy for each in NAMED_REMEDIES.values()]
    return _pick(
        "Imbalance",
        Param.REMEDY,
        {remedy_to_address(each): each for each in (usual, *named)},
        remedy_from_address,
        remedy_to_address,
        remedy_in_words,
        "\n".join(f"- {each.title}: {each.explanation}" for each in NAMED_REMEDIES.values()),
    )


def _split(usual: SplitConfig) -> SplitConfig:
    """Who trains and who judges: as usual, or what a link brought."""
    return _pick(
        "Division of the images",
        Param.SPLIT,
        {split_to_address(usual): usual},
        split_from_address,
        split_to_address,
        lambda split: _sentence(split_in_words(split)),
        "The Datasets page shows other divisions, and leads here with one of them.",
    )


def _augmentation(usual: AugmentConfig) -> AugmentConfig:
    """How training images are changed at random: as the preset does, or a recipe with a name."""
    known = recipes()
    name = choose(
        "Augmentation",
        [_OWN, *known],
        Param.RECIPE,
        format_func=lambda each: known[each].title if each in known else "As the model has it",
        help_text="The Datasets page shows faces as each of these changes them.",
    )
    return usual if name == _OWN else known[name].augment


def choose_disputed(index: pd.DataFrame) -> bool:
    """Ask whether nothing is to be learnt from the images that are marked as disputed; in the address."""
    words = {"used": "Learn from them", LEFT_OUT: "Leave them out"}
    chosen = choose(
        f"Disputed images ({count(int(index['disputed'].sum()))})",
        list(words),
        Param.DISPUTED,
        format_func=words.__getitem__,
        help_text="Images are marked as disputed on the Datasets page.",
    )
    return chosen == LEFT_OUT


def _pick(
    label: str,
    param: Param,
    known: Mapping[str, _Part],
    read: Callable[[str], _Part | None],
    write: Callable[[_Part], str],
    in_words: Callable[[_Part], str],
    help_text: str,
) -> _Part:
    """A choice among the known ones and those that links of this session brought, in the address."""
    brought: dict[str, _Part] = st.session_state.setdefault(f"brought-{param}", {})
    linked = read(value_of(param))
    if linked is not None and value_of(param) not in known:
        brought[write(linked)] = linked
        st.query_params[param] = write(linked)  # the same may be written in several ways
    options = {**known, **brought}
    names = list(options)
    return options[choose(label, names, param, format_func=lambda n: in_words(options[n]), help_text=help_text)]


def _learning_rate(preset: str, usual: float) -> float:
    return st.number_input("Learning rate", 1e-6, 10.0, usual, format="%.6f", step=usual / 10, key=f"rate-{preset}")


def _changes(key: str, usual: BaseModel, chosen: BaseModel) -> list[str]:
    """Each field of `chosen` that differs, as a change to the preset."""
    before = usual.model_dump()
    return [f"{key}.{name}={value}" for name, value in chosen.model_dump().items() if value != before[name]]


def _what_is_learnt_from(config: TrainConfig, index: pd.DataFrame) -> str:
    """Which parts the dataset falls into, and what is done about imbalance, in words."""
    words = _part_words(config.split, set(index["split"].dropna().unique()))
    disputed = int(index["disputed"].sum())
    if config.leave_out_disputed and disputed:
        words += f" Nothing is learnt from {images(disputed)} marked as disputed."
    if config.remedy != Remedy():
        words += f" Against imbalance: {_uncapitalised(remedy_in_words(config.remedy))}."
    return words


def _part_words(split: SplitConfig, parts: set[str]) -> str:
    together = "near-duplicates and people kept together"
    if split.kind == "kfold":
        return f"{_sentence(split_in_words(split))}, is the test; {together}."
    if split.kind == "published" and {"train", "valid", "test"} <= parts:
        return "The dataset's own training, validation and test parts are used."
    if split.kind == "published" and "train" in parts and len(parts) > 1:
        share = f"{100 * split.valid_01:.3g} % of the training part"
        return f"The dataset's second part is kept as the test; {share} selects the epoch."
    seeded = split.model_copy(update={"kind": "seeded"})
    return f"The images are divided {split_in_words(seeded)}, {together}."


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}"


def _uncapitalised(words: str) -> str:
    return f"{words[0].lower()}{words[1:]}"


def _equivalent(preset: str, changes: Sequence[str], config: TrainConfig) -> None:
    with st.expander("The same as a command, and as a config file"):
        options = " ".join(f"--set {shlex.quote(change)}" for change in changes)
        st.code(f"python -m fer_core jobs submit --config {preset} {options}", language="bash", wrap_lines=True)
        st.code(dump_config(config), language="yaml")
