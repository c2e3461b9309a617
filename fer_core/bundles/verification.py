"""Verify a bundle: file hashes, golden faces, and parity of the ONNX file with the PyTorch weights."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from PIL import Image
from pydantic import ValidationError

from fer_core.bundles.bundle import CONFIG_FILE, INFO_FILE, INT8_FILE, WEIGHTS_FILE, Bundle
from fer_core.calibration import OperatingPoint
from fer_core.errors import BundleError, FerscopeError, InputError
from fer_core.faces import RgbImage
from fer_core.files.atomic import atomic_path
from fer_core.files.download import file_sha256
from fer_core.files.json_file import JsonModel
from fer_core.ids import check_id
from fer_core.images.photo import read_image
from fer_core.labels import Expression
from fer_core.settings import settings

GOLDEN_FOLDER = "golden"
GOLDEN_FILE = "golden.json"
TOLERANCE_01 = 1e-3
"""Largest difference of a probability: processors round differently, but a changed model differs by more."""

INT8_TOLERANCE_01 = 2e-2
"""The same for INT8, where rounding can change a value by a quantization step."""

_FAILED_SHOWN = 3
_PARITY_CHECK = "network"

_Probabilities = dict[OperatingPoint, dict[Expression, float]]


class _GoldenProbabilities(JsonModel):
    """`golden.json`: probabilities by face name, operating point and expression; `int8` for the INT8 network."""

    faces: dict[str, _Probabilities]
    int8: dict[str, _Probabilities] | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check."""

    name: str
    passed: bool
    detail: str


def write_golden(folder: Path, crops: Mapping[str, RgbImage]) -> None:
    """Write face crops and their current probabilities into a complete bundle.

    Args:
        crops: by name (a-z, 0-9, dot, dash, underscore); uint8, shape (H, W, 3), RGB.
    Raises:
        BundleError: the bundle can't be opened.
        InputError: there are no crops, or a name is invalid.
    """
    if not crops:
        raise InputError("There are no golden faces to write. Give at least one.")
    bundle, int8 = Bundle.open(folder), _open_int8(folder)
    golden = folder / GOLDEN_FOLDER
    for name, crop in crops.items():
        with atomic_path(golden / f"{check_id(name, 'golden face')}.png") as temporary:
            Image.fromarray(crop).save(temporary, "PNG")
    content = _GoldenProbabilities(faces=_predict_all(bundle, crops), int8=_predict_all(int8, crops) if int8 else None)
    content.save(golden / GOLDEN_FILE)


def verify_bundle(folder: Path) -> list[CheckResult]:
    """Check that a bundle opens, that its files match their hashes, and that golden faces still get their
    probabilities. A bundle without golden faces fails."""
    try:
        bundle, int8 = Bundle.open(folder), _open_int8(folder)
    except BundleError as exc:
        return [CheckResult("opens", False, str(exc))]
    opened = CheckResult("opens", True, f"{bundle.id} has {len(bundle.contract.labels)} expressions")
    files = [_file_check(folder, name, digest) for name, digest in bundle.info.files.items()]
    return [opened, *files, *_golden_checks(bundle, int8)]


def check_verified(name: str, checks: Sequence[CheckResult], consequence: str) -> None:
    """Raise an error unless a bundle passed its checks.

    Args:
        consequence: for the message, such as "it was not imported".
    Raises:
        BundleError: a check failed.
    """
    failed = [f"{check.name}: {check.detail.rstrip('.')}" for check in checks if not check.passed]
    if failed:
        more = f"; and {len(failed) - _FAILED_SHOWN} more" if len(failed) > _FAILED_SHOWN else ""
        raise BundleError(
            f"{name} failed its verification, so {consequence} ({'; '.join(failed[:_FAILED_SHOWN])}{more}). "
            "Fetch it again, or export it again from its run with `models export`."
        )


def golden_crops(folder: Path) -> dict[str, RgbImage]:
    """Read the golden faces of a bundle by name; empty if there are none.

    Raises:
        FerscopeError: a face can't be read.
    """
    golden = _read_golden(folder)
    return {} if isinstance(golden, str) else {name: _read_face(folder, name) for name in golden.faces}


