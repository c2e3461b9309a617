"""Import a model from the browser: an exported bundle, or weights whose network is guessed from their tensors."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, NamedTuple

import streamlit as st

from fer_core.bundles.catalog import find_model, list_models
from fer_core.bundles.import_bundle import WEIGHTS_SUFFIXES, import_bundle, is_weights_file
from fer_core.bundles.output_order import known_orders
from fer_core.data.catalog import list_datasets
from fer_core.data.label_mapping.numberings import NUMBERINGS
from fer_core.errors import InputError
from fer_core.jobs.subprocess_runner import Command, run_command
from fer_core.labels import LABEL_SETS, LabelSet
from fer_core.models.catalog import MODELS
from fer_core.models.network_guess import NetworkGuess, guess_network
from fer_core.models.tensor_shapes import read_shapes
from fer_core.settings import settings
from fer_core.text import join_words
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.frame.announcement import announce
from fer_ui.frame.header import notice
from fer_ui.navigation import Page, go_to
from fer_ui.uploads import file_uploader

_TYPES = ["zip", *(suffix.removeprefix(".") for suffix in WEIGHTS_SUFFIXES)]
_NAME_HELP = "Lowercase letters, digits, dot, dash and underscore. Default: the model's own id or the file's name."
_NO_CALIBRATION = "No dataset: leave it uncalibrated"
_NUMBER = re.compile(r" \(\d+\)$")
_TIMEOUT_S = 900


class WeightsDetails(NamedTuple):
    """What a file of weights does not say by itself; "" for the default of the `models import` command."""

    network: str = ""
    labels: str = ""
    outputs: str = ""
    license: str = ""
    data: str = ""


def show_import() -> None:
    """Show the file field, the details that weights need, and the button."""
    st.markdown(
        "Upload a bundle (.zip) from Export or `models export`, or the weights of a network as a PyTorch state dict "
        "(.pt, .pth, .safetensors). A bundle is verified first; the network of weights is recognized by its tensors."
    )
    file = file_uploader("Bundle or weights", "model-upload", "the file", type=_TYPES)
    details: WeightsDetails | None = WeightsDetails()
    if file is not None and is_weights_file(Path(file.name)):
        details = _choose_weights_details(file.name, file)
    model_id = st.text_input("Model name", key="model-upload-id", help=_NAME_HELP).strip()
    if st.button("Import", type="primary", disabled=file is None or details is None, key="model-import"):
        with show_errors():
            if file is None or details is None:
                raise InputError("No file was chosen. Choose a bundle or a file of weights first.")
            titles = {model.info.title for model in list_models(settings())}
            model = _import(file.name, file, model_id, details)
            announce(describe_import(find_model(model, settings()).info.title, titles))
            go_to(Page.MODELS, model=model)


def describe_import(title: str, titles: set[str]) -> str:
    """Say under which title a model was imported, and why it has a number.

    Args:
        titles: of the models that were there before.
    """
    plain = _NUMBER.sub("", title)
    if plain != title and plain in titles:
        return f"Imported as {title}, as there is a model with the title {plain} already."
    return f"Imported {title}."


def _choose_weights_details(name: str, content: IO[bytes]) -> WeightsDetails | None:
    """Ask for network, expressions, license and the dataset to calibrate on; None if no network fits."""
    try:
        shapes = read_shapes(name, content)
        guess = guess_network(name, shapes)
    except InputError as error:
        notice("error", str(error))
        return None
    labels_known = [known for known, labels in LABEL_SETS.items() if len(labels) == guess.classes]
    if not labels_known:
        sizes = join_words([str(len(labels)) for labels in LABEL_SETS.values()], "or")
        notice(
            "error",
            f"{name} is a {MODELS[guess.network].title} with {guess.classes:,} outputs, but a model has {sizes} "
            "expressions. Choose weights that were trained on expressions.",
        )
        return None
    network = _choose_network(guess, len(shapes))
    labels = st.selectbox(
        "Expressions",
        labels_known,
        key="model-upload-labels",
        format_func=lambda known: f"{len(LABEL_SETS[known])}: {join_words([str(e) for e in LABEL_SETS[known]])}",
    )
    outputs = _choose_order(guess, LABEL_SETS[labels])
    license = st.text_input("License", key="model-upload-license", placeholder="unknown").strip()
    datasets = ["", *(dataset.id for dataset in list_datasets(settings()))]
    data = st.selectbox(
        "Calibrate and evaluate on",
        datasets,
        key="model-upload-data",
        format_func=lambda dataset: dataset or _NO_CALIBRATION,
        help="A dataset with a validation split. Without one, the model is neither calibrated nor evaluated, and every "
        "page that shows its confidence says so.",
    )
    return None if outputs is None else WeightsDetails(network, labels, outputs, license, data)


def _choose_order(guess: NetworkGuess, labels: LabelSet) -> str | None:
    """Ask for the order of the outputs, which no tensor tells; None until it is chosen.

    Only FERscope's own names of the tensors suggest its own order.
    """
    orders = {"": tuple(labels)} | {name: order for name, order in known_orders(labels).items() if order != (*labels,)}
    titles = {name: NUMBERINGS[name].title if name else "FERscope, AffectNet" for name in orders}
    outputs = st.selectbox(
        "Order of the outputs",
        list(orders),
        index=None if guess.torchvision_head else 0,
        key=f"model-upload-outputs-{labels.name}",
        format_func=lambda name: f"{titles[name]}: {', '.join(orders[name])}",
        placeholder="Choose the order that the network was trained with",
        help="In another order, every prediction would be wrong. For an order that is not listed, use "
        "`models import --outputs` on the command line.",
    )
    st.caption(
        "A file of weights does not say which output stands for which expression. Calibrate and evaluate on a dataset "
        "to see whether the order is right: otherwise hardly any prediction is."
    )
    return outputs


def _choose_network(guess: NetworkGuess, tensors: int) -> str:
    """Show the networks with the guessed one chosen, and what else its tensors tell."""
    network = st.selectbox(
        "Network",
        list(MODELS),
        index=list(MODELS).index(guess.network),
        key=f"model-upload-network-{guess.network}",
        format_func=lambda name: f"{MODELS[name].title} ({name})",
        help="It also sets the input: its size, gray or RGB, and its normalization.",
    )
    known = [
        f"{name.removesuffix('_px').replace('_', ' ')} {value}" for name, value in guess.options_of(network).items()
    ]
    found = ", ".join([f"{tensors:,} tensors", f"{guess.classes} outputs", *known])
    chosen = "" if network == guess.network else f" The tensors look like {MODELS[guess.network].title}."
    st.caption(escape_markdown(f"Found in the file: {found}.{chosen} {MODELS[network].summary}"))
    return network


def _import(name: str, content: IO[bytes], model_id: str, details: WeightsDetails) -> str:
    """Import an uploaded file and return the model's id."""
    settings().uploads_dir.mkdir(parents=True, exist_ok=True)
    content.seek(0)
    with TemporaryDirectory(prefix="model-", dir=settings().uploads_dir) as folder:
        path = Path(folder) / Path(name).name  # its own name, used in errors and the title
        with path.open("wb") as target:
            shutil.copyfileobj(content, target)
        if is_weights_file(path):
            with st.spinner("Building, exporting and verifying the network. This takes a while."):
                return import_weights_in_subprocess(path, model_id, details)
        with st.spinner("Verifying the bundle"):
            return import_bundle(path, settings(), model_id=model_id).id


def import_weights_in_subprocess(path: Path, model_id: str, details: WeightsDetails) -> str:
    """Import a state dict and return the model's id; in a subprocess, as the web process never loads torch.

    Raises:
        InputError: the command's message.
        FerscopeError: it failed, or took too long.
    """
    values = {"--id": model_id, **{f"--{name}": value for name, value in details._asdict().items()}}
    options = [f"{name}={value}" for name, value in values.items() if value]
    command = Command(
        ["models", "import", *options, "--json", "--", str(path)],
        "The import",
        _TIMEOUT_S,
        late_hint="The machine may be busy: try again in a while, or import it on the command line.",
    )
    return str(json.loads(run_command(command, settings()))["id"])
