"""The head behind the features: neck, clothes, ears, skull and hair. Lengths are in head units (see `Identity`)."""

from __future__ import annotations

import numpy as np

from fer_core.data.synthetic.canvas import Canvas, Curve, Points, ellipse, pair
from fer_core.data.synthetic.identities import HairStyle, Identity

_SKULL_POWER, _JAW_POWER = 2.25, 2.3
_JAW_DROP = 0.11
"""How far a dropped jaw lengthens the face."""
_ACROSS = np.linspace(-1, 1, 21)
_HAIR_ENDS = {HairStyle.BOB: 0.82, HairStyle.LONG: 1.6}
"""How far down the hair behind the face reaches."""


def draw_head(canvas: Canvas, identity: Identity, jaw_drop: float) -> None:
    """Draw hair at the back, neck, clothes, ears, the face and the hair over the forehead."""
    width, skin = identity.head_width, identity.skin
    _draw_back_hair(canvas, identity)
    neck = width * 0.58
    canvas.fill(
        np.array(((-1.9, 2.6), (-1.6, 1.5), (-neck, 1.16), (neck, 1.16), (1.6, 1.5), (1.9, 2.6))), identity.clothes
    )
    throat = np.array(((-neck, 0.5), (neck, 0.5), (neck * 1.06, 1.18), (0.0, 1.34), (-neck * 1.06, 1.18)))
    canvas.fill(throat, skin * 0.86)
    for side in (-1, 1):
        canvas.fill(ellipse(side * width * 0.99, 0.12, 0.105, 1.6), skin * 0.9)
        canvas.fill(ellipse(side * width * 1.0, 0.12, 0.052, 1.7), skin * 0.76)
    outline = _face_outline(identity, jaw_drop)
    canvas.fill(outline, skin)
    _draw_front_hair(canvas, identity)


def _superellipse(angles: Curve, power: Curve | float) -> Points:
    """Points on the curve |x|^power + |y|^power = 1."""
    circle = pair(np.cos(angles), np.sin(angles))
    return np.asarray(np.sign(circle) * np.abs(circle) ** (2 / np.atleast_1d(power)[:, None]))


def _face_outline(identity: Identity, jaw_drop: float) -> Points:
    """Compute the outline of the face; shape (72, 2)."""
    angles = np.linspace(0, 2 * np.pi, 73)[:-1]
    x, y = _superellipse(angles, np.where(angles < np.pi, _JAW_POWER, _SKULL_POWER)).T
    below = np.maximum(y, 0)
    taper = 1 - identity.jaw_taper * below**1.5
    return pair(x * identity.head_width * taper, y + below**2 * _JAW_DROP * jaw_drop)


def _skull(identity: Identity, volume: float, at_ears: float) -> Points:
    """Compute the arc over the skull, `volume` outside of it, of which `at_ears` is left at its ends; shape (33, 2)."""
    angles = np.linspace(0, -np.pi, 33)
    grown = 1 + volume * np.minimum(1.0, at_ears + 1.4 * np.abs(np.sin(angles)))
    return _superellipse(angles, _SKULL_POWER) * (identity.head_width, 1.0) * grown[:, None]


def _draw_back_hair(canvas: Canvas, identity: Identity) -> None:
    color = identity.hair * 0.8
    width = identity.head_width * 1.04 + identity.hair_volume
    if identity.hair_style is HairStyle.BUN:
        canvas.fill(ellipse(0.0, -1.1, 0.27, 0.75), color)
    elif identity.hair_style is HairStyle.CURLY:
        for angle in np.linspace(-1.1 * np.pi, 0.1 * np.pi, 17):
            curl = ellipse(width * np.cos(angle), (0.98 + identity.hair_volume) * np.sin(angle), 0.19)
            canvas.fill(curl, identity.hair * 0.92)
    elif identity.hair_style in _HAIR_ENDS:
        top = _skull(identity, identity.hair_volume, 1.0)[::-1]
        turn = np.linspace(0, np.pi, 25)
        ends = _superellipse(turn, 4) * (width, _HAIR_ENDS[identity.hair_style])
        canvas.fill(np.concatenate((top, ends)), color)


def _draw_front_hair(canvas: Canvas, identity: Identity) -> None:
    """Draw the hair between the top of the skull and the hairline."""
    style, width = identity.hair_style, identity.head_width
    if style is HairStyle.SHAVED:
        return
    arc = _skull(identity, identity.hair_volume, 0.25)
    canvas.fill(np.concatenate((arc, _hairline(identity))), identity.hair)
    if style is HairStyle.CURLY:
        for angle in np.linspace(1.13 * np.pi, 1.87 * np.pi, 10):
            canvas.fill(ellipse(width * 0.9 * np.cos(angle), 0.1 + 0.93 * np.sin(angle), 0.13), identity.hair)


def _hairline(identity: Identity) -> Points:
    """Compute the lower edge of the hair, from the viewer's left ear over the forehead to the right; shape (21, 2)."""
    sideways = np.abs(_ACROSS)
    if identity.hair_style in (HairStyle.PARTED, HairStyle.BOB, HairStyle.LONG):
        height, power = -0.12 + 0.42 * (np.abs(_ACROSS - 0.4) / 1.4) ** 1.5, 8
    else:
        height, power = 0.02 * np.cos(_ACROSS * 5), 5
    temple = sideways**power
    y = (identity.hairline_y + height) * (1 - temple)
    return pair(_ACROSS * identity.head_width * (0.9 + 0.1 * sideways), y)
