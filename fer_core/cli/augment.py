"""`augment`: previews an augmentation policy on faces of a dataset, as an image or as arrays."""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_core.cli.output import print_result
from fer_core.errors import InputError
from fer_core.files.atomic import write_bytes
from fer_core.labels import label_set
from fer_core.settings import settings
from fer_core.training.config.augmentation_policies import describe_changes, find_policy, policies
from fer_core.training.config.model import ModelConfig

SEEDS_MAX = 64
_SEED_MAX = 2**63 - 1
_SHEET, _ARRAYS = ".png", ".npz"


def add_command(commands: Any) -> None:
    """Add the command to a parser."""
    command: argparse.ArgumentParser = commands.add_parser("augment", help="preview an augmentation policy")
    command.add_argument("dataset", help="a dataset's id")
    command.add_argument(
        "--policy", "--recipe", dest="policy", required=True, help=f"a YAML file, or one of: {', '.join(policies())}"
    )
    command.add_argument("--id", dest="ids", action="append", required=True, help="an image's id; repeat it for more")
    command.add_argument("--draws", type=int, default=6, help="augmented versions of each face")
    command.add_argument("--seed", type=int, default=0, help="the same seed gives the same images")
    command.add_argument("--seeds", type=int, default=1, help="number of consecutive seeds (.npz only)")
    command.add_argument(
        "--network", default=ModelConfig().name, help="network whose input size and color apply; %(default)s"
    )
    command.add_argument("--out", type=Path, required=True, help="a .png contact sheet, or .npz with an array per seed")
    command.add_argument("--json", action="store_true", help="print JSON only")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the preview; the first column is the original face."""
    _check(arguments)
    policy = find_policy(arguments.policy)
    from fer_core.models.catalog import model_info
    from fer_core.training.augmentation.preview import augment_faces, contact_sheet, load_faces

    contract = model_info(arguments.network).contract(label_set("eight"))
    faces = load_faces(arguments.dataset, arguments.ids, contract, settings())
    images = {
        seed: augment_faces(faces, policy.augment, draws=arguments.draws, seed=seed)
        for seed in range(arguments.seed, arguments.seed + arguments.seeds)
    }
    if arguments.out.suffix == _SHEET:
        content = _png(contact_sheet(images[arguments.seed]))
    else:
        content = _npz({str(seed): each for seed, each in images.items()})
    write_bytes(arguments.out, content)
    result = {
        "dataset": arguments.dataset,
        "policy": arguments.policy,
        "changes": describe_changes(policy.augment),
        "ids": arguments.ids,
        "draws": arguments.draws,
        "seeds": list(images),
        "size_px": contract.size_px,
        "color": contract.color,
        "out": str(arguments.out),
    }
    changes = "; ".join(result["changes"]) or "no change"
    print_result(result, arguments.json, f"{policy.title}: {changes}.\n{len(faces)} faces are in {arguments.out}.")


def _check(arguments: argparse.Namespace) -> None:
    """Check the arguments before torch is loaded."""
    if arguments.out.suffix not in (_SHEET, _ARRAYS):
        raise InputError(f"--out {arguments.out} ends with neither {_SHEET} nor {_ARRAYS}. Name a file that does.")
    if not 0 <= arguments.seed <= _SEED_MAX - SEEDS_MAX:
        raise InputError(f"--seed {arguments.seed} is out of range. Give 0 to {_SEED_MAX - SEEDS_MAX}.")
    seeds_max = 1 if arguments.out.suffix == _SHEET else SEEDS_MAX
    if not 1 <= arguments.seeds <= seeds_max:
        raise InputError(
            f"--seeds {arguments.seeds} is out of range: a {_SHEET} file holds one, a {_ARRAYS} file 1 to {SEEDS_MAX}."
        )


def _png(sheet: NDArray[np.uint8]) -> bytes:
    import cv2

    pixels = cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR) if sheet.ndim == 3 else sheet
    return cv2.imencode(_SHEET, pixels)[1].tobytes()


def _npz(arrays: dict[str, NDArray[np.uint8]]) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()
