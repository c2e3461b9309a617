"""Logit adjustment in the loss or after training: Menon et al. (2021), "Long-tail learning via logit adjustment"."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def logit_offsets(sizes: NDArray[np.floating], tau: float) -> NDArray[np.floating]:
    """Compute tau * log(class share), which the logit-adjusted loss (eq. 10) adds to the logits.

    A class without images gets the offset of the smallest other class.

    Args:
        sizes: images of each class, or sums of soft targets; floating, shape (classes,).
        tau: strength; 0 is off.
    Returns:
        of the same shape and type.
    """
    present = sizes > 0
    if tau == 0 or not present.any():
        return np.zeros_like(sizes)
    return (tau * np.log(np.where(present, sizes, sizes[present].min()) / sizes.sum())).astype(sizes.dtype)


def adjust_logits(logits: NDArray[np.floating], log_priors: ArrayLike, tau: float) -> NDArray[np.float64]:
    """Subtract tau * log(prior) from a trained model's logits (post-hoc adjustment, eq. 9).

    Args:
        logits: shape (N, classes).
        log_priors: natural logarithms of the classes' shares in training, shape (classes,).
        tau: strength; 0 is off, 1 treats all classes as equally common.
    """
    return logits.astype(np.float64) - tau * np.asarray(log_priors)
