"""Import a model from the browser: an exported bundle, or weights with a preset."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import streamlit as st

from fer_core.bundles.import_bundle import WEIGHTS_SUFFIXES, import_bundle, is_weights_file
from fer_core.data.catalog import list_datasets
from fer_core.errors import InputError
from fer_core.jobs.subprocess_runner import Command, run_command
from fer_core.settings import settings
from fer_core.training.config.presets import PRESETS
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.navigation import Page, go_to
from fer_ui.uploads import file_uploader

_TYPES = ["zip", *(suffix.removeprefix(".") for suffix in WEIGHTS_SUFFIXES)]
_NAME_HELP = "Lowercase letters, digits, dot, dash and underscore. Default: the model's own id or the file's name."
_NO_CALIBRATION = "No dataset: leave it uncalibrated"
_TIMEOUT_S = 900


def show_import() -> None:
    """Show the file field, the details that weights need, and the button."""
    st.markdown(
        "A bundle (.zip) made by Export or `models export`; it is verified first. Or a PyTorch state dict (.pt, .pth, "
        ".safetensors) together with the preset that names its network."
    )
    file = file_uploader("Bundle or weights", "model-upload", "the file", type=_TYPES)
    weights = file is not None and is_weights_file(Path(file.name))
    preset, license, data = _choose_weights_details() if weights else ("", "", "")
    model_id = st.text_input("Name in the store", key="model-upload-id", help=_NAME_HELP).strip()
    if st.button("Import", type="primary", disabled=file is None, key="model-import"):
        with show_errors():
            if file is None:
                raise InputError("No file was chosen. Choose a bundle or a file of weights first.")
            model = _import(file.name, file, model_id, preset, license, data)
            go_to(Page.MODELS, model=model)


def _choose_weights_details() -> tuple[str, str, str]:
    """Ask for the preset, the license and the dataset to calibrate on."""
    preset = st.selectbox(
        "Preset",
        list(PRESETS),
        key="model-upload-preset",
        format_func=lambda name: f"{PRESETS[name].title} ({name})",
        help="Sets the network, the order of its outputs and its input.",
    )
    st.caption(escape_markdown(PRESETS[preset].summary))
    license = st.text_input("License", key="model-upload-license", placeholder="unknown").strip()
    datasets = ["", *(dataset.id for dataset in list_datasets(settings()))]
    data = st.selectbox(
        "Calibrate and evaluate on",
        datasets,
        key="model-upload-data",
        format_func=lambda name: name or _NO_CALIBRATION,
        help="A dataset with a validation split. Without one, the model is neither calibrated nor evaluated.",
    )
    return preset, license, data


def _import(name: str, content: IO[bytes], model_id: str, preset: str, license: str, data: str) -> str:
    """Import an uploaded file and return the model's id."""
    settings().uploads_dir.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="model-", dir=settings().uploads_dir) as folder:
        path = Path(folder) / Path(name).name  # its own name, used in errors and the title
        with path.open("wb") as target:
            shutil.copyfileobj(content, target)
        if is_weights_file(path):
            with st.spinner("Building, exporting and verifying the network. This takes a while."):
                return import_weights_in_subprocess(path, preset, model_id, license, data)
        with st.spinner("Verifying the bundle"):
            return import_bundle(path, settings(), model_id=model_id).id


def import_weights_in_subprocess(path: Path, preset: str, model_id: str, license: str, data: str) -> str:
    """Import a state dict and return the model's id; in a subprocess, as the web process never loads torch.

    Args:
        model_id, license, data: empty for the default of the `models import` command.
    Raises:
        InputError: the command's message.
        FerscopeError: it failed, or took too long.
    """
    values = {"--preset": preset, "--id": model_id, "--license": license, "--data": data}
    options = [f"{name}={value}" for name, value in values.items() if value]
    command = Command(
        ["models", "import", *options, "--json", "--", str(path)],
        "The import",
        _TIMEOUT_S,
        late_hint="The machine may be busy: try again in a while, or import it on the command line.",
    )
    return str(json.loads(run_command(command, settings()))["id"])
