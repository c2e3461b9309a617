from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fer_core.bundles.bundle import BundleInfo
from fer_core.bundles.verification import CheckResult, file_hashes, verify_bundle, write_golden
from fer_core.errors import InputError

MakeBundle = Callable[..., Path]
WriteNetwork = Callable[..., None]

CROPS = {
    f"face-{number}": np.random.default_rng(number).integers(0, 255, (20 + number, 20, 3)).astype(np.uint8)
    for number in range(3)
}


@pytest.fixture
def golden(make_bundle: MakeBundle) -> Path:
    folder = make_bundle(tau=0.5)
    write_golden(folder, CROPS)
    BundleInfo(id="tiny", files=file_hashes(folder)).save_in(folder)
    return folder


def failed_checks(checks: list[CheckResult]) -> list[str]:
    return [check.name for check in checks if not check.passed]


def test_an_unchanged_bundle_verifies(golden: Path) -> None:
    checks = verify_bundle(golden)
    assert failed_checks(checks) == []
    names = [check.name for check in checks]
    assert names[0] == "opens"
    assert names[-3:] == ["golden face face-0", "golden face face-1", "golden face face-2"]
    assert "file model.onnx" in names


def test_hashes_exclude_the_file_that_stores_them(golden: Path) -> None:
    assert (golden / "bundle.json").is_file()
    assert "bundle.json" not in file_hashes(golden)
    assert {"model.onnx", "contract.json", "calibration.json", "golden/golden.json"} <= file_hashes(golden).keys()


def test_golden_probabilities_are_stored_for_both_points(golden: Path) -> None:
    content = json.loads((golden / "golden" / "golden.json").read_text())
    points = content["faces"]["face-0"]
    assert points.keys() == {"accurate", "balanced"}
    assert points["accurate"] != points["balanced"]
    assert sum(points["accurate"].values()) == pytest.approx(1, abs=1e-6)


def test_another_network_fails_by_hash_and_golden_faces(golden: Path, write_network: WriteNetwork) -> None:
    write_network(golden / "model.onnx", np.float32(8) * np.eye(3)[::-1], np.zeros(3))
    assert failed_checks(verify_bundle(golden)) == ["file model.onnx", *(f"golden face {name}" for name in CROPS)]


def test_only_the_changed_face_fails(golden: Path) -> None:
    other = golden / "golden" / "face-1.png"
    other.write_bytes((golden / "golden" / "face-2.png").read_bytes())
    checks = verify_bundle(golden)
    assert failed_checks(checks) == ["file golden/face-1.png", "golden face face-1"]
    assert "largest difference" in checks[-2].detail


def test_a_missing_face_is_reported(golden: Path) -> None:
    (golden / "golden" / "face-0.png").unlink()
    checks = {check.name: check for check in verify_bundle(golden)}
    assert checks["file golden/face-0.png"].detail == "is missing"
    assert "can't be opened" in checks["golden face face-0"].detail


def test_a_bundle_that_does_not_open_fails_with_the_reason(golden: Path) -> None:
    (golden / "contract.json").unlink()
    (check,) = verify_bundle(golden)
    assert not check.passed
    assert "contract.json" in check.detail


def test_a_bundle_without_golden_faces_fails(make_bundle: MakeBundle) -> None:
    assert failed_checks(verify_bundle(make_bundle())) == ["golden faces"]


@pytest.mark.parametrize("content", ["{}", "nonsense", '{"faces": {}}'])
def test_a_broken_golden_file_fails(golden: Path, content: str) -> None:
    (golden / "golden" / "golden.json").write_text(content)
    assert "golden faces" in failed_checks(verify_bundle(golden))


def test_a_golden_face_without_all_labels_fails(golden: Path) -> None:
    path = golden / "golden" / "golden.json"
    content = json.loads(path.read_text())
    del content["faces"]["face-2"]["accurate"]["sadness"]
    path.write_text(json.dumps(content))
    assert "golden face face-2" in failed_checks(verify_bundle(golden))


def test_paths_outside_the_bundle_fail(golden: Path) -> None:
    path = golden / "golden" / "golden.json"
    path.write_text(path.read_text().replace("face-0", "../../face"))
    BundleInfo(id="tiny", files={"../secret": "0", "/etc/hostname": "0"}).save_in(golden)
    assert failed_checks(verify_bundle(golden)) == ["file ../secret", "file /etc/hostname", "golden face ../../face"]


def test_golden_faces_need_valid_names(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    with pytest.raises(InputError, match="at least one"):
        write_golden(folder, {})
    with pytest.raises(InputError, match="golden face id"):
        write_golden(folder, {"../x": CROPS["face-0"]})


@pytest.fixture
def golden_int8(make_bundle: MakeBundle, write_network: WriteNetwork) -> Path:
    """A bundle whose second network differs slightly, as an INT8 network does."""
    folder = make_bundle(tau=0.5)
    write_network(folder / "model-int8.onnx", np.float32(8.3) * np.eye(3, dtype=np.float32), np.zeros(3, np.float32))
    write_golden(folder, CROPS)
    BundleInfo(id="tiny", files=file_hashes(folder)).save_in(folder)
    return folder


def test_the_int8_network_has_its_own_golden_probabilities(golden_int8: Path) -> None:
    content = json.loads((golden_int8 / "golden" / "golden.json").read_text())
    assert content["int8"].keys() == content["faces"].keys() and content["int8"] != content["faces"]
    checks = verify_bundle(golden_int8)
    assert failed_checks(checks) == []
    assert [check.name for check in checks][-3:] == [f"golden face {name}, INT8" for name in CROPS]


def test_another_int8_network_fails_alone(golden_int8: Path, write_network: WriteNetwork) -> None:
    other = np.float32(8) * np.eye(3, dtype=np.float32)[::-1]
    write_network(golden_int8 / "model-int8.onnx", other, np.zeros(3, np.float32))
    expected = ["file model-int8.onnx", *(f"golden face {name}, INT8" for name in CROPS)]
    assert failed_checks(verify_bundle(golden_int8)) == expected


def test_an_int8_network_without_golden_probabilities_fails(golden: Path) -> None:
    (golden / "model-int8.onnx").write_bytes((golden / "model.onnx").read_bytes())
    assert failed_checks(verify_bundle(golden)) == ["golden faces, INT8"]


def test_an_int8_network_that_does_not_open_fails_with_the_reason(golden: Path) -> None:
    (golden / "model-int8.onnx").write_bytes(b"not a network")
    (check,) = verify_bundle(golden)
    assert not check.passed and "model-int8.onnx" in check.detail
