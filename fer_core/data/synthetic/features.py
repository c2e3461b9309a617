"""Brows, eyes, nose and mouth, moved by action units. Lengths are in head units (see `Identity`)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fer_core.data.synthetic.action_units import ActionUnits
from fer_core.data.synthetic.canvas import Canvas, Curve, Points, band, ellipse, stack_points
from fer_core.data.synthetic.identities import Color, Identity, mix_colors, palette

_EYE_Y, _NOSE_Y, _MOUTH_Y = -0.02, 0.33, 0.6
_EYE_TILT, _IRIS_RADIUS, _BROW_LENGTH = 0.008, 0.088, 0.218
_WHITE, _INK, _MOUTH_DARK, _TONGUE, _TEETH = palette("f4f1ed 1e1614 461a1c 964846 f3efe8")
_T = np.linspace(-1, 1, 21)
"""Positions along an eye (from the inner corner), a brow (from the inner end) or the mouth (from the left corner)."""
_S = (_T + 1) / 2
_ARCH = 1 - _T**2
_LID_ARCH = 1 - np.abs(_T) ** 2.3
_PEAK = 0.58
"""Where along the brow its arch is."""
_BROW = ((_S - _PEAK) * (_S - 1) / _PEAK, _S * (_S - 1) / (_PEAK * (_PEAK - 1)), _S * (_S - _PEAK) / (1 - _PEAK))
"""Weights of inner end, arch and outer end along the brow (Lagrange polynomials)."""
_BROW_THICKNESS = (0.35 + 0.65 * np.minimum(1, _S * 5)) * (1 - 0.72 * np.maximum(0, _S - 0.45) / 0.55)


def draw_features(canvas: Canvas, identity: Identity, units: ActionUnits, gaze: tuple[float, float]) -> None:
    """Draw the features onto a head; `gaze` moves the irises, in head units."""
    for side in (-1, 1):
        _draw_eye(canvas, identity, units, side, gaze)
        _draw_brow(canvas, identity, units, side)
    _draw_forehead(canvas, identity, units)
    _draw_nose(canvas, identity, units)
    _draw_mouth(canvas, identity, units)


def _draw_eye(canvas: Canvas, identity: Identity, units: ActionUnits, side: int, gaze: tuple[float, float]) -> None:
    """Draw the white, then the iris between the lids, the lashes, and the folds above and below."""
    up = 1 + 0.55 * units.upper_lid_raise - 0.42 * units.lid_tighten - 0.15 * units.cheek_raise
    up -= 0.42 * units.lid_droop + 0.2 * units.nose_wrinkle
    low = 0.75 + 0.15 * units.upper_lid_raise - 0.36 * units.lid_tighten - 0.5 * units.cheek_raise
    low -= 0.2 * units.nose_wrinkle
    frown = units.brow_lower * (1 - units.inner_brow_raise)
    sorrow = units.inner_brow_raise * min(1.0, 2 * units.lid_droop)
    middle = _EYE_Y - (_EYE_TILT - 0.02 * sorrow) * _T
    x = side * (identity.eye_x + _T * identity.eye_width)
    upper = middle - identity.eye_open * up * _LID_ARCH * (1 + (0.5 * frown - 0.4 * sorrow) * _T)
    lower = np.maximum(middle + identity.eye_open * low * _ARCH, upper)

    canvas.fill(ellipse(side * identity.eye_x, _EYE_Y - 0.06, identity.eye_width * 1.2, 0.7), identity.skin * 0.94)
    canvas.fill(band(x, upper, lower), mix_colors(_WHITE, identity.skin, 0.12))
    for share, color in ((1.0, identity.iris * 0.6), (0.84, identity.iris), (0.5, _INK)):
        disk = ellipse(side * identity.eye_x + gaze[0], _EYE_Y - 0.014 + gaze[1], _IRIS_RADIUS * share)
        at = (disk[:, 0] * side - identity.eye_x) / identity.eye_width
        disk[:, 1] = np.minimum(np.maximum(disk[:, 1], np.interp(at, _T, upper)), np.interp(at, _T, lower))
        canvas.fill(disk, color)
    lash = mix_colors(_INK, identity.hair, 0.2)
    canvas.line(stack_points(x, lower)[3:], 0.012, mix_colors(identity.skin * 0.55, lash, 0.3))
    canvas.fill(_ribbon(x, upper, 0.02 + (0.022 * _S + 0.008) * _LID_ARCH), lash)
    fold = stack_points(x, upper - 0.048 - 0.016 * _LID_ARCH + 0.02 * units.upper_lid_raise)
    canvas.line(fold[2:-1], 0.014, _crease(identity.skin, 0.6))
    pouch = max(units.cheek_raise, 0.7 * units.nose_wrinkle, 0.6 * units.lid_tighten)
    if pouch > 0.25:
        fold = stack_points(x, lower + 0.045 + 0.02 * _LID_ARCH)
        canvas.line(fold[3:-2], 0.014, _crease(identity.skin, 0.6 * pouch))


def _draw_brow(canvas: Canvas, identity: Identity, units: ActionUnits, side: int) -> None:
    inner, outer = units.inner_brow_raise, units.outer_brow_raise
    down = units.brow_lower * (1 - 0.85 * inner) + 0.5 * units.nose_wrinkle
    base = _EYE_Y - identity.brow_gap
    at_inner = base - 0.15 * inner + 0.135 * down
    at_arch = base - identity.brow_arch - 0.05 * inner - 0.105 * outer + 0.075 * down
    at_outer = base + 0.045 - 0.12 * outer - 0.01 * down + 0.04 * inner * max(0.0, 1 - 1.5 * outer)
    inner_x = identity.eye_x - _BROW_LENGTH * 0.92 - 0.06 * units.brow_lower - 0.02 * units.nose_wrinkle
    x = side * (inner_x + (identity.eye_x + _BROW_LENGTH - inner_x) * _S)
    y = at_inner * _BROW[0] + at_arch * _BROW[1] + at_outer * _BROW[2]
    color = mix_colors(identity.hair * 0.8, identity.skin * 0.2, 0.65)
    canvas.fill(_ribbon(x, y, identity.brow_thickness * _BROW_THICKNESS), color)


def _draw_forehead(canvas: Canvas, identity: Identity, units: ActionUnits) -> None:
    """Draw vertical folds between lowered brows, and lines across the forehead over raised ones."""
    brow_y = _EYE_Y - identity.brow_gap
    if units.brow_lower > 0.25:
        y = brow_y - 0.06 * units.inner_brow_raise
        fold = np.array(((0.042, y - 0.05), (0.045, y + 0.02), (0.06, y + 0.09)))
        for side in (-1, 1):
            canvas.line(fold * (side, 1), 0.017, _crease(identity.skin, 0.9 * units.brow_lower))
    strength = 0.55 * units.inner_brow_raise * (0.5 + units.outer_brow_raise)
    for y in (brow_y - 0.265, brow_y - 0.325):
        if strength > 0.2 and y > identity.hairline_y + 0.06:
            line = stack_points(_T * (0.2 + 0.14 * units.outer_brow_raise), y + 0.02 * _T**2)
            canvas.line(line, 0.014, _crease(identity.skin, strength))


def _draw_nose(canvas: Canvas, identity: Identity, units: ActionUnits) -> None:
    lift, skin = units.nose_wrinkle, identity.skin
    tip_y = _NOSE_Y - 0.045 * lift - 0.02 * units.upper_lip_raise
    width = identity.nose_width * (1 + 0.14 * lift + 0.05 * (units.corner_pull_left + units.corner_pull_right))
    canvas.fill(ellipse(0.0, tip_y + 0.09, width * 1.1, 0.4), skin * 0.9)
    canvas.fill(ellipse(0.0, tip_y - 0.05, width * 0.6, 1.1), skin * 1.07)
    under = stack_points(_T * width, tip_y + 0.03 - 0.05 * np.abs(_T) ** 3 + 0.02 * np.cos(_T * 3))
    canvas.line(under[2:-2], 0.017, _crease(skin, 0.7))
    bridge = ((0.085, _EYE_Y - 0.02), (0.07, _EYE_Y + 0.1), (0.075, tip_y - 0.13))
    wing = ((width * 0.86, tip_y - 0.075), (width * 1.04, tip_y - 0.03), (width * 0.92, tip_y + 0.025))
    lines = [(bridge, 0.25), (wing, 0.6 + 0.3 * lift)]
    if lift > 0.25:
        wrinkles = (_EYE_Y + 0.01 + 0.065 * step for step in range(3))
        lines += [(((0.025, y), (0.07, y + 0.012), (0.105, y + 0.05)), 0.7 * lift) for y in wrinkles]
    for side in (-1, 1):
        canvas.fill(ellipse(side * width * 0.45, tip_y + 0.022, 0.034, 0.5), _crease(skin, 1.0) * 0.72)
        for points, strength in lines:
            canvas.line(np.array(points) * (side, 1), 0.016, _crease(skin, strength))


class MouthShape(NamedTuple):
    """Heights of the lips at the positions `x`; curves of shape (21,). The lips lie between outer and inner."""

    x: Curve
    outer_upper: Curve
    inner_upper: Curve
    inner_lower: Curve
    outer_lower: Curve

    @property
    def gap(self) -> float:
        """Distance of the lips in the middle."""
        return float(self.inner_lower[10] - self.inner_upper[10])


def mouth_shape(identity: Identity, units: ActionUnits) -> MouthShape:
    """Compute the lips' curves."""
    pull = np.where(_T < 0, units.corner_pull_left, units.corner_pull_right)
    smile = min(units.corner_pull_left, units.corner_pull_right)
    stretch = 0.26 * units.lip_stretch - 0.12 * units.lip_press - 0.42 * units.jaw_drop - 0.06 * units.chin_raise
    x = _T * identity.mouth_width * (1 + stretch + 0.24 * pull)
    corner = identity.mouth_curve - 0.14 * pull + 0.11 * units.corner_drop + 0.05 * units.lip_stretch
    bared = units.upper_lip_raise * min(1.0, 2 * units.lips_part)
    middle = _MOUTH_Y - 0.035 * units.chin_raise - 0.03 * bared
    line = middle + corner * np.abs(_T) ** (1.7 + 0.9 * (pull - smile)) + 0.02 * pull * _ARCH
    rise = units.lips_part * (0.025 + 0.03 * units.lip_stretch - 0.02 * smile) + 0.1 * units.jaw_drop
    fall = units.lips_part * (0.03 + 0.08 * smile + 0.035 * units.lip_stretch) + 0.24 * units.jaw_drop
    opening = _ARCH ** (0.5 if units.jaw_drop > 0.4 else 0.62 - 0.22 * units.lip_stretch)
    sneer = units.upper_lip_raise * np.exp(-((_T / 0.55) ** 2))
    inner_upper = line - rise * opening - 0.045 * sneer
    inner_lower = line + fall * opening - 0.03 * sneer
    thickness = identity.lip_height * (1 - 0.6 * units.lip_press) * (1 - 0.25 * smile)
    cupids_bow = 1 - 0.18 * np.exp(-((_T / 0.14) ** 2))
    upper = 0.85 * thickness * (1 + 0.25 * units.upper_lip_raise) * cupids_bow * _ARCH**0.75
    lower = 1.2 * thickness * (1 + 0.2 * units.chin_raise) * _ARCH**0.7
    return MouthShape(x, inner_upper - upper, inner_upper, inner_lower, inner_lower + lower)


