"""Arguments and images of commands that evaluate models on a dataset in the store, image by image."""

from __future__ import annotations

import argparse
from typing import cast

from fer_core.bundles.bundle import Bundle
from fer_core.bundles.catalog import ModelEntry, find_model
from fer_core.calibration import OperatingPoint
from fer_core.cli.evaluation_images import parse_split
from fer_core.cli.output import ProgressLine
from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.errors import InputError
from fer_core.evaluation.dataset_predictions import ALL_IMAGES, DatasetPredictions, NotPredictedError, load_predictions
from fer_core.evaluation.predict_stored import predict_stored
from fer_core.evaluation.prediction_cache import PredictionKey
from fer_core.evaluation.predictions import PROTOCOLS, Protocol
from fer_core.settings import settings


def add_data_arguments(command: argparse.ArgumentParser) -> None:
    """Add the dataset, its split, the protocol and the operating point."""
    command.add_argument("--data", required=True, help="a dataset's id")
    command.add_argument(
        "--split",
        default="",
        help=f"test, valid, train or {ALL_IMAGES} (what the model has not seen); by default the first with images",
    )
    command.add_argument("--protocol", choices=PROTOCOLS, help="by default majority if the dataset has votes")
    command.add_argument("--point", choices=[*map(str, OperatingPoint)], default="accurate")


def open_predictions(model_name: str, dataset: StoredDataset) -> tuple[ModelEntry, DatasetPredictions]:
    """Load a model's predictions of a dataset; predict it first if there are none."""
    model = find_model(model_name, settings())
    try:
        return model, load_predictions(model.folder, dataset, settings())
    except NotPredictedError:
        key = PredictionKey.of(dataset.fingerprint, model.folder)
        predict_stored(Bundle.open(model.folder), dataset, key, settings(), ProgressLine())
        return model, load_predictions(model.folder, dataset, settings())


def open_data(arguments: argparse.Namespace) -> StoredDataset:
    """Open the dataset that the arguments name."""
    return open_dataset(arguments.data, settings())


def choose_split(arguments: argparse.Namespace, predictions: DatasetPredictions) -> str:
    """Return the split that the arguments name, by default the first that has images to evaluate.

    Raises:
        InputError: the model has seen every image.
    """
    if arguments.split == ALL_IMAGES:
        return ALL_IMAGES
    if arguments.split:
        return parse_split(arguments.split)
    splits = predictions.list_splits()
    if not splits:
        raise InputError(f"The model has seen every image of {arguments.data}. Choose another dataset.")
    return splits[0].name


def choose_protocol(arguments: argparse.Namespace, predictions: DatasetPredictions) -> Protocol:
    """Return the protocol that the arguments name, by default the headline's.

    Raises:
        InputError: the dataset has no labels.
    """
    if arguments.protocol:
        return cast(Protocol, arguments.protocol)
    if not (protocols := predictions.protocols()):
        raise InputError(f"{arguments.data} has no labels, so nothing can be evaluated on it. Choose another dataset.")
    return protocols[0]
