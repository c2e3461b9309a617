"""Brows, eyes and nose, moved by facial actions. Lengths are in head units (see `Identity`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_core.data.synthetic.action_units import Actions
from fer_core.data.synthetic.canvas import CIRCLE, Canvas, Curve, closed, crease, pair
from fer_core.data.synthetic.identities import Identity, mix
from fer_core.data.synthetic.mouth import draw_mouth

_T = np.linspace(-1, 1, 17)
"""Places along an eye, from the inner to the outer corner."""
_S = (_T + 1) / 2
"""Places along a brow, from the inner to the outer end."""
_PEAK = 0.58
"""Where along the brow its arch is."""
_BROW = ((_S - _PEAK) * (_S - 1) / _PEAK, _S * (_S - 1) / (_PEAK * (_PEAK - 1)), _S * (_S - _PEAK) / (1 - _PEAK))
"""Weights of inner end, arch and outer end along the brow (Lagrange's polynomials)."""
_BROW_THICKNESS = (0.35 + 0.65 * np.minimum(1, _S * 5)) * (1 - 0.72 * np.maximum(0, _S - 0.45) / 0.55)
_LID_BOW, _LOWER_BOW = 1 - np.abs(_T) ** 2.3, 1 - _T**2
_SIDES = (-1, 1)
_WHITE = np.array((244.0, 241.0, 237.0))
_INK = np.array((30.0, 22.0, 20.0))


def draw_features(canvas: Canvas, who: Identity, actions: Actions, gaze: tuple[float, float]) -> None:
    """Draw the face onto a head; `gaze` moves the irises, in head units."""
    for side in _SIDES:
        lids = _lids(who, actions, side)
        _draw_eye(canvas, who, lids, gaze)
        _draw_lid_folds(canvas, who, actions, lids)
        _draw_brow(canvas, who, actions, side)
    _draw_brow_folds(canvas, who, actions)
    _draw_nose(canvas, who, actions)
    draw_mouth(canvas, who, actions)
    if who.glasses:
        _draw_glasses(canvas, who)


@dataclass(frozen=True, slots=True, eq=False)
class _Lids:
    """The edges of the lids of one eye, from its inner to its outer corner; curves of shape (17,)."""

    side: int
    x: Curve
    upper: Curve
    lower: Curve


def _lids(who: Identity, actions: Actions, side: int) -> _Lids:
    up = 1 + 0.55 * actions.upper_lid_raise - 0.42 * actions.lid_tighten - 0.15 * actions.cheek_raise
    up -= 0.42 * actions.lid_droop + 0.2 * actions.nose_wrinkle
    low = 0.75 + 0.15 * actions.upper_lid_raise - 0.36 * actions.lid_tighten - 0.5 * actions.cheek_raise
    low -= 0.2 * actions.nose_wrinkle
    frown = actions.brow_lower * (1 - actions.inner_brow_raise)
    sorrow = actions.inner_brow_raise * min(1.0, 2 * actions.lid_droop)
    middle = who.eye_y - (who.eye_tilt - 0.02 * sorrow) * _T
    upper = middle - who.eye_open * up * _LID_BOW * (1 + (0.5 * frown - 0.4 * sorrow) * _T)
    lower = np.maximum(middle + who.eye_open * low * _LOWER_BOW, upper)
    return _Lids(side, side * (who.eye_x + _T * who.eye_width), upper, lower)


def _draw_eye(canvas: Canvas, who: Identity, lids: _Lids, gaze: tuple[float, float]) -> None:
    """The white, then iris, pupil and glint cut off by the lids, then the lashes."""
    canvas.tint_dot(lids.side * who.eye_x, who.eye_y - 0.06, who.eye_width * 1.2, -11, 0.7)
    canvas.fill(closed(lids.x, lids.upper, lids.lower), mix(_WHITE, who.skin, 0.12))
    x0, y0 = lids.side * who.eye_x + gaze[0], who.eye_y - 0.014 + gaze[1]
    for share, color in ((1.0, who.iris * 0.6), (0.84, who.iris), (0.5, _INK)):
        x = x0 + who.iris_radius * share * CIRCLE[:, 0]
        t = (x * lids.side - who.eye_x) / who.eye_width
        y = y0 + who.iris_radius * share * CIRCLE[:, 1]
        y = np.minimum(np.maximum(y, np.interp(t, _T, lids.upper)), np.interp(t, _T, lids.lower))
        canvas.fill(pair(x, y), color)
    glint_y = max(y0 - 0.3 * who.iris_radius, float(lids.upper[8]) + 0.034)
    if glint_y + 0.03 < float(lids.lower[8]):
        canvas.dot(x0 - 0.3 * who.iris_radius, glint_y, 0.022, _WHITE)
    lash = mix(_INK, who.hair, 0.2)
    canvas.line(pair(lids.x, lids.lower)[3:], 0.012, mix(who.skin * 0.55, lash, 0.3))
    canvas.ribbon(pair(lids.x, lids.upper), 0.02 + (0.022 * _S + 0.008) * _LID_BOW, lash)


def _draw_lid_folds(canvas: Canvas, who: Identity, actions: Actions, lids: _Lids) -> None:
    """The fold above the upper lid; under the eye, the pouch that raised cheeks and tense lids make."""
    fold = lids.upper - 0.048 - 0.016 * _LID_BOW + 0.02 * actions.upper_lid_raise
    canvas.line(pair(lids.x, fold)[2:-1], 0.014, crease(who.skin, 0.6))
    pouch = max(actions.cheek_raise, 0.7 * actions.nose_wrinkle, 0.6 * actions.lid_tighten)
    if pouch > 0.25:
        canvas.line(pair(lids.x, lids.lower + 0.045 + 0.02 * _LID_BOW)[3:-2], 0.014, crease(who.skin, 0.6 * pouch))


def _draw_brow(canvas: Canvas, who: Identity, actions: Actions, side: int) -> None:
    outer = actions.outer_brow_raise_left if side < 0 else actions.outer_brow_raise_right
    inner = actions.inner_brow_raise
    down = actions.brow_lower * (1 - 0.85 * inner) + 0.5 * actions.nose_wrinkle
    base = who.eye_y - who.brow_gap
    at_inner = base - 0.15 * inner + 0.135 * down
    at_arch = base - who.brow_arch - 0.05 * inner - 0.105 * outer + 0.075 * down
    at_outer = base + 0.045 - 0.12 * outer - 0.01 * down + 0.04 * inner * max(0.0, 1 - 1.5 * outer)
    inner_x = who.eye_x - who.brow_length * 0.92 - 0.06 * actions.brow_lower - 0.02 * actions.nose_wrinkle
    x = side * (inner_x + (who.eye_x + who.brow_length - inner_x) * _S)
    y = at_inner * _BROW[0] + at_arch * _BROW[1] + at_outer * _BROW[2]
    canvas.ribbon(pair(x, y), who.brow_thickness * _BROW_THICKNESS, mix(who.hair * 0.8, who.skin * 0.2, 0.65))


def _draw_brow_folds(canvas: Canvas, who: Identity, actions: Actions) -> None:
    """Upright folds between lowered brows; lines across the forehead over raised ones."""
    brow_y = who.eye_y - who.brow_gap
    if actions.brow_lower > 0.25:
        for side in _SIDES:
            fold = pair(side * np.array((0.042, 0.045, 0.06)), brow_y + np.array((-0.05, 0.02, 0.09)))
            fold[:, 1] -= 0.06 * actions.inner_brow_raise
            canvas.line(fold, 0.017, crease(who.skin, 0.9 * actions.brow_lower))
    outer = max(actions.outer_brow_raise_left, actions.outer_brow_raise_right)
    strength = 0.55 * actions.inner_brow_raise * (0.5 + outer)
    if strength > 0.2:
        for height in (0.265, 0.325):
            line = pair(_T * (0.2 + 0.14 * outer), brow_y - height + 0.02 * _T**2)
            if brow_y - height > who.hairline_y + 0.06:
                canvas.line(line, 0.014, crease(who.skin, strength))


def _draw_nose(canvas: Canvas, who: Identity, actions: Actions) -> None:
    lift = actions.nose_wrinkle
    tip_y = who.nose_y - 0.045 * lift - 0.02 * actions.upper_lip_raise
    wide = who.nose_width * (1 + 0.14 * lift + 0.05 * (actions.corner_pull_left + actions.corner_pull_right))
    canvas.tint_dot(0.0, tip_y - 0.05, wide * 0.6, 16, 1.1)
    canvas.tint_dot(0.0, tip_y + 0.09, wide * 1.1, -22, 0.4)
    under = pair(_T * wide, tip_y + 0.03 - 0.05 * np.abs(_T) ** 3 + 0.02 * np.cos(_T * 3))
    canvas.line(under[2:-2], 0.017, crease(who.skin, 0.7))
    for side in _SIDES:
        bridge = np.array(((0.085, who.eye_y - 0.02), (0.07, who.eye_y + 0.1), (0.075, tip_y - 0.13)))
        canvas.line(bridge * (side, 1), 0.014, crease(who.skin, 0.25))
        canvas.dot(side * wide * 0.45, tip_y + 0.022, 0.034, crease(who.skin, 1.0) * 0.72, 0.5)
        wing = np.array(((wide * 0.86, tip_y - 0.075), (wide * 1.04, tip_y - 0.03), (wide * 0.92, tip_y + 0.025)))
        canvas.line(wing * (side, 1), 0.017, crease(who.skin, 0.6 + 0.3 * lift))
        for step in range(3 if lift > 0.25 else 0):
            y = who.eye_y + 0.01 + 0.065 * step
            fold = np.array(((0.025, y), (0.07, y + 0.012), (0.105, y + 0.05)))
            canvas.line(fold * (side, 1), 0.016, crease(who.skin, 0.7 * lift))


def _draw_glasses(canvas: Canvas, who: Identity) -> None:
    """A thin frame, level with the eyes."""
    frame = mix(_INK, who.clothes, 0.3)
    wide, high = who.eye_width + 0.075, 0.175
    for side in _SIDES:
        rim = np.sign(CIRCLE) * np.abs(CIRCLE) ** 0.7 * (wide, high) + (side * who.eye_x, who.eye_y + 0.04)
        canvas.line(np.concatenate((rim, rim[:1])), 0.02, frame)
        temple = np.array(((who.eye_x + wide, who.eye_y), (who.head_width * 0.98, who.eye_y - 0.01)))
        canvas.line(temple * (side, 1), 0.02, frame)
    reach = who.eye_x - wide
    canvas.line(np.array(((-reach, who.eye_y), (0.0, who.eye_y - 0.02), (reach, who.eye_y))), 0.02, frame)
