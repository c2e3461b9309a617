"""The mouth and the folds around it, moved by facial actions. Lengths are in head units (see `Identity`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_core.data.synthetic.action_units import Actions
from fer_core.data.synthetic.canvas import Canvas, Curve, closed, crease, pair
from fer_core.data.synthetic.identities import Identity, mix

_T = np.linspace(-1, 1, 21)
"""Places along the mouth, from the viewer's left corner to the right one."""
_ARCH = 1 - _T**2
_CENTER = np.exp(-((_T / 0.55) ** 2))
_CUPIDS_BOW = 1 - 0.18 * np.exp(-((_T / 0.14) ** 2))
_LEFT = _T < 0
_FOLD = np.linspace(0, 1, 9)
_MOUTH_DARK = np.array((70.0, 26.0, 28.0))
_TONGUE = np.array((150.0, 72.0, 70.0))
_TEETH = np.array((243.0, 239.0, 232.0))


@dataclass(frozen=True, slots=True, eq=False)
class MouthShape:
    """Heights along the mouth at the places `x`; curves of shape (21,). The lips lie between outer and inner."""

    x: Curve
    outer_up: Curve
    inner_up: Curve
    inner_low: Curve
    outer_low: Curve

    @property
    def gap(self) -> float:
        """How far the lips are apart in the middle."""
        return float(self.inner_low[10] - self.inner_up[10])


def mouth_shape(who: Identity, actions: Actions) -> MouthShape:
    """The mouth that the actions make."""
    pull = np.where(_LEFT, actions.corner_pull_left, actions.corner_pull_right)
    dimple = np.where(_LEFT, actions.dimple_left, actions.dimple_right)
    stretch = 0.26 * actions.lip_stretch - 0.12 * actions.lip_press - 0.42 * actions.jaw_drop
    x = _T * who.mouth_width * (1 + stretch - 0.06 * actions.chin_raise + 0.24 * pull + 0.06 * dimple)
    corner = who.mouth_curve - 0.13 * pull - 0.035 * dimple + 0.11 * actions.corner_drop + 0.05 * actions.lip_stretch
    bared = actions.upper_lip_raise * min(1.0, 2 * actions.lips_part)
    middle = who.mouth_y - 0.035 * actions.chin_raise - 0.03 * bared
    line = middle + corner * np.abs(_T) ** (1.7 + 0.9 * dimple) + 0.02 * pull * _ARCH
    smile = min(actions.corner_pull_left, actions.corner_pull_right)
    rise = actions.lips_part * (0.025 + 0.03 * actions.lip_stretch - 0.02 * smile) + 0.1 * actions.jaw_drop
    fall = actions.lips_part * (0.03 + 0.08 * smile + 0.035 * actions.lip_stretch) + 0.24 * actions.jaw_drop
    bow = _ARCH ** (0.5 if actions.jaw_drop > 0.4 else 0.62 - 0.22 * actions.lip_stretch)
    sneer = actions.upper_lip_raise * _CENTER
    inner_up = line - rise * bow - 0.045 * sneer
    inner_low = line + fall * bow - 0.03 * sneer
    thin = (1 - 0.6 * actions.lip_press) * (1 - 0.25 * smile)
    outer_up = inner_up - who.upper_lip * thin * (1 + 0.25 * actions.upper_lip_raise) * _CUPIDS_BOW * _ARCH**0.75
    outer_low = inner_low + who.lower_lip * thin * (1 + 0.2 * actions.chin_raise) * _ARCH**0.7
    return MouthShape(x, outer_up, inner_up, inner_low, outer_low)