def _draw_mouth(canvas: Canvas, identity: Identity, units: ActionUnits) -> None:
    mouth = mouth_shape(identity, units)
    x, outer_upper, inner_upper, inner_lower, outer_lower = mouth
    _draw_cheeks(canvas, identity, units, mouth)
    if units.chin_raise > 0.3:
        chin = stack_points(0.13 * _T, float(outer_lower.max()) + 0.075 + 0.03 * _T**2)
        canvas.line(chin, 0.015, _crease(identity.skin, 0.6 * units.chin_raise))
    if mouth.gap > 0.024:
        canvas.fill(band(x, inner_upper, inner_lower), _MOUTH_DARK)
        _draw_teeth(canvas, units, x[2:-2], inner_upper[2:-2], inner_lower[2:-2])
    canvas.fill(band(x, outer_upper, inner_upper), identity.lips * 0.9)
    canvas.fill(band(x, inner_lower, outer_lower), identity.lips * 1.04)
    if mouth.gap <= 0.024:
        seam = _ribbon(x, (inner_upper + inner_lower) / 2, 0.016 + 0.014 * _ARCH)
        canvas.fill(seam, mix_colors(identity.lips * 0.45, _MOUTH_DARK, 0.3))
    for corner in (0, -1):
        canvas.fill(ellipse(float(x[corner]), float(inner_upper[corner]), 0.02), _crease(identity.skin, 1.0))


