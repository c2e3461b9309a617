"""Packing and unpacking of bundles."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_core.bundles import archive as bundle_file
from fer_core.bundles.archive import unpack_bundle, unpacked_bundle, write_bundle_file
from fer_core.bundles.bundle import Bundle
from fer_core.errors import BundleError, InputError
from fer_core.settings import Settings

MakeBundle = Callable[..., Path]


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def bundle(make_bundle: MakeBundle) -> Path:
    folder = make_bundle()
    (folder / "golden").mkdir()
    (folder / "golden" / "golden.json").write_text("{}")
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "unpacked"
    folder.mkdir()
    return folder


def test_packing_round_trips(bundle: Path, target: Path, store: Settings) -> None:
    write_bundle_file(bundle, bundle.with_suffix(".zip"))
    unpack_bundle(bundle.with_suffix(".zip"), target, store)
    assert contents(target) == contents(bundle)
    assert "golden/golden.json" in contents(target)


def test_packing_is_deterministic(bundle: Path, tmp_path: Path) -> None:
    write_bundle_file(bundle, tmp_path / "one.zip")
    os.utime(bundle / "contract.json", (1e9, 1e9))
    (bundle / "model.onnx").chmod(0o600)
    write_bundle_file(bundle, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_failed_packing_leaves_nothing(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", fails)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OSError, match="full"):
        write_bundle_file(bundle, tmp_path / "one.zip")
    assert sorted(tmp_path.iterdir()) == before


def test_a_nested_bundle_folder_is_found(bundle: Path, target: Path, store: Settings, tmp_path: Path) -> None:
    path = tmp_path / "by-hand.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents(bundle).items():
            archive.writestr(f"my model/{name}", content)
    unpack_bundle(path, target, store)
    assert contents(target) == contents(bundle)


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "golden/../../evil", "C:/evil"])
def test_a_path_outside_the_target_is_refused(
    bundle: Path, target: Path, store: Settings, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "evil.zip"
    write_bundle_file(bundle, path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(InputError, match="leads outside"):
        unpack_bundle(path, target, store)
    assert contents(target) == {}
    assert not (tmp_path / "evil").exists()


def test_a_symlink_is_refused(bundle: Path, target: Path, store: Settings, tmp_path: Path) -> None:
    path = tmp_path / "link.zip"
    write_bundle_file(bundle, path)
    link = zipfile.ZipInfo("report.json")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/hostname")
    with pytest.raises(InputError, match="link"):
        unpack_bundle(path, target, store)


@pytest.mark.parametrize(
    ("name", "message"), [("contract.json", "--preset"), ("model.onnx", "network"), ("calibration.json", "reliable")]
)
@pytest.mark.parametrize("packed", [True, False])
def test_a_missing_file_is_named_with_a_hint(
    bundle: Path, target: Path, store: Settings, name: str, message: str, packed: bool
) -> None:
    (bundle / name).unlink()
    path = bundle
    if packed:
        path = bundle.with_suffix(".zip")
        write_bundle_file(bundle, path)
    with pytest.raises(BundleError, match=rf"{path.name} has no {name}\..*{message}"):
        unpack_bundle(path, target, store)
    assert contents(target) == {}


def test_an_oversized_bundle_is_refused_before_anything_is_written(
    bundle: Path, target: Path, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_file, "BUNDLE_BYTES_MAX", 100)
    with pytest.raises(BundleError, match="bytes unpacked; a bundle has 100 at most"):
        unpack_bundle(bundle, target, store)
    monkeypatch.setattr(bundle_file, "FILES_MAX", 3)
    with pytest.raises(BundleError, match="holds 4 files; a bundle has 3 at most"):
        unpack_bundle(bundle, target, store)
    assert contents(target) == {}


def test_archive_limits_of_the_settings_apply(bundle: Path, target: Path, store: Settings) -> None:
    path = bundle.with_suffix(".zip")
    write_bundle_file(bundle, path)
    limited = store.model_copy(update={"archive_bytes_max": 50})
    with pytest.raises(BundleError, match="FERSCOPE_ARCHIVE_BYTES_MAX"):
        unpack_bundle(path, target, limited)


def test_a_damaged_archive_is_an_error(bundle: Path, target: Path, store: Settings) -> None:
    path = bundle.with_suffix(".zip")
    write_bundle_file(bundle, path)
    content = bytearray(path.read_bytes())
    content[content.index(b"faces")] ^= 0xFF  # inside the network, where only the checksum detects it
    path.write_bytes(content)
    with pytest.raises(BundleError, match="checksum"):
        unpack_bundle(path, target, store)
    path.write_bytes(b"no archive at all")
    with pytest.raises(BundleError, match="not a zip archive"):
        unpack_bundle(path, target, store)


def test_a_packed_bundle_can_be_opened_temporarily(bundle: Path, store: Settings) -> None:
    path = bundle.with_suffix(".zip")
    write_bundle_file(bundle, path)
    with unpacked_bundle(path, store) as folder:
        assert Bundle.open(folder).contract.labels
    assert not folder.exists()
    with unpacked_bundle(bundle, store) as folder:
        assert folder == bundle
