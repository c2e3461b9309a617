"""Facial actions: which muscles each expression moves, after the Facial Action Coding System.

The prototypes follow P. Ekman, W. Friesen, J. Hager, "Facial Action Coding System" (2002) and its
EMFACS tables; a number such as AU12 names an action unit there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

import numpy as np

from fer_core.labels import Expression

_INTENSITY_MIN = 0.72
"""The weakest expression that is drawn, as a share of the prototype."""
_IDLE_MAX = 0.06
"""How far a muscle moves that the expression does not call for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """How strongly each facial action shows: 0 is at rest, 1 is full strength. Sides are the viewer's."""

    inner_brow_raise: float = 0.0  # AU1
    outer_brow_raise_left: float = 0.0  # AU2
    outer_brow_raise_right: float = 0.0
    brow_lower: float = 0.0  # AU4
    upper_lid_raise: float = 0.0  # AU5
    cheek_raise: float = 0.0  # AU6
    lid_tighten: float = 0.0  # AU7
    nose_wrinkle: float = 0.0  # AU9
    upper_lip_raise: float = 0.0  # AU10
    corner_pull_left: float = 0.0  # AU12
    corner_pull_right: float = 0.0
    dimple_left: float = 0.0  # AU14
    dimple_right: float = 0.0
    corner_drop: float = 0.0  # AU15
    chin_raise: float = 0.0  # AU17
    lip_stretch: float = 0.0  # AU20
    lip_press: float = 0.0  # AU23 and AU24
    lips_part: float = 0.0  # AU25
    jaw_drop: float = 0.0  # AU26
    lid_droop: float = 0.0  # AU43, partly


PROTOTYPES: Mapping[Expression, Actions] = MappingProxyType(
    {
        Expression.NEUTRAL: Actions(),
        Expression.HAPPINESS: Actions(cheek_raise=0.9, corner_pull_left=1.0, corner_pull_right=1.0),
        Expression.SADNESS: Actions(
            inner_brow_raise=1.0, brow_lower=0.35, corner_drop=1.0, chin_raise=0.5, lid_droop=0.5
        ),
        Expression.SURPRISE: Actions(
            inner_brow_raise=0.9,
            outer_brow_raise_left=1.0,
            outer_brow_raise_right=1.0,
            upper_lid_raise=0.85,
            lips_part=0.7,
            jaw_drop=0.9,
        ),
        Expression.FEAR: Actions(
            inner_brow_raise=1.0,
            outer_brow_raise_left=0.35,
            outer_brow_raise_right=0.35,
            brow_lower=0.6,
            upper_lid_raise=1.0,
            lip_stretch=1.0,
            lips_part=0.8,
            jaw_drop=0.12,
        ),
        Expression.DISGUST: Actions(
            brow_lower=0.45,
            cheek_raise=0.35,
            lid_tighten=0.7,
            nose_wrinkle=1.0,
            upper_lip_raise=0.9,
            corner_drop=0.6,
            chin_raise=0.6,
        ),
        Expression.ANGER: Actions(brow_lower=1.0, upper_lid_raise=0.5, lid_tighten=0.7, lip_press=1.0, chin_raise=0.3),
        Expression.CONTEMPT: Actions(
            outer_brow_raise_left=0.45, lid_droop=0.3, corner_pull_right=0.8, dimple_right=1.0, lip_press=0.25
        ),
    }
)
"""Full-strength actions; contempt with its smile on the right, which `act` may mirror."""

_VARIANTS: Mapping[Expression, tuple[float, Mapping[str, float]]] = MappingProxyType(
    {
        Expression.HAPPINESS: (0.65, {"lips_part": 0.9, "jaw_drop": 0.22}),
        Expression.DISGUST: (0.4, {"lips_part": 0.45}),
        Expression.ANGER: (0.2, {"lip_press": 0.2, "lips_part": 0.55, "lip_stretch": 0.25, "upper_lip_raise": 0.3}),
    }
)
"""The other common form of an expression: how often it is drawn, and which actions it changes."""

_MIRROR = {
    "outer_brow_raise_left": "outer_brow_raise_right",
    "corner_pull_left": "corner_pull_right",
    "dimple_left": "dimple_right",
}
_NAMES = tuple(field.name for field in fields(Actions))


def act(expression: Expression, rng: np.random.Generator) -> Actions:
    """The actions of one face that shows `expression`, with an intensity and small deviations of its own.

    The same number of random values is taken whatever the expression.
    """
    strength = rng.uniform(_INTENSITY_MIN, 1.0)
    deviation = rng.uniform(0.88, 1.12, len(_NAMES))
    idle = rng.uniform(0.0, _IDLE_MAX, len(_NAMES))
    other_form, mirrored = rng.random(2)
    prototype = PROTOTYPES[expression]
    level = {name: float(getattr(prototype, name)) for name in _NAMES}
    often_01, changes = _VARIANTS.get(expression, (0.0, {}))
    if other_form < often_01:
        level |= changes
    if mirrored < 0.5:
        level = _mirrored(level)
    shown = np.array([level[name] for name in _NAMES]) * strength * deviation
    shown = np.minimum(np.where(shown > 0, shown, idle * (np.array(_NAMES) != "lips_part")), 1.0)
    return Actions(**dict(zip(_NAMES, shown.tolist(), strict=True)))


def _mirrored(level: Mapping[str, float]) -> dict[str, float]:
    """`level` with left and right changed about."""
    swapped = dict(level)
    for left, right in _MIRROR.items():
        swapped[left], swapped[right] = level[right], level[left]
    return swapped