def _draw_teeth(canvas: Canvas, units: ActionUnits, x: Curve, upper: Curve, lower: Curve) -> None:
    """Draw teeth, and the tongue of a wide open mouth."""
    if units.jaw_drop > 0.4:
        canvas.fill(band(x, np.maximum(lower - 0.1 * _ARCH[2:-2], upper), lower), _TONGUE)
        canvas.fill(band(x, upper, upper + 0.035 * _ARCH[2:-2]), _TEETH * 0.85)
        return
    canvas.fill(band(x, upper, np.minimum(upper + 0.075, lower)), _TEETH)
    if units.lip_stretch > 0.15 or units.upper_lip_raise > 0.5:
        canvas.line(stack_points(x, np.maximum(lower - 0.032, upper)), 0.008, _TEETH * 0.6)


def _draw_cheeks(canvas: Canvas, identity: Identity, units: ActionUnits, mouth: MouthShape) -> None:
    """Draw the folds from the nose to the corners of the mouth, and the dimple of a one-sided smile."""
    sneer, pulls = units.nose_wrinkle, (units.corner_pull_left, units.corner_pull_right)
    for side, corner, pull, other in ((-1, 0, *pulls), (1, -1, *pulls[::-1])):
        x, y = abs(float(mouth.x[corner])), float(mouth.inner_upper[corner])
        top = _NOSE_Y - 0.03 - 0.05 * sneer
        start = identity.nose_width * 1.15 + 0.02
        fold_x = start + (x + 0.05 - start) * _S + 0.06 * np.sin(np.pi * _S) * max(pull, 0.8 * sneer)
        fold_y = top + (y - top) * _S * (0.72 + 0.3 * pull + 0.1 * sneer)
        strength = max(0.1, 0.7 * pull, 0.75 * sneer, 0.25 * units.corner_drop, 0.4 * units.lip_stretch)
        canvas.line(stack_points(side * fold_x, fold_y), 0.017, _crease(identity.skin, strength))
        if pull - other > 0.3:
            dimple = np.array(((x + 0.03, y - 0.065), (x + 0.058, y - 0.005), (x + 0.035, y + 0.055)))
            canvas.line(dimple * (side, 1), 0.02, _crease(identity.skin, 0.9))


def _ribbon(x: Curve, y: Curve, widths: Curve) -> Points:
    """Compute the polygon along a curve that is nearly level, `widths` high; shape (2 N, 2)."""
    return band(x, y - widths / 2, y + widths / 2)


def _crease(skin: Color, strength_01: float) -> Color:
    """Compute the color of a fold of skin, invisible at strength 0; relatively darker on dark skin."""
    darkest = min(0.58, 0.26 + 0.0024 * float(skin.sum() / 3))
    return mix_colors(skin, skin * darkest, min(strength_01, 1.0))
