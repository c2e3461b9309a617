from __future__ import annotations

import io
import random
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fer_core.errors import UnreadableImageError
from fer_core.faces import FaceBox
from fer_core.images.photo import ANALYSIS_SIDE_PX, Photo, read_image
from fer_core.settings import Settings

LIMITS = Settings()

# Transforms from the upright to the stored image: the inverse of each EXIF orientation.
STORED_AS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def make_image(width: int = 60, height: int = 40) -> NDArray[np.uint8]:
    """An image without symmetry: red grows to the right, green downwards, blue in one corner."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.linspace(0, 250, width)[None, :]
    image[..., 1] = np.linspace(0, 250, height)[:, None]
    image[: height // 3, : width // 3, 2] = 200
    return image


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decode(content: bytes) -> Photo:
    return read_image(content, LIMITS)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_a_lossless_file_keeps_its_pixels(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    decoded = decode(encode(Image.fromarray(make_image()), kind, **options))
    np.testing.assert_array_equal(decoded.pixels, make_image())
    assert (decoded.width, decoded.height, decoded.notes) == (60, 40, ())


def test_a_jpeg_nearly_keeps_its_pixels() -> None:
    decoded = decode(encode(Image.fromarray(make_image()), "JPEG", quality=95, subsampling=0))
    assert np.abs(decoded.pixels.astype(int) - make_image()).mean() < 3


def test_a_path_decodes_like_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(encode(Image.fromarray(make_image()), "PNG"))
    np.testing.assert_array_equal(read_image(path, LIMITS).pixels, make_image())


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", STORED_AS)
def test_every_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(make_image()).transpose(STORED_AS[orientation])
    options = {"lossless": True} if kind == "WEBP" else {}
    decoded = decode(encode(stored, kind, exif=exif, **options))
    np.testing.assert_array_equal(decoded.pixels, make_image())
    assert (decoded.width, decoded.height) == (60, 40)
    assert decoded.notes == ("rotated by its EXIF orientation",)


def test_an_invalid_orientation_is_ignored() -> None:
    exif = Image.Exif()
    exif[0x0112] = 77
    assert decode(encode(Image.fromarray(make_image()), "PNG", exif=exif)).notes == ()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_gray_is_scaled_not_clipped(kind: str) -> None:
    gray = make_image()[..., 0]
    decoded = decode(encode(Image.fromarray(gray.astype(np.uint16) * 257), kind))
    np.testing.assert_array_equal(decoded.pixels[..., 0], gray)
    assert decoded.notes == ("16-bit gray, scaled to 8-bit",)


def test_12_bit_gray_is_scaled() -> None:
    gray = (make_image()[..., 0].astype(np.float64) * 4095 / 255).round().astype(np.uint16)
    decoded = decode(encode(Image.fromarray(gray), "PNG"))
    np.testing.assert_allclose(decoded.pixels[..., 0], make_image()[..., 0], atol=1)


def test_32_bit_and_float_gray_are_scaled_by_their_range() -> None:
    gray = make_image()[..., 0]
    unit = decode(encode(Image.fromarray(gray.astype(np.float32) / 255), "TIFF"))
    np.testing.assert_array_equal(unit.pixels[..., 1], gray)
    wide = decode(encode(Image.fromarray(gray.astype(np.int32) * 1000 - 5000), "TIFF"))
    np.testing.assert_allclose(wide.pixels[..., 2], gray * (255 / 250), atol=1)
    assert wide.notes == ("32-bit gray, scaled to 8-bit",)


def test_a_float_image_with_nan_is_decoded() -> None:
    values = np.full((20, 20), np.nan, np.float32)
    values[5:] = 0.5
    assert set(np.unique(decode(encode(Image.fromarray(values), "TIFF")).pixels)) == {0, 128}


@pytest.mark.parametrize("mode", ["1", "L"])
def test_gray_images_have_three_equal_channels_and_a_note(mode: str) -> None:
    decoded = decode(encode(Image.fromarray(make_image()).convert(mode), "PNG"))
    assert decoded.notes == ("gray",)
    assert decoded.pixels.shape == (40, 60, 3)
    assert (decoded.pixels == decoded.pixels[..., :1]).all()


def test_cmyk_is_converted() -> None:
    decoded = decode(encode(Image.fromarray(make_image()).convert("CMYK"), "JPEG", quality=95, subsampling=0))
    assert decoded.notes == ("CMYK converted to RGB",)
    assert np.abs(decoded.pixels.astype(int) - make_image()).mean() < 4


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_parts_are_blended_onto_gray(mode: str) -> None:
    image = Image.fromarray(make_image()).convert(mode)
    alpha = np.full((40, 60), 255, np.uint8)
    alpha[:, :10] = 0
    image.putalpha(Image.fromarray(alpha))
    decoded = decode(encode(image, "PNG"))
    assert (decoded.pixels[:, :10] == 128).all()
    np.testing.assert_array_equal(decoded.pixels[:, 10:], np.array(image.convert("RGB"))[:, 10:])
    assert "transparent parts were blended onto gray" in decoded.notes


def test_an_opaque_alpha_channel_needs_no_note() -> None:
    decoded = decode(encode(Image.fromarray(make_image()).convert("RGBA"), "PNG"))
    np.testing.assert_array_equal(decoded.pixels, make_image())
    assert decoded.notes == ()


@pytest.mark.parametrize("transparency", [0, bytes([0, 255, 255])])
def test_a_palette_with_transparency_is_blended_onto_gray(transparency: int | bytes) -> None:
    indices = np.repeat(np.array([0, 1, 2], np.uint8), 10)[None].repeat(30, 0)
    image = Image.fromarray(indices)
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    decoded = decode(encode(image, "PNG", transparency=transparency))
    assert decoded.pixels[0, [0, 10, 20]].tolist() == [[128, 128, 128], [0, 255, 0], [0, 0, 255]]
    assert decoded.notes == ("transparent parts were blended onto gray",)


@pytest.mark.parametrize(("kind", "word"), [("GIF", "frame"), ("WEBP", "frame"), ("PNG", "frame"), ("TIFF", "page")])
def test_the_first_of_many_frames_is_used(kind: str, word: str) -> None:
    gray_levels = (10, 90, 170, 250)
    frames = [Image.fromarray(np.full((20, 30, 3), shade, np.uint8)) for shade in gray_levels]
    options = {"lossless": True} if kind == "WEBP" else {}
    decoded = decode(encode(frames[0], kind, save_all=True, append_images=frames[1:], **options))
    assert abs(int(decoded.pixels[0, 0, 0]) - 10) <= 1
    assert f"first {word} of 4 used" in decoded.notes


def test_a_very_large_image_is_scaled_and_boxes_are_scaled_back() -> None:
    decoded = decode(encode(Image.fromarray(make_image()).resize((9000, 3000)), "JPEG"))
    assert max(decoded.pixels.shape[:2]) == ANALYSIS_SIDE_PX
    assert (decoded.width, decoded.height) == (9000, 3000)
    assert decoded.notes == (f"scaled from 9000x3000 to {ANALYSIS_SIDE_PX}x1365 for analysis",)
    height, width = decoded.pixels.shape[:2]
    assert decoded.to_file_box(FaceBox(0, 0, width, height)) == FaceBox(0, 0, 9000, 3000)


def test_a_large_rotated_image_has_its_upright_size() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    decoded = decode(encode(Image.new("L", (6000, 3000), 90), "JPEG", exif=exif))
    assert (decoded.width, decoded.height) == (3000, 6000)
    assert decoded.pixels.shape == (ANALYSIS_SIDE_PX, ANALYSIS_SIDE_PX // 2, 3)


def test_images_between_pillows_limit_and_ours_give_no_warning() -> None:
    content = encode(Image.new("1", (10_000, 9_500)), "PNG")
    assert decode(content).width == 10_000


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (5000, 1)])
def test_thin_images_are_decoded(size: tuple[int, int]) -> None:
    decoded = decode(encode(Image.new("RGB", size), "PNG"))
    assert (decoded.width, decoded.height) == size
    assert min(decoded.pixels.shape[:2]) >= 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_a_truncated_file_is_refused(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (80, 80, 3)).astype(np.uint8)
    content = encode(Image.fromarray(noise), kind)
    with pytest.raises(UnreadableImageError, match=r"photo\.x .*(damaged|cut short)"):
        read_image(content[: len(content) // 2], LIMITS, name="photo.x")


def test_an_empty_file_is_reported_as_empty(tmp_path: Path) -> None:
    path = tmp_path / "nothing.jpg"
    path.touch()
    with pytest.raises(UnreadableImageError, match=r"nothing\.jpg is empty"):
        read_image(path, LIMITS)


def test_a_text_file_is_no_image(tmp_path: Path) -> None:
    path = tmp_path / "notes.jpg"
    path.write_text("Dear diary")
    with pytest.raises(UnreadableImageError, match=r"notes\.jpg is not an image\. Use a JPEG, PNG"):
        read_image(path, LIMITS)


def test_a_damaged_heic_is_named() -> None:
    with pytest.raises(UnreadableImageError, match="begins like a HEIC image, but its header is damaged"):
        decode(b"\0\0\0\x18ftypheic" + bytes(40))


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_a_path_without_a_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path if kind == "folder" else tmp_path / "missing.jpg"
    with pytest.raises(UnreadableImageError, match="can't be opened"):
        read_image(path, LIMITS)


def test_a_file_over_the_byte_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.truncate(3 * 2**20)
    with pytest.raises(UnreadableImageError, match=r"3\.0 MiB; the limit is 1\.0 MiB.*FERSCOPE_IMAGE_BYTES_MAX"):
        read_image(path, Settings(image_bytes_max=2**20))


def make_bomb(kind: str) -> bytes:
    """A small file whose header claims 50000 x 50000 pixels."""
    content = bytearray(encode(Image.fromarray(make_image()), kind))
    if kind == "PNG":
        header = b"IHDR" + struct.pack(">II", 50_000, 50_000) + bytes(content[24:29])
        content[12:33] = header + struct.pack(">I", zlib.crc32(header))
    elif kind == "BMP":
        content[18:26] = struct.pack("<ii", 50_000, 50_000)
    elif kind == "GIF":
        content[6:10] = struct.pack("<HH", 50_000, 50_000)
    else:
        start_of_frame = content.index(b"\xff\xc0")
        content[start_of_frame + 5 : start_of_frame + 9] = struct.pack(">HH", 50_000, 50_000)
    return bytes(content)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "JPEG"])
def test_a_bomb_is_refused_by_its_header(kind: str) -> None:
    with pytest.raises(UnreadableImageError, match=r"50000x50000, 2,500\.0 million .*100\.0 million.*PIXELS_MAX"):
        decode(make_bomb(kind))


def test_damaged_files_are_decoded_or_refused() -> None:
    rng = random.Random(7)
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.fromarray(make_image())
    files = [encode(image, kind, exif=exif) for kind in ("JPEG", "PNG", "WEBP", "TIFF")]
    files += [encode(image, "BMP"), encode(image.quantize(16), "GIF"), encode(image.convert("LA"), "PNG")]
    refused_count = 0
    # Pillow warns of invalid metadata.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(1500):
            content = bytearray(rng.choice(files))
            offset_max = rng.choice((150, len(content)))
            for _ in range(rng.randint(1, 8)):
                content[rng.randrange(min(offset_max, len(content)))] = rng.randrange(256)
            length = rng.choice((len(content), rng.randrange(len(content))))
            try:
                decoded = decode(bytes(content[:length]))
            except UnreadableImageError:
                refused_count += 1
            else:
                assert decoded.pixels.dtype == np.uint8
                assert decoded.pixels.ndim == 3
    assert 300 < refused_count < 1500