def draw_mouth(canvas: Canvas, who: Identity, actions: Actions) -> None:
    """Draw the folds around the mouth, then the mouth."""
    shape = mouth_shape(who, actions)
    _draw_folds(canvas, who, actions, shape)
    canvas.tint_dot(0.0, float(shape.outer_low.max()) + 0.05, who.mouth_width * 0.7, -15, 0.3)
    parted = shape.gap > 0.024
    if parted:
        canvas.fill(closed(shape.x, shape.inner_up, shape.inner_low), _MOUTH_DARK)
        _draw_inside(canvas, actions, shape)
    canvas.fill(closed(shape.x, shape.outer_up, shape.inner_up), who.lips * 0.9)
    canvas.fill(closed(shape.x, shape.inner_low, shape.outer_low), who.lips * 1.04)
    if not parted:
        seam = pair(shape.x, (shape.inner_up + shape.inner_low) / 2)
        canvas.ribbon(seam, 0.016 + 0.014 * _ARCH, mix(who.lips * 0.45, _MOUTH_DARK, 0.3))
    for place, dimple in ((0, actions.dimple_left), (-1, actions.dimple_right)):
        radius = 0.017 + 0.01 * dimple
        canvas.dot(float(shape.x[place]), float(shape.inner_up[place]), radius, crease(who.skin, 1.0))


def _draw_inside(canvas: Canvas, actions: Actions, shape: MouthShape) -> None:
    """Teeth and tongue behind parted lips."""
    x, up, low = shape.x[2:-2], shape.inner_up[2:-2], shape.inner_low[2:-2]
    if actions.jaw_drop > 0.4:
        tongue = np.maximum(low - 0.1 * np.maximum(1 - (x / x[-1]) ** 2, 0), up)
        canvas.fill(closed(x, tongue, low), _TONGUE)
        canvas.fill(closed(x[2:-2], up[2:-2], up[2:-2] + 0.035 * _ARCH[4:-4]), _TEETH * 0.85)
        return
    canvas.fill(closed(x, up, np.minimum(up + 0.075, low)), _TEETH)
    if actions.lip_stretch > 0.15 or actions.upper_lip_raise > 0.5:
        canvas.fill(closed(x, np.maximum(low - 0.03, up), low), _TEETH * 0.93)
        canvas.line(pair(x, np.maximum(low - 0.032, up)), 0.008, _TEETH * 0.6)


def _draw_folds(canvas: Canvas, who: Identity, actions: Actions, shape: MouthShape) -> None:
    """The folds from the nose to the corners of the mouth, dimples, the cheeks, and the fold of a raised chin."""
    sneer = actions.nose_wrinkle
    ends = (
        (-1, 0, actions.corner_pull_left, actions.dimple_left),
        (1, -1, actions.corner_pull_right, actions.dimple_right),
    )
    for side, place, pull, dimple in ends:
        x, y = abs(float(shape.x[place])), float(shape.inner_up[place])
        strength = max(0.1, 0.7 * pull, 0.75 * sneer, 0.25 * actions.corner_drop, 0.4 * actions.lip_stretch)
        top = who.nose_y - 0.03 - 0.05 * sneer
        start = who.nose_width * 1.15 + 0.02
        fold_x = start + (x + 0.05 - start) * _FOLD + 0.06 * np.sin(np.pi * _FOLD) * max(pull, 0.8 * sneer)
        fold_y = top + (y - top) * _FOLD * (0.72 + 0.3 * pull + 0.1 * sneer)
        canvas.line(pair(side * fold_x, fold_y), 0.017, crease(who.skin, strength))
        if dimple > 0.3:
            tuck = np.array(((x + 0.03, y - 0.065), (x + 0.058, y - 0.005), (x + 0.035, y + 0.055)))
            canvas.line(tuck * (side, 1), 0.02, crease(who.skin, 0.9 * dimple))
        cheek = max(pull, actions.cheek_raise)
        canvas.tint_dot(side * who.head_width * 0.56, 0.3 - 0.06 * cheek, 0.16, round(5 + 12 * cheek), 0.8)
    if actions.chin_raise > 0.3:
        chin_y = float(shape.outer_low.max()) + 0.075
        canvas.line(pair(0.13 * _T, chin_y + 0.03 * _T**2), 0.015, crease(who.skin, 0.6 * actions.chin_raise))
