"""Facial action units of each expression, after Ekman, Friesen and Hager (2002), "Facial Action Coding System"."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fer_core.labels import Expression


class ActionUnits(NamedTuple):
    """Intensity of each action unit, 0 (at rest) to 1. Left and right are the viewer's."""

    inner_brow_raise: float = 0.0  # AU1
    outer_brow_raise: float = 0.0  # AU2
    brow_lower: float = 0.0  # AU4
    upper_lid_raise: float = 0.0  # AU5
    cheek_raise: float = 0.0  # AU6
    lid_tighten: float = 0.0  # AU7
    nose_wrinkle: float = 0.0  # AU9
    upper_lip_raise: float = 0.0  # AU10
    corner_pull_left: float = 0.0  # AU12
    corner_pull_right: float = 0.0
    corner_drop: float = 0.0  # AU15
    chin_raise: float = 0.0  # AU17
    lip_stretch: float = 0.0  # AU20
    lip_press: float = 0.0  # AU23 and AU24
    lips_part: float = 0.0  # AU25
    jaw_drop: float = 0.0  # AU26
    lid_droop: float = 0.0  # AU43, partly


_SADNESS = {"inner_brow_raise": 1.0, "brow_lower": 0.35, "corner_drop": 1.0, "chin_raise": 0.5, "lid_droop": 0.5}
_FEAR = {"inner_brow_raise": 1.0, "outer_brow_raise": 0.35, "brow_lower": 0.6, "upper_lid_raise": 1.0}
_DISGUST = {"brow_lower": 0.45, "cheek_raise": 0.35, "lid_tighten": 0.7, "nose_wrinkle": 1.0, "upper_lip_raise": 0.9}
_ANGER = {"brow_lower": 1.0, "upper_lid_raise": 0.5, "lid_tighten": 0.7, "lip_press": 1.0, "chin_raise": 0.3}
PROTOTYPES = {
    Expression.NEUTRAL: ActionUnits(),
    Expression.HAPPINESS: ActionUnits(cheek_raise=0.9, corner_pull_left=1.0, corner_pull_right=1.0),
    Expression.SADNESS: ActionUnits(**_SADNESS),
    Expression.SURPRISE: ActionUnits(0.9, 1.0, upper_lid_raise=0.85, lips_part=0.7, jaw_drop=0.9),
    Expression.FEAR: ActionUnits(**_FEAR, lip_stretch=1.0, lips_part=0.8, jaw_drop=0.12),
    Expression.DISGUST: ActionUnits(**_DISGUST, corner_drop=0.6, chin_raise=0.6),
    Expression.ANGER: ActionUnits(**_ANGER),
    Expression.CONTEMPT: ActionUnits(outer_brow_raise=0.3, corner_pull_right=1.0, lip_press=0.25, lid_droop=0.4),
}
_VARIANTS: dict[Expression, tuple[float, dict[str, float]]] = {
    Expression.HAPPINESS: (0.65, {"lips_part": 0.9, "jaw_drop": 0.22}),
    Expression.DISGUST: (0.4, {"lips_part": 0.45}),
    Expression.ANGER: (0.2, {"lip_press": 0.2, "lips_part": 0.55, "lip_stretch": 0.25, "upper_lip_raise": 0.3}),
}
"""Another common form of an expression: its probability and the action units that differ."""


def sample_action_units(expression: Expression, rng: np.random.Generator) -> ActionUnits:
    """Sample the action units of one face: the prototype at a random intensity, with deviations, the others near 0.

    The same number of random values is used for every expression.
    """
    intensity = rng.uniform(0.72, 1.0)
    deviations = rng.uniform(0.88, 1.12, len(ActionUnits._fields))
    idle = rng.uniform(0.0, 0.05, len(ActionUnits._fields))
    variant, swapped = rng.random(2)
    units = PROTOTYPES[expression]
    probability, changes = _VARIANTS.get(expression, (0.0, {}))
    if variant < probability:
        units = units._replace(**changes)
    if swapped < 0.5:
        units = units._replace(corner_pull_left=units.corner_pull_right, corner_pull_right=units.corner_pull_left)
    levels = np.array(units)
    return ActionUnits(*np.where(levels > 0, levels * intensity * deviations, idle).clip(0, 1).tolist())
