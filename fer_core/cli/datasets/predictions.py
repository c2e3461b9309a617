"""`datasets predict` and `datasets embed`: what the pages show of every image by a model, computed once."""

from __future__ import annotations

import argparse

from fer_core.cli.output import print_result
from fer_core.cli.parsing import AddAction
from fer_core.cli.reporting import run_with_progress
from fer_core.data.catalog import open_dataset
from fer_core.settings import settings


def add_command(action: AddAction) -> None:
    """Add the actions."""
    predicting = action("predict", "predict every image of a dataset, and save the predictions", _predict)
    embedding = action("embed", "map the images of a dataset by what a model computes (UMAP), and save it", _embed)
    for parser in (predicting, embedding):
        parser.add_argument("id")
        parser.add_argument("--model", default="default", help="default, a run's id, or a bundle's folder")


def _predict(arguments: argparse.Namespace) -> None:
    from fer_core.bundles.bundle import Bundle
    from fer_core.bundles.catalog import find_model
    from fer_core.evaluation.predict_stored import predict_stored
    from fer_core.evaluation.prediction_cache import PredictionKey

    dataset = open_dataset(arguments.id, settings())
    model = find_model(arguments.model, settings())
    key = PredictionKey.of(dataset.fingerprint, model.folder)
    bundle = Bundle.open(model.folder)
    table = run_with_progress(lambda progress: predict_stored(bundle, dataset, key, settings(), progress))
    path = key.path(settings())
    result = {"id": dataset.id, "model": model.id, "n": len(table), "path": str(path)}
    print_result(result, arguments.json, f"{dataset.id}: {len(table):,} faces predicted by {model.id}, in {path}")


def _embed(arguments: argparse.Namespace) -> None:
    from fer_core.bundles.catalog import find_model
    from fer_core.inference.embedding_map import compute_map, map_path
    from fer_core.inference.network_features import FeatureNetwork

    dataset = open_dataset(arguments.id, settings())
    model = find_model(arguments.model, settings())
    path = map_path(dataset.fingerprint, model.folder, settings())
    network = FeatureNetwork.open(model.folder)
    table = run_with_progress(lambda progress: compute_map(network, dataset, path, settings(), progress))
    result = {"id": dataset.id, "model": model.id, "n": len(table), "path": str(path)}
    print_result(result, arguments.json, f"{dataset.id}: {len(table):,} faces mapped by {model.id}, in {path}")
