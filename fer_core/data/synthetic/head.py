"""The head that a face is drawn on: backdrop, neck, clothes, ears, skull and hair."""

from __future__ import annotations

import numpy as np

from fer_core.data.synthetic.action_units import Actions
from fer_core.data.synthetic.canvas import Canvas, Points, pair
from fer_core.data.synthetic.identities import Color, HairStyle, Identity, mix
from fer_core.faces import RgbImage

_ANGLES = np.linspace(0, 2 * np.pi, 73)[:-1]
_OVER = np.linspace(0, -np.pi, 33)
"""Angles over the skull, from the viewer's right to the left."""
_ACROSS = np.linspace(-1, 1, 21)
_SKULL_POWER = 2.25
_JAW_DROP = 0.11
"""How far a dropped jaw lengthens the face."""


def backdrop(rng: np.random.Generator) -> RgbImage:
    """A plain tone that varies softly; uint8, shape (3, 3, 3), RGB, to be stretched."""
    base = rng.uniform(70, 205) + rng.uniform(-13, 13, 3)
    return np.clip(base + rng.normal(0, 8, (3, 3, 1)), 0, 255).astype(np.uint8)


def draw_head(canvas: Canvas, who: Identity, actions: Actions) -> None:
    """Everything behind the features: hair at the back, neck, clothes, ears, the face itself and the hair on it."""
    outline = face_outline(who, actions.jaw_drop)
    _draw_back_hair(canvas, who)
    _draw_bust(canvas, who)
    _draw_ears(canvas, who)
    canvas.tint(outline * 1.01, -26)
    canvas.tint(outline * (0.86, 0.9), 0)
    canvas.tint_dot(0.0, -0.5, 0.3, 7, 0.6)
    canvas.fill(outline, who.skin)
    _draw_front_hair(canvas, who)


def face_outline(who: Identity, jaw_drop: float) -> Points:
    """The outline of the face, crown to chin and back; shape (72, 2)."""
    sin, cos = np.sin(_ANGLES), np.cos(_ANGLES)
    power = np.where(sin > 0, who.jaw_power, _SKULL_POWER)
    x = np.sign(cos) * np.abs(cos) ** (2 / power)
    y = np.sign(sin) * np.abs(sin) ** (2 / power)
    below = np.maximum(y, 0)
    return pair(x * who.head_width * (1 - who.jaw_taper * below**1.5), y + below**2 * _JAW_DROP * jaw_drop)


def _draw_bust(canvas: Canvas, who: Identity) -> None:
    """Neck and shoulders; they reach below the picture's edge."""
    neck = who.head_width * 0.58
    shoulders = np.array(((-1.9, 2.6), (-1.6, 1.5), (-neck, 1.16), (neck, 1.16), (1.6, 1.5), (1.9, 2.6)))
    canvas.fill(shoulders, who.clothes)
    throat = np.array(((-neck, 0.5), (neck, 0.5), (neck * 1.06, 1.18), (0.0, 1.34), (-neck * 1.06, 1.18)))
    canvas.fill(throat, who.skin * 0.86)
    canvas.tint_dot(0.0, 1.02, neck, -40, 0.35)


def _draw_ears(canvas: Canvas, who: Identity) -> None:
    for side in (-1, 1):
        canvas.dot(side * who.head_width * 0.99, who.eye_y + 0.14, who.ear_size * 0.6, who.skin * 0.9, 1.6)
        canvas.dot(side * who.head_width * 1.01, who.eye_y + 0.14, who.ear_size * 0.3, who.skin * 0.76, 1.7)


def _skull(who: Identity, volume: float, at_ears: float) -> Points:
    """The arc over the skull, `volume` outside of it, of which `at_ears` is left at its ends; shape (33, 2)."""
    sin, cos = np.sin(_OVER), np.cos(_OVER)
    grown = 1 + volume * np.minimum(1.0, at_ears + 1.4 * np.abs(sin))
    x = np.sign(cos) * np.abs(cos) ** (2 / _SKULL_POWER)
    y = np.sign(sin) * np.abs(sin) ** (2 / _SKULL_POWER)
    return pair(x * who.head_width * grown, y * grown)


