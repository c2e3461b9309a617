"""The number of a frame as a strip of black and white squares below the picture, which survives video compression.

WebRTC keeps no name of a frame on its way. The page draws the strip (`stage/webrtc_video.js`), and takes the result
for the frame of that number.
"""

from __future__ import annotations

from fer_core.faces import RgbImage

BITS = 16
STRIP_01 = 1 / 31
"""Height of the strip as a share of the whole frame: 16 of 496 pixels."""

_WHITE_MIN = 128


def read_frame_number(frame: RgbImage) -> tuple[int, RgbImage]:
    """Read the number and cut off the strip.

    Args:
        frame: uint8, shape (H, W, 3), RGB, in any size, as a connection may scale it.
    """
    height, width = frame.shape[:2]
    strip_px = max(1, round(height * STRIP_01))
    y = height - strip_px + strip_px // 2
    number = 0
    for bit in range(BITS):
        x = int((bit + 0.5) * width / BITS)
        around = frame[max(0, y - 1) : y + 2, max(0, x - 2) : x + 3]
        number = 2 * number + int(around.mean() >= _WHITE_MIN)
    return number, frame[: height - strip_px]
