from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from fer_core.data.index.images import BOX_COLUMNS, FaceRef, crop_box, decode_face, get_face_refs, iter_images
from fer_core.data.sources.source import FolderSource
from fer_core.errors import UnreadableImageError
from fer_core.images.decoder import decode_image
from tests.support.sources import gray, png, write_folder

COLOR = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)


def _encode(ending: str, pixels: np.ndarray = COLOR[:, :, ::-1], *options: int) -> bytes:
    return cv2.imencode(ending, pixels, list(options))[1].tobytes()


def _png_with_size(width: int, height: int) -> bytes:
    """A small PNG file whose header claims a size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    chunks = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _jpeg_with_size(width: int, height: int) -> bytes:
    content = bytearray(_encode(".jpg"))
    offset = next(at for marker in (b"\xff\xc0", b"\xff\xc2") if (at := content.find(marker)) > 0)
    content[offset + 5 : offset + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def test_decoding_gives_rgb_and_keeps_gray() -> None:
    np.testing.assert_array_equal(decode_face(_encode(".png")), COLOR)
    np.testing.assert_array_equal(decode_face(png(3)), gray(3))


@pytest.mark.parametrize("ending", [".png", ".bmp", ".tiff", ".ppm", ".webp", ".jpg"])
def test_any_format_is_decoded(ending: str) -> None:
    options = (cv2.IMWRITE_WEBP_QUALITY, 101) if ending == ".webp" else ()
    content = _encode(ending, COLOR[:, :, ::-1], *options)
    decoded = decode_face(content)
    assert decoded is not None and decoded.shape == COLOR.shape
    if ending != ".jpg":
        np.testing.assert_array_equal(decoded, COLOR)


@pytest.mark.parametrize("options", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 1)])
def test_a_jpeg_with_segments_before_the_frame_is_decoded(options: tuple[int, ...]) -> None:
    plain = _encode(".jpg", COLOR, *options)
    comment = b"\xff\xfe" + struct.pack(">H", 60_000) + bytes(59_998)
    for content in (plain, plain[:2] + comment * 3 + plain[2:], plain[:2] + b"\xff\xff" + plain[2:]):
        assert decode_face(content) is not None


@pytest.mark.parametrize("marker", [b"\xff\x01", b"\xff\xd0", b"\xff\xd8", b"\xff\xfe\x00\x00", b"junk"])
def test_a_jpeg_with_a_hidden_size_is_not_decoded(marker: bytes) -> None:
    """A marker without a length hides the real frame header from a parser that skips by lengths."""
    huge, small = _jpeg_with_size(20_000, 20_000), _encode(".jpg")
    content = huge[:2] + marker + huge[2:]
    hidden = content + bytes(0xFFC0 - len(content) + 6) + small[2:]
    for data in (content, hidden):
        assert decode_face(data) is None


@pytest.mark.parametrize("side", [10_001, 30_000, 65_535])
def test_an_image_with_a_huge_size_in_its_header_is_not_decoded(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        pytest.fail("the decoder was called")

    monkeypatch.setattr(cv2, "imdecode", fail)
    bmp = bytearray(_encode(".bmp"))
    bmp[18:26] = struct.pack("<ii", side, side)
    ppm = f"P6 {side} {side} 255 ".encode() + bytes(100)
    for content in (_png_with_size(side, side), _jpeg_with_size(side, side), bytes(bmp), ppm):
        assert len(content) < 10_000
        assert decode_face(content) is None


def test_the_limit_is_counted_in_pixels() -> None:
    content = _encode(".png")
    assert decode_image(content, 30 * 40).pixels.shape == (30, 40, 3)
    with pytest.raises(UnreadableImageError):
        decode_image(content, 30 * 40 - 1)


@pytest.mark.parametrize(
    "content", [b"", b"no image", b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"\xff\xd8\xff", b"BM", _encode(".png")[:60]]
)
def test_files_that_are_no_images_decode_to_none(content: bytes) -> None:
    assert decode_face(content) is None


@pytest.mark.parametrize("ending", [".hdr", ".pfm"])
def test_a_format_without_a_size_in_its_header_is_not_decoded(ending: str) -> None:
    """It could unpack to any size."""
    assert decode_face(_encode(ending, COLOR.astype(np.float32))) is None


def test_a_box_is_cropped_to_the_image() -> None:
    pixels = gray(0, 20, 10)
    assert crop_box(pixels, None) is pixels
    np.testing.assert_array_equal(crop_box(pixels, (3, 2, 8, 6)), pixels[2:6, 3:8])
    np.testing.assert_array_equal(crop_box(pixels, (-5, -5, 4, 4)), pixels[:4, :4])
    np.testing.assert_array_equal(crop_box(pixels, (15, 5, 99, 99)), pixels[5:, 15:])
    for outside in ((20, 0, 30, 5), (0, 10, 5, 20), (5, 5, 5, 9), (8, 2, 3, 6), (-9, -9, -1, -1)):
        assert crop_box(pixels, outside) is None


def test_images_are_in_the_requested_order(tmp_path: Path) -> None:
    files = {"a.png": png(0), "b.png": png(1, 20, 10), "text.png": b"no image"}
    source = FolderSource(write_folder(tmp_path / "f", files))
    faces = [
        FaceRef("b.png"),
        FaceRef("text.png"),
        FaceRef("a.png"),
        FaceRef("none.png"),
        FaceRef("b.png", (1, 2, 4, 7)),
        FaceRef("b.png", (50, 50, 60, 60)),
    ]
    images = list(iter_images(source, faces * 300))
    shapes = [None if image is None else image.shape for image in images]
    assert shapes == [(10, 20), None, (12, 12), None, (5, 3), None] * 300
    np.testing.assert_array_equal(images[4], gray(1, 20, 10)[2:7, 1:4])


def test_face_refs_have_the_boxes_of_the_rows() -> None:
    rows = pd.DataFrame({"path": ["a.png", "b.png"]})
    assert get_face_refs(rows) == [FaceRef("a.png"), FaceRef("b.png")]
    boxed = rows.assign(**dict(zip(BOX_COLUMNS, ([1, 2], [3, 4], [5, 6], [7, 8]), strict=True)))
    assert get_face_refs(boxed) == [FaceRef("a.png", (1, 3, 5, 7)), FaceRef("b.png", (2, 4, 6, 8))]
