"""One file gives the same pixels everywhere: in an index, in a pack, streamed, and in Predict."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image

from fer_core.contract import Contract
from fer_core.data.catalog import import_dataset
from fer_core.data.index.image_stats import MODE
from fer_core.data.index.images import decode_face
from fer_core.data.ingest.reindex import reindex
from fer_core.data.packing.pack import pack_images
from fer_core.data.quality.report import quality_report
from fer_core.data.readers.file_names import image_names
from fer_core.data.sources.source import open_source
from fer_core.data.synthetic.face import draw_face
from fer_core.data.synthetic.identities import Identity
from fer_core.errors import UnreadableImageError
from fer_core.images.decoder import BACKGROUND_GRAY, decode_image
from fer_core.images.formats import detect_format
from fer_core.images.photo import read_image
from fer_core.labels import Expression
from fer_core.settings import Settings
from tests.support.sources import write_folder, write_tar, write_zip

LIMIT = 10**8
ROTATED = 0x0112


def face(seed: int = 0) -> NDArray[np.uint8]:
    """A drawn face, not as high as wide; uint8, shape (64, 80, 3)."""
    rng = np.random.default_rng(seed)
    drawn = draw_face(Expression.HAPPINESS, Identity.sample(rng), rng, 80)
    return np.ascontiguousarray(drawn[:64])


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def cut_out(mode: str = "RGBA") -> Image.Image:
    """A face whose left half is transparent, with white behind, as tools that cut out leave it."""
    image = Image.fromarray(face()).convert("RGB")
    image.paste((255, 255, 255), (0, 0, 40, 64))
    alpha = np.full((64, 80), 255, np.uint8)
    alpha[:, :40] = 0
    if mode == "LA":
        image = image.convert("L")
    image.putalpha(Image.fromarray(alpha))
    return image


def deep(channels: int, bits: int) -> NDArray[np.uint16]:
    """The face in so many bits of 16; shape (64, 80) or (64, 80, channels)."""
    wide = (face().astype(np.float64) * ((2**bits - 1) / 255)).round().astype(np.uint16)
    if channels == 1:
        return wide[..., 1]
    return wide if channels == 3 else np.dstack([wide, np.full((64, 80), 65535, np.uint16)])


def wide_file(ending: str, pixels: NDArray[np.uint16]) -> bytes:
    stored = pixels if pixels.ndim == 2 else pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    return cv2.imencode(ending, stored)[1].tobytes()


def heic(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer, **options)
    return buffer.getvalue()


def files() -> dict[str, bytes]:
    """A file of every format and mode by name."""
    color = Image.fromarray(face())
    turned = Image.Exif()
    turned[ROTATED] = 6
    frames = [Image.fromarray(face(seed)) for seed in range(3)]
    palette = color.quantize(16)
    return {
        "gray.png": saved(color.convert("L"), "PNG"),
        "rgb.png": saved(color, "PNG"),
        "palette.png": saved(palette, "PNG"),
        "bits1.png": saved(color.convert("1"), "PNG"),
        "la.png": saved(cut_out("LA"), "PNG"),
        "rgba.png": saved(cut_out(), "PNG"),
        "clear-palette.png": saved(palette, "PNG", transparency=3),
        "clear-rgb.png": saved(color, "PNG", transparency=tuple(int(v) for v in face()[0, 0])),
        "clear-gray.png": saved(color.convert("L"), "PNG", transparency=int(face()[0, 0, 1])),
        "turned.png": saved(color, "PNG", exif=turned),
        "animated.png": saved(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        "gray16.png": wide_file(".png", deep(1, 16)),
        "gray12.png": wide_file(".png", deep(1, 12)),
        "rgb12.png": wide_file(".png", deep(3, 12)),
        "rgba16.png": wide_file(".png", deep(4, 16)),
        "rgb12.tiff": wide_file(".tiff", deep(3, 12)),
        "gray12.tif": saved(Image.fromarray(deep(1, 12)), "TIFF"),
        "float.tif": saved(Image.fromarray(face()[..., 1].astype(np.float32) / 255), "TIFF"),
        "rgba.tif": saved(cut_out(), "TIFF"),
        "turned.tif": saved(color, "TIFF", exif=turned),
        "gray.jpg": saved(color.convert("L"), "JPEG"),
        "rgb.jpg": saved(color, "JPEG"),
        "progressive.jpeg": saved(color, "JPEG", progressive=True, optimize=True),
        "named.jfif": saved(color, "JPEG"),
        "named.jpe": saved(color, "JPEG"),
        "cmyk.jpg": saved(color.convert("CMYK"), "JPEG"),
        "turned.jpg": saved(color, "JPEG", exif=turned),
        "two-pictures.jpg": saved(color, "MPO", save_all=True, append_images=[frames[1]]),
        "still.gif": saved(palette, "GIF"),
        "clear.gif": saved(palette, "GIF", transparency=3),
        "animated.gif": saved(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "lossy.webp": saved(color, "WEBP"),
        "rgba.webp": saved(cut_out(), "WEBP", lossless=True),
        "animated.webp": saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True),
        "rgb.avif": saved(color, "AVIF"),
        "rgba.avif": saved(cut_out(), "AVIF"),
        "turned.avif": saved(color, "AVIF", exif=turned),
        "rgb.heic": heic(color),
        "rgba.heic": heic(cut_out()),
        "rgb.bmp": saved(color, "BMP"),
        "gray.pgm": saved(color.convert("L"), "PPM"),
        "rgb.ppm": saved(color, "PPM"),
        "bits1.pbm": saved(color.convert("1"), "PPM"),
    }


FILES = files()


def predicted_on(content: bytes) -> NDArray[np.uint8]:
    """The pixels that Predict sees; uint8, shape (H, W, 3)."""
    return read_image(content, Settings()).pixels


@pytest.mark.parametrize("name", FILES)
def test_a_dataset_and_predict_see_the_same_pixels(name: str) -> None:
    found = decode_face(FILES[name])
    assert found is not None and found.std() > 20
    seen = predicted_on(FILES[name])
    np.testing.assert_array_equal(found if found.ndim == 3 else np.repeat(found[..., None], 3, axis=2), seen)


@pytest.mark.parametrize("color", ["gray", "rgb"])
def test_an_index_and_a_pack_hold_what_predict_sees(color: str, tmp_path: Path, store: Settings) -> None:
    folder = write_folder(tmp_path / "all", {f"happiness/{name}": content for name, content in FILES.items()})
    dataset = import_dataset(folder, store, dataset_id="all")
    index = dataset.index()
    assert dataset.n == len(FILES)
    assert index["problem"].eq("").all()
    contract = Contract(color=color, size_px=48, normalization="unit", labels=(Expression.HAPPINESS, Expression.ANGER))
    packed = pack_images(dataset, contract, store).images
    for row, path in enumerate(index["path"]):
        seen = predicted_on((folder / path).read_bytes())
        np.testing.assert_array_equal(packed[row], contract.resize(seen), path)
        stored = seen if index["channels"][row] == 3 else np.ascontiguousarray(seen[..., 0])
        expected = hashlib.sha256(f"{stored.shape}".encode())
        expected.update(stored.data)
        assert index["sha256"][row] == expected.hexdigest(), path


@pytest.mark.parametrize("name", ["la.png", "rgba.png", "rgba.tif", "rgba.webp"])
def test_what_is_transparent_is_mid_gray_whatever_lies_behind(name: str) -> None:
    decoded = decode_image(FILES[name], LIMIT)
    assert (decoded.pixels[:, :40] == BACKGROUND_GRAY).all()
    assert decoded.pixels.ndim == (2 if name == "la.png" else 3)
    if name != "la.png":
        np.testing.assert_array_equal(decoded.pixels[:, 40:], face()[:, 40:])
    assert "transparent parts were laid on gray" in decoded.notes


@pytest.mark.parametrize("name", ["rgba.avif", "rgba.heic"])
def test_lossy_formats_keep_their_transparency(name: str) -> None:
    pixels = decode_image(FILES[name], LIMIT).pixels
    assert np.abs(pixels[:, :38].astype(int) - BACKGROUND_GRAY).max() < 12


@pytest.mark.parametrize("name", ["gray12.png", "gray16.png", "gray12.tif", "float.tif"])
def test_deep_gray_uses_the_range_it_was_meant_for(name: str) -> None:
    np.testing.assert_allclose(decode_image(FILES[name], LIMIT).pixels, face()[..., 1], atol=1)


@pytest.mark.parametrize("name", ["rgb12.png", "rgba16.png", "rgb12.tiff"])
def test_deep_color_uses_the_range_it_was_meant_for(name: str) -> None:
    decoded = decode_image(FILES[name], LIMIT)
    np.testing.assert_allclose(decoded.pixels, face(), atol=1)
    assert "16-bit color, scaled to 8-bit" in decoded.notes


@pytest.mark.parametrize("name", ["turned.png", "turned.tif", "turned.jpg", "turned.avif"])
def test_an_exif_orientation_is_applied(name: str) -> None:
    decoded = decode_image(FILES[name], LIMIT)
    assert (decoded.width, decoded.height) == (64, 80)
    upright = np.rot90(face(), 3).astype(int)
    assert np.abs(decoded.pixels - upright).mean() < 6
    assert "turned upright by its EXIF orientation" in decoded.notes


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_color_is_turned_as_8_bits_are(orientation: int) -> None:
    exif = Image.Exif()
    exif[ROTATED] = orientation
    turned = decode_image(saved(Image.fromarray(face()), "PNG", exif=exif), LIMIT).pixels
    chunk = saved(Image.fromarray(face()), "PNG", exif=exif)
    start = chunk.index(b"eXIf") - 4
    length = int.from_bytes(chunk[start : start + 4]) + 12
    plain = wide_file(".png", deep(3, 16))
    header_end = 8 + 25
    wide = plain[:header_end] + chunk[start : start + length] + plain[header_end:]
    np.testing.assert_array_equal(decode_image(wide, LIMIT).pixels, turned)


@pytest.mark.parametrize("behind", [False, True])
def test_an_orientation_counts_wherever_it_lies_in_a_png(behind: bool) -> None:
    exif = Image.Exif()
    exif[ROTATED] = 3
    content = saved(Image.fromarray(face()), "PNG", exif=exif)
    start = content.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(content[start : start + 4])
    chunk, rest = content[start:end], content[:start] + content[end:]
    place = rest.index(b"IEND") - 4 if behind else start
    moved = rest[:place] + chunk + rest[place:]
    np.testing.assert_array_equal(decode_image(moved, LIMIT).pixels, np.rot90(face(), 2))


@pytest.mark.parametrize("name", ["animated.png", "animated.gif", "animated.webp"])
def test_of_an_animation_the_first_frame_is_taken(name: str) -> None:
    assert np.abs(decode_image(FILES[name], LIMIT).pixels.astype(int) - face()).mean() < 6


def test_what_a_file_is_goes_by_its_content() -> None:
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
def test_a_file_cut_short_is_refused_in_words(name: str) -> None:
    content = FILES[name]
    with pytest.raises(UnreadableImageError, match=r"^photo .*(damaged|cut short).*Give a whole copy of it\."):
        decode_image(content[: len(content) // 2], LIMIT, name="photo")


@pytest.mark.parametrize("name", ["rgb.jpg", "gray.jpg", "rgb.png", "gray.png", "palette.png", "bits1.png"])
def test_the_quick_way_and_pillow_agree(name: str) -> None:
    """Plain files are decoded by OpenCV; a note or a scale must not make them other pictures."""
    with Image.open(io.BytesIO(FILES[name])) as image:
        plain = np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))
    np.testing.assert_allclose(decode_image(FILES[name], LIMIT).pixels, plain, atol=2)


@pytest.mark.parametrize("kind", ["folder", "zip", "deflated", "tar"])
def test_images_are_told_by_their_content_where_their_names_do_not(kind: str, tmp_path: Path, store: Settings) -> None:
    stored = {
        "anger/photo": FILES["rgb.jpg"],
        "anger/photo.jpg_large": FILES["rgb.png"],
        "happiness/1.image": FILES["rgb.heic"],
        "happiness/notes": b"Dear diary",
        "happiness/LICENSE.txt": b"GIF89a is no picture here",
    }
    if kind == "folder":
        path = write_folder(tmp_path / "odd", stored)
    elif kind == "tar":
        path = write_tar(tmp_path / "odd.tar", stored)
    else:
        path = write_zip(tmp_path / "odd.zip", stored, 8 if kind == "deflated" else 0)
    expected = ["anger/photo", "anger/photo.jpg_large", "happiness/1.image"]
    with open_source(path, store) as source:
        assert image_names(source) == expected
    dataset = import_dataset(path, store, dataset_id="odd")
    index = dataset.index()
    assert index["path"].tolist() == expected
    assert index["problem"].eq("").all()
    assert index["label"].tolist() == ["anger", "anger", "happiness"]


def test_an_index_of_an_older_decoder_is_told_and_made_again(tmp_path: Path, store: Settings) -> None:
    folder = write_folder(tmp_path / "old", {"fear/a.png": FILES["rgba.png"], "anger/b.jpg": FILES["rgb.jpg"]})
    dataset = import_dataset(folder, store, dataset_id="old")
    path = dataset.folder / "index.parquet"
    made = pd.read_parquet(path)
    assert dict(zip(made["path"], made[MODE], strict=True)) == {"fear/a.png": "RGBA", "anger/b.jpg": "RGB"}
    assert quality_report(dataset).missing_columns == ()
    older = made.drop(columns=[MODE])
    older.loc[older["path"] == "fear/a.png", "sha256"] = "of the pixels without their alpha"
    older.to_parquet(path, index=False)
    assert MODE in quality_report(dataset).missing_columns
    found = reindex(dataset, store)
    assert (found.pixels_changed, found.added) == (1, (MODE,))
    assert found.fingerprint == dataset.fingerprint
    assert quality_report(dataset).missing_columns == ()


@pytest.fixture
def cases(test_data: Path) -> Path:
    folder = test_data.parent / "cases"
    if not folder.is_dir():
        pytest.skip(f"No cases at {folder}.")
    return folder


def test_files_named_jfif_jpe_and_gif_are_imported(cases: Path, store: Settings) -> None:
    index = import_dataset(cases / "jfif_gif_avif", store, dataset_id="named").index()
    assert len(index) == 48
    assert index["problem"].eq("").all()


@pytest.mark.parametrize("name", ["gray16_dataset", "alpha_dataset"])
def test_photographs_are_read_alike_by_datasets_and_predict(name: str, cases: Path, store: Settings) -> None:
    dataset = import_dataset(cases / name, store, dataset_id="photographs")
    index = dataset.index()
    assert len(index) == 24
    assert index["problem"].eq("").all()
    assert index["brightness"].between(40, 220).all()
    for path in index["path"]:
        content = (cases / name / path).read_bytes()
        found = decode_face(content)
        assert found is not None
        seen = predicted_on(content)
        np.testing.assert_array_equal(found if found.ndim == 3 else np.repeat(found[..., None], 3, axis=2), seen)
