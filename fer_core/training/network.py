"""The network that a config names: fresh, or of a finished run or a bundle with its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from fer_core.contract import Contract
from fer_core.models.catalog import model_info
from fer_core.models.flip_tta import add_flip_tta
from fer_core.models.registry import build_network
from fer_core.models.weights_file import load_weights
from fer_core.training.config.train_config import TrainConfig, load_config


def load_trained_network(folder: Path) -> nn.Module:
    """The network of a run or bundle with its trained weights, in evaluation mode. Nothing is fetched.

    Raises:
        InputError: its config, contract or weights are missing, broken, or don't fit each other.
    """
    contract = Contract.load(folder / "contract.json")
    return load_network(load_config(folder / "config.yaml"), contract, folder / "weights.safetensors")


def load_network(config: TrainConfig, contract: Contract, weights: Path) -> nn.Module:
    """The network that a config names, with the weights of a file, in evaluation mode. Nothing is fetched.

    Raises:
        InputError: the file can't be read, or is not of this network.
    """
    pretrained = {"pretrained": False} if model_info(config.model.name).option("pretrained") else {}
    network = network_from_config(config, contract, **pretrained)
    load_weights(network, weights)
    return network.eval()


def network_from_config(config: TrainConfig, contract: Contract, **changes: Any) -> nn.Module:
    """The network that a config names, before it learns: as chance has it, or with published weights.

    Args:
        changes: options of the network that are others than the config's.
    Raises:
        InputError: the published weights are neither here nor to be had.
    """
    options = config.model.options() | changes
    affect = config.affect_weight > 0
    network = build_network(
        config.model.name, len(contract.labels), channels=contract.channels, affect=affect, **options
    )
    if config.flip_tta:
        add_flip_tta(network)
    return network
