"""Build a config's network, or load it with the weights of a run or bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from fer_core.contract import Contract
from fer_core.models.catalog import model_info
from fer_core.models.flip_tta import add_flip_tta
from fer_core.models.registry import build_network
from fer_core.models.weights_file import Rename, load_weights
from fer_core.training.config.train_config import TrainConfig, load_config


def load_trained_network(folder: Path) -> nn.Module:
    """Load the trained network of a run or bundle, in evaluation mode. Downloads nothing.

    Raises:
        InputError: its config, contract or weights are missing, damaged, or do not match.
    """
    contract = Contract.load(folder / "contract.json")
    return load_network(load_config(folder / "config.yaml"), contract, folder / "weights.safetensors")


def load_network(config: TrainConfig, contract: Contract, weights: Path, rename: Rename = dict) -> nn.Module:
    """Build a config's network with the weights of a file, in evaluation mode. Downloads nothing.

    Args:
        rename: gives the weights the names that the network has.
    Raises:
        InputError: the file can't be read or does not fit the network.
    """
    pretrained = {"pretrained": False} if model_info(config.model.name).option("pretrained") else {}
    network = network_from_config(config, contract, **pretrained)
    load_weights(network, weights, rename=rename)
    return network.eval()


def network_from_config(config: TrainConfig, contract: Contract, **changes: Any) -> nn.Module:
    """Build a config's network, randomly initialized or pretrained.

    Args:
        changes: network options that replace the config's.
    Raises:
        InputError: the pretrained weights are not on this machine and can't be downloaded.
    """
    network = build_network(
        config.model.name,
        len(contract.labels),
        channels=contract.channels,
        affect=config.affect_weight > 0,
        **config.model.options() | changes,
    )
    if config.flip_tta:
        add_flip_tta(network)
    return network