def _draw_back_hair(canvas: Canvas, who: Identity) -> None:
    """Hair that lies behind the face and the ears."""
    color = who.hair * (0.92 if who.hair_style is HairStyle.CURLY else 0.8)
    wide = who.head_width * 1.04 + who.hair_volume
    if who.hair_style is HairStyle.BUN:
        canvas.dot(0.0, -1.1, 0.27, color, 0.75)
    elif who.hair_style in (HairStyle.BOB, HairStyle.LONG):
        low = 0.82 if who.hair_style is HairStyle.BOB else 1.6
        turn = np.linspace(0, np.pi, 25)
        ends = pair(wide * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.5, low * np.sin(turn) ** 0.35)
        over = _skull(who, who.hair_volume, 1.0)[::-1] * (wide / (who.head_width * (1 + who.hair_volume)), 1.0)
        canvas.fill(np.concatenate((over, ends)), color)
    elif who.hair_style is HairStyle.CURLY:
        for angle in np.linspace(-1.1 * np.pi, 0.1 * np.pi, 17):
            canvas.dot(wide * np.cos(angle), (0.98 + who.hair_volume) * np.sin(angle), 0.19, color)


def _draw_front_hair(canvas: Canvas, who: Identity) -> None:
    """Hair over the forehead: between an arc over the skull and the hairline."""
    style = who.hair_style
    if style is HairStyle.SHAVED:
        canvas.tint_dot(-0.12 * who.part_side, -0.74, 0.26, 12, 0.5)
        return
    close = style is HairStyle.CROPPED
    color = mix(who.hair, who.skin, 0.25) if close else who.hair
    hairline = _hairline(who)
    canvas.fill(np.concatenate((_skull(who, 0.03 if close else who.hair_volume, 0.25), hairline)), color)
    if style is HairStyle.CURLY:
        for angle in np.linspace(1.13 * np.pi, 1.87 * np.pi, 10):
            canvas.dot(who.head_width * 0.9 * np.cos(angle), 0.1 + 0.93 * np.sin(angle), 0.13, color)
    elif not close:
        _draw_strands(canvas, who, color, hairline)


def _hairline(who: Identity) -> Points:
    """The lower edge of the hair, from the viewer's left ear over the forehead to the right one; shape (21, 2)."""
    style, sideways = who.hair_style, np.abs(_ACROSS)
    temple = -0.08 if style in (HairStyle.BUN, HairStyle.FRINGE) else 0.0
    if style in (HairStyle.PARTED, HairStyle.BOB, HairStyle.LONG):
        across, power = -0.12 + 0.42 * (np.abs(_ACROSS - 0.4 * who.part_side) / 1.4) ** 1.5, 8
    elif style is HairStyle.FRINGE:
        across, power = 0.1 + 0.02 * np.cos(_ACROSS * 15), 9
    else:
        across, power = 0.02 * np.cos(_ACROSS * 5), 5
    to_temple = sideways**power
    y = (who.hairline_y + across) * (1 - to_temple) + temple * to_temple
    return pair(_ACROSS * who.head_width * (0.9 + 0.1 * sideways), y)


def _draw_strands(canvas: Canvas, who: Identity, color: Color, hairline: Points) -> None:
    """A few lighter and darker strands from the parting, so that the hair isn't one flat patch."""
    bow = np.linspace(0, 1, 7)
    start = 0.35 * who.part_side
    for place, shade in ((-0.75, 1.07), (-0.45, 0.88), (-0.1, 1.07), (0.2, 0.88), (0.5, 1.07), (0.8, 0.88)):
        x = (start + (place - start) * bow) * who.head_width
        top = -np.sqrt(1 - (x / who.head_width) ** 2) * (0.96 + 0.6 * who.hair_volume)
        lowest = np.interp(x, hairline[:, 0], hairline[:, 1]) - 0.03
        canvas.line(pair(x, np.minimum(top + (0.04 + 0.1 * abs(place)) * bow, lowest)), 0.02, color * shade)
