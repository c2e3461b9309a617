from __future__ import annotations

import cv2
import numpy as np
import pytest

from fer_core.faces import RgbImage
from fer_core.live.frame_number import BITS, read_frame_number


def add_strip(picture: RgbImage, number: int) -> RgbImage:
    """As the page draws it: 16 pixels below 480."""
    height, width = picture.shape[:2]
    strip = np.zeros((height // 30, width, 3), np.uint8)
    for bit in range(BITS):
        if number >> (BITS - 1 - bit) & 1:
            strip[:, bit * width // BITS : (bit + 1) * width // BITS] = 255
    return np.concatenate([picture, strip])


@pytest.mark.parametrize("number", [0, 1, 2**15, 0b1010101010101010, 2**16 - 1])
@pytest.mark.parametrize("scale", [1.0, 0.5, 0.25])
def test_the_number_survives_scaling_and_compression(number: int, scale: float) -> None:
    picture = np.random.default_rng(number).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    frame = cv2.resize(add_strip(picture, number), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    encoded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 20])[1]
    found, image = read_frame_number(np.asarray(cv2.imdecode(encoded, 1), np.uint8))
    assert found == number
    assert image.shape == (round(480 * scale), round(640 * scale), 3)
