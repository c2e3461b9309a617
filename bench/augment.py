"""Augmentation of a batch: FERscope's against torchvision's v2, image by image.

torchvision draws the same parameters for a whole batch, so each image needs its own call.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from torchvision.transforms import v2

from bench.support.report import argument_parser, print_table, time_alternately
from fer_core.training.augmentation.pipeline import augment
from fer_core.training.config.augmentation import AugmentConfig

_BATCH = 64
_SHAPES = {"48 px gray": (1, 48), "224 px RGB": (3, 224)}

Transform = Callable[[torch.Tensor], torch.Tensor]


def _transforms() -> dict[str, tuple[AugmentConfig, Transform]]:
    """Pair our settings with torchvision's nearest transform."""
    affine = v2.RandomAffine(15, (0.08, 0.08), (0.85, 1.15), 6, v2.InterpolationMode.BILINEAR)
    flip = v2.RandomHorizontalFlip()
    return {
        "flip, affine": (
            AugmentConfig(flip_prob=0.5, rotate_deg=15, scale_01=0.15, translate_01=0.08, shear_01=0.1),
            lambda image: affine(flip(image)),
        ),
        "blur": (AugmentConfig(blur_px=1.0), v2.GaussianBlur(7, (0.1, 1.0))),
        "noise": (AugmentConfig(noise_01=0.1), lambda image: v2.GaussianNoise(0, random.random() * 0.1)(image / 255)),
        "erasing": (AugmentConfig(erase_prob=0.5), v2.RandomErasing(0.5)),
        "JPEG": (AugmentConfig(jpeg_prob=1.0), lambda image: v2.JPEG((40, 95))(image.to(torch.uint8)).float()),
    }


def main() -> None:
    """Time both and print the table."""
    parser = argument_parser(__doc__, rounds=9)
    arguments = parser.parse_args()
    rows = []
    for shape, (channels, side) in _SHAPES.items():
        images = torch.rand(_BATCH, channels, side, side) * 255
        for name, (config, transform) in _transforms().items():
            rows.append(
                {"images": shape, "augmentation": name, **_compare(images, config, transform, arguments.rounds)}
            )
    print_table(f"A batch of {_BATCH}, {torch.get_num_threads()} threads", rows, as_json=arguments.json)


def _compare(images: torch.Tensor, config: AugmentConfig, transform: Transform, rounds: int) -> dict[str, float]:
    rng = torch.Generator().manual_seed(0)
    seconds = time_alternately(
        {
            "batch": lambda: augment(images, config, rng),
            "one_by_one": lambda: torch.stack([transform(image) for image in images]),
        },
        rounds,
    )
    return {
        "batch_ms": round(1e3 * seconds["batch"], 1),
        "one_by_one_ms": round(1e3 * seconds["one_by_one"], 1),
        "speedup": round(seconds["one_by_one"] / seconds["batch"], 1),
    }


if __name__ == "__main__":
    main()
