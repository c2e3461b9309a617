"""Decoding of image files."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from fer_core.data.index.images import decode_face
from fer_core.errors import UnreadableImageError
from fer_core.images.decoder import BACKGROUND_GRAY, decode_image
from fer_core.images.formats import detect_format
from tests.support.image_files import FILES, LIMIT, ROTATED, deep, face, predicted_on, saved, wide_file


@pytest.mark.parametrize("name", FILES)
def test_datasets_and_predict_decode_the_same_pixels(name: str) -> None:
    decoded_face = decode_face(FILES[name])
    assert decoded_face is not None and decoded_face.std() > 20
    predicted_pixels = predicted_on(FILES[name])
    np.testing.assert_array_equal(
        decoded_face if decoded_face.ndim == 3 else np.repeat(decoded_face[..., None], 3, axis=2), predicted_pixels
    )


@pytest.mark.parametrize("name", ["la.png", "rgba.png", "rgba.tif", "rgba.webp"])
def test_transparent_pixels_are_blended_onto_gray(name: str) -> None:
    decoded = decode_image(FILES[name], LIMIT)
    assert (decoded.pixels[:, :40] == BACKGROUND_GRAY).all()
    assert decoded.pixels.ndim == (2 if name == "la.png" else 3)
    if name != "la.png":
        np.testing.assert_array_equal(decoded.pixels[:, 40:], face()[:, 40:])
    assert "transparent parts were blended onto gray" in decoded.notes


@pytest.mark.parametrize("name", ["rgba.avif", "rgba.heic"])
def test_lossy_formats_keep_their_transparency(name: str) -> None:
    pixels = decode_image(FILES[name], LIMIT).pixels
    assert np.abs(pixels[:, :38].astype(int) - BACKGROUND_GRAY).max() < 12


@pytest.mark.parametrize("name", ["gray12.png", "gray16.png", "gray12.tif", "float.tif"])
def test_deep_gray_is_scaled_by_its_range(name: str) -> None:
    np.testing.assert_allclose(decode_image(FILES[name], LIMIT).pixels, face()[..., 1], atol=1)


@pytest.mark.parametrize("name", ["rgb12.png", "rgba16.png", "rgb12.tiff"])
def test_deep_color_is_scaled_by_its_range(name: str) -> None:
    decoded = decode_image(FILES[name], LIMIT)
    np.testing.assert_allclose(decoded.pixels, face(), atol=1)
    assert "16-bit color, scaled to 8-bit" in decoded.notes


@pytest.mark.parametrize("name", ["turned.png", "turned.tif", "turned.jpg", "turned.avif"])
def test_an_exif_orientation_is_applied(name: str) -> None:
    decoded = decode_image(FILES[name], LIMIT)
    assert (decoded.width, decoded.height) == (64, 80)
    upright = np.rot90(face(), 3).astype(int)
    assert np.abs(decoded.pixels - upright).mean() < 6
    assert "rotated by its EXIF orientation" in decoded.notes


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_color_respects_the_exif_orientation(orientation: int) -> None:
    exif = Image.Exif()
    exif[ROTATED] = orientation
    rotated = decode_image(saved(Image.fromarray(face()), "PNG", exif=exif), LIMIT).pixels
    exif_png = saved(Image.fromarray(face()), "PNG", exif=exif)
    start = exif_png.index(b"eXIf") - 4
    length = int.from_bytes(exif_png[start : start + 4]) + 12
    reference = wide_file(".png", deep(3, 16))
    header_end = 8 + 25
    deep_png = reference[:header_end] + exif_png[start : start + length] + reference[header_end:]
    np.testing.assert_array_equal(decode_image(deep_png, LIMIT).pixels, rotated)


@pytest.mark.parametrize("after_data", [False, True])
def test_an_orientation_anywhere_in_a_png_is_applied(after_data: bool) -> None:
    exif = Image.Exif()
    exif[ROTATED] = 3
    content = saved(Image.fromarray(face()), "PNG", exif=exif)
    start = content.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(content[start : start + 4])
    exif_png, without_chunk = content[start:end], content[:start] + content[end:]
    position = without_chunk.index(b"IEND") - 4 if after_data else start
    moved_chunk = without_chunk[:position] + exif_png + without_chunk[position:]
    np.testing.assert_array_equal(decode_image(moved_chunk, LIMIT).pixels, np.rot90(face(), 2))


@pytest.mark.parametrize("name", ["animated.png", "animated.gif", "animated.webp"])
def test_the_first_frame_of_an_animation_is_used(name: str) -> None:
    assert np.abs(decode_image(FILES[name], LIMIT).pixels.astype(int) - face()).mean() < 6


def test_formats_are_detected_by_content() -> None:
    kinds = {name: detect_format(content) for name, content in FILES.items()}
    assert all(kinds.values())
    assert kinds["named.jfif"] == kinds["named.jpe"] == kinds["rgb.jpg"]
    assert [kinds[name].name for name in ("rgb.avif", "rgb.heic", "still.gif", "gray.pgm")] == [
        "AVIF",
        "HEIC",
        "GIF",
        "PPM",
    ]
    for content in (b"", b"Dear diary", b"PK\x03\x04" + bytes(60), b"\0\0\0\x18ftypisom" + bytes(40)):
        assert detect_format(content) is None


@pytest.mark.parametrize("name", FILES)
def test_a_file_over_the_limit_is_refused_before_it_is_decoded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("it was decoded"))
    with pytest.raises(UnreadableImageError, match="million pixels; the limit is"):
        decode_image(FILES[name], 64 * 80 - 1)


@pytest.mark.parametrize("name", ["rgb.png", "rgb.jpg", "rgb.avif", "rgb.heic", "lossy.webp", "still.gif"])
def test_a_truncated_file_is_refused(name: str) -> None:
    content = FILES[name]
    with pytest.raises(UnreadableImageError, match=r"^photo .*(damaged|cut short).*Use a complete copy of it\."):
        decode_image(content[: len(content) // 2], LIMIT, name="photo")


@pytest.mark.parametrize("name", ["rgb.jpg", "gray.jpg", "rgb.png", "gray.png", "palette.png", "bits1.png"])
def test_opencv_and_pillow_decode_the_same(name: str) -> None:
    """Plain files are decoded by OpenCV."""
    with Image.open(io.BytesIO(FILES[name])) as image:
        reference = np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))
    np.testing.assert_allclose(decode_image(FILES[name], LIMIT).pixels, reference, atol=2)