def file_hashes(folder: Path) -> dict[str, str]:
    """Compute the SHA-256 of every file except `bundle.json`, by path in the folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: file_sha256(path) for name, path in names.items() if name != INFO_FILE}


def _open_int8(folder: Path) -> Bundle | None:
    return Bundle.open(folder, model_file=INT8_FILE) if (folder / INT8_FILE).is_file() else None


def _predict_all(bundle: Bundle, crops: Mapping[str, RgbImage]) -> dict[str, _Probabilities]:
    return {name: _predict(bundle, crop) for name, crop in crops.items()}


def _predict(bundle: Bundle, crop: RgbImage) -> _Probabilities:
    logits = bundle.logits(bundle.contract.apply(crop)[None])
    return {
        point: dict(zip(bundle.contract.labels, row.tolist(), strict=True))
        for point in OperatingPoint
        for row in bundle.calibration.probabilities(logits, point)
    }


def _file_check(folder: Path, name: str, digest: str) -> CheckResult:
    check_name = f"file {name}"
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        return CheckResult(check_name, False, "is outside the bundle")
    path = folder / name
    if not path.is_file():
        return CheckResult(check_name, False, "is missing")
    is_same = file_sha256(path) == digest
    return CheckResult(check_name, is_same, "unchanged" if is_same else "has changed since the bundle was made")


def _golden_checks(bundle: Bundle, int8: Bundle | None) -> list[CheckResult]:
    golden = _read_golden(bundle.folder)
    if isinstance(golden, str):
        return [CheckResult("golden faces", False, golden)]
    checks = [
        _face_check(bundle, name, expected, f"golden face {name}", TOLERANCE_01)
        for name, expected in golden.faces.items()
    ]
    if int8 is None:
        return checks
    if not golden.int8:
        return [*checks, CheckResult("golden faces, INT8", False, f"{GOLDEN_FILE} has no probabilities of {INT8_FILE}")]
    return checks + [
        _face_check(int8, name, expected, f"golden face {name}, INT8", INT8_TOLERANCE_01)
        for name, expected in golden.int8.items()
    ]


def _read_golden(folder: Path) -> _GoldenProbabilities | str:
    """Read `golden.json`; returns a message if it can't be used."""
    path = folder / GOLDEN_FOLDER / GOLDEN_FILE
    if not path.is_file():
        return f"there is no {GOLDEN_FOLDER}/{GOLDEN_FILE}; `models export` creates it"
    try:
        golden = _GoldenProbabilities.model_validate_json(path.read_bytes())
    except ValidationError as exc:
        return f"{GOLDEN_FILE} is not valid: {exc.errors()[0]['msg']}"
    return golden if golden.faces else f"{GOLDEN_FILE} names no faces"


def _read_face(folder: Path, name: str) -> RgbImage:
    return read_image(folder / GOLDEN_FOLDER / f"{check_id(name, 'golden face')}.png", settings()).pixels


def _face_check(
    bundle: Bundle, name: str, expected: _Probabilities, check_name: str, tolerance_01: float
) -> CheckResult:
    try:
        predicted = _predict(bundle, _read_face(bundle.folder, name))
    except FerscopeError as exc:
        return CheckResult(check_name, False, str(exc))
    if not expected or any(set(expected_row) != set(bundle.contract.labels) for expected_row in expected.values()):
        return CheckResult(check_name, False, "has no expected probability for each of the model's labels")
    differences = [
        abs(predicted[point][label] - value)
        for point, expected_row in expected.items()
        for label, value in expected_row.items()
    ]
    largest = max(differences)
    return CheckResult(
        check_name, largest <= tolerance_01, f"largest difference {largest:.1e} (allowed {tolerance_01:.0e})"
    )


def check_parity(folder: Path) -> list[CheckResult]:
    """Compare the logits of PyTorch and the ONNX file on the golden faces; no check if that is not possible.

    Needs `weights.safetensors`, `config.yaml`, golden faces and PyTorch, which it loads.
    """
    has_files = all((folder / name).is_file() for name in (WEIGHTS_FILE, CONFIG_FILE))
    if not has_files or importlib.util.find_spec("torch") is None:
        return []
    from fer_core.models.onnx_export import LOGIT_TOLERANCE, largest_difference, torch_logits
    from fer_core.training.network import load_trained_network

    try:
        bundle = Bundle.open(folder)
        crops = list(golden_crops(folder).values())
        if not crops:
            return []
        faces = bundle.contract.apply_batch(crops)
        logits = torch_logits(load_trained_network(folder), faces)
        if logits.shape[1] != len(bundle.contract.labels):
            raise BundleError(f"the weights give {logits.shape[1]} logits for {len(bundle.contract.labels)} labels")
        worst = largest_difference(logits, bundle.logits(faces))
    except FerscopeError as exc:
        return [CheckResult(_PARITY_CHECK, False, str(exc))]
    passed = worst.relative <= LOGIT_TOLERANCE
    agreement = f"PyTorch and ONNX agree on {len(faces)} faces, largest difference {worst.relative:.1e}"
    detail = (
        f"{agreement} (allowed {LOGIT_TOLERANCE:.0e})" if passed else worst.describe(len(faces), bundle.contract.labels)
    )
    return [CheckResult(_PARITY_CHECK, passed, detail)]
