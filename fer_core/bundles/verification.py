"""Verify a bundle: file hashes, golden faces, and that the ONNX file computes what the PyTorch weights do."""

from __future__ import annotations

import hashlib
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
from fer_core.files.json_file import JsonModel
from fer_core.ids import check_id
from fer_core.images.photo import read_image
from fer_core.labels import Expression
from fer_core.settings import settings

GOLDEN_FOLDER = "golden"
GOLDEN_FILE = "golden.json"
TOLERANCE_01 = 1e-3
"""Largest difference of a probability: processors round differently, a changed model differs by more."""

INT8_TOLERANCE_01 = 2e-2
"""The same for INT8, where a different rounding moves a value by a whole quantization step."""

_FAILED_SHOWN = 3

_Expected = dict[OperatingPoint, dict[Expression, float]]


class _GoldenProbabilities(JsonModel):
    """`golden.json`: by face name and operating point, the probability of each expression.

    `int8`: the same by the INT8 network, where the bundle has one.
    """

    faces: dict[str, _Expected]
    int8: dict[str, _Expected] | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check: its name, whether it passed, and what was found."""

    name: str
    passed: bool
    detail: str


def write_golden(folder: Path, crops: Mapping[str, RgbImage]) -> None:
    """Write face crops into a bundle together with what it predicts for them now.

    Args:
        folder: a complete bundle.
        crops: by name (a-z, 0-9, dot, dash, underscore), uint8, shape (H, W, 3), RGB, ready to be fitted.
    Raises:
        BundleError: the bundle can't be opened.
        InputError: there are no crops, or a name can't be a file name.
    """
    if not crops:
        raise InputError("There are no golden faces to write. Give at least one.")
    bundle, int8 = Bundle.open(folder), _open_int8(folder)
    golden = folder / GOLDEN_FOLDER
    for name, crop in crops.items():
        with atomic_path(golden / f"{check_id(name, 'golden face')}.png") as temporary:
            Image.fromarray(crop).save(temporary, "PNG")
    written = _GoldenProbabilities(faces=_expected(bundle, crops), int8=_expected(int8, crops) if int8 else None)
    written.save(golden / GOLDEN_FILE)


def verify_bundle(folder: Path) -> list[CheckResult]:
    """CheckResult that a bundle opens, that its recorded files are unchanged and that each golden face still gets its
    probabilities. A bundle without golden faces fails, as nothing proves it then."""
    try:
        bundle, int8 = Bundle.open(folder), _open_int8(folder)
    except BundleError as exc:
        return [CheckResult("opens", False, str(exc))]
    opened = CheckResult("opens", True, f"{bundle.id} reads {len(bundle.contract.labels)} expressions")
    files = [_file_check(folder, name, digest) for name, digest in bundle.info.files.items()]
    return [opened, *files, *_golden_checks(bundle, int8)]


def check_verified(name: str, checks: Sequence[CheckResult], consequence: str) -> None:
    """Raise an error unless a bundle passed its checks.

    Args:
        name: what the message calls it.
        consequence: what was not done because of it, such as "it was not imported".
    Raises:
        BundleError: it did not; the message says what failed.
    """
    failed = [f"{check.name}: {check.detail.rstrip('.')}" for check in checks if not check.passed]
    if failed:
        more = f"; and {len(failed) - _FAILED_SHOWN} more" if len(failed) > _FAILED_SHOWN else ""
        raise BundleError(
            f"{name} failed its verification, so {consequence} ({'; '.join(failed[:_FAILED_SHOWN])}{more}). "
            "Fetch it again, or export it again from its run with `models export`."
        )


def golden_crops(folder: Path) -> dict[str, RgbImage]:
    """Read the golden faces of a bundle, by name; empty where it has none.

    Raises:
        FerscopeError: a face that `golden.json` names can't be read.
    """
    golden = _read_golden(folder)
    return {} if isinstance(golden, str) else {name: _read_face(folder, name) for name in golden.faces}


def file_hashes(folder: Path) -> dict[str, str]:
    """Compute the SHA-256 of every file of a bundle but `bundle.json`, which records them, by path in the folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: _sha256(path) for name, path in names.items() if name != INFO_FILE}


def _open_int8(folder: Path) -> Bundle | None:
    return Bundle.open(folder, model_file=INT8_FILE) if (folder / INT8_FILE).is_file() else None


def _expected(bundle: Bundle, crops: Mapping[str, RgbImage]) -> dict[str, _Expected]:
    return {name: _predicted(bundle, crop) for name, crop in crops.items()}


def _predicted(bundle: Bundle, crop: RgbImage) -> _Expected:
    logits = bundle.logits(bundle.contract.apply(crop)[None])
    found: _Expected = {}
    for point in OperatingPoint:
        row = bundle.calibration.probabilities(logits, point)[0]
        found[point] = {label: float(value) for label, value in zip(bundle.contract.labels, row, strict=True)}
    return found


def _file_check(folder: Path, name: str, digest: str) -> CheckResult:
    what = f"file {name}"
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        return CheckResult(what, False, "lies outside the bundle")
    path = folder / name
    if not path.is_file():
        return CheckResult(what, False, "is missing")
    same = _sha256(path) == digest
    return CheckResult(what, same, "unchanged" if same else "has changed since the bundle was made")


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
        return [*checks, CheckResult("golden faces, INT8", False, f"{GOLDEN_FILE} does not say what {INT8_FILE} gives")]
    return checks + [
        _face_check(int8, name, expected, f"golden face {name}, INT8", INT8_TOLERANCE_01)
        for name, expected in golden.int8.items()
    ]


def _read_golden(folder: Path) -> _GoldenProbabilities | str:
    """The content of `golden.json`, or why it can't be used."""
    path = folder / GOLDEN_FOLDER / GOLDEN_FILE
    if not path.is_file():
        return f"there is no {GOLDEN_FOLDER}/{GOLDEN_FILE} to compare with; `models export` makes it"
    try:
        golden = _GoldenProbabilities.model_validate_json(path.read_bytes())
    except ValidationError as exc:
        return f"{GOLDEN_FILE} is not valid: {exc.errors()[0]['msg']}"
    return golden if golden.faces else f"{GOLDEN_FILE} names no faces"


def _read_face(folder: Path, name: str) -> RgbImage:
    return read_image(folder / GOLDEN_FOLDER / f"{check_id(name, 'golden face')}.png", settings()).pixels


def _face_check(bundle: Bundle, name: str, expected: _Expected, what: str, allowed_01: float) -> CheckResult:
    try:
        found = _predicted(bundle, _read_face(bundle.folder, name))
    except FerscopeError as exc:
        return CheckResult(what, False, str(exc))
    if not expected or any(set(expected_row) != set(bundle.contract.labels) for expected_row in expected.values()):
        return CheckResult(what, False, "has no expected probability for each of the model's labels")
    gaps = [
        abs(found[point][label] - value)
        for point, expected_row in expected.items()
        for label, value in expected_row.items()
    ]
    return CheckResult(what, max(gaps) <= allowed_01, f"largest difference {max(gaps):.1e} (allowed {allowed_01:.0e})")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


CHECK_NAME = "network"


def check_parity(folder: Path) -> list[CheckResult]:
    """Compare the logits of PyTorch and of the ONNX file on the golden faces; no check where that is not possible.

    It needs `weights.safetensors`, `config.yaml`, golden faces and PyTorch, which it loads.
    """
    there = all((folder / name).is_file() for name in (WEIGHTS_FILE, CONFIG_FILE))
    if not there or importlib.util.find_spec("torch") is None:
        return []
    from fer_core.models.onnx_export import LOGIT_TOLERANCE, largest_difference, torch_logits
    from fer_core.training.network import load_trained_network

    try:
        bundle = Bundle.open(folder)
        crops = list(golden_crops(folder).values())
        if not crops:
            return []
        faces = bundle.contract.apply_batch(crops)
        ours = torch_logits(load_trained_network(folder), faces)
        if ours.shape[1] != len(bundle.contract.labels):
            raise BundleError(f"the weights give {ours.shape[1]} logits for {len(bundle.contract.labels)} labels")
        worst = largest_difference(ours, bundle.logits(faces))
    except FerscopeError as exc:
        return [CheckResult(CHECK_NAME, False, str(exc))]
    passed = worst.relative <= LOGIT_TOLERANCE
    agreement = f"PyTorch and ONNX agree on {len(faces)} faces, largest difference {worst.relative:.1e}"
    detail = (
        f"{agreement} (allowed {LOGIT_TOLERANCE:.0e})" if passed else worst.describe(len(faces), bundle.contract.labels)
    )
    return [CheckResult(CHECK_NAME, passed, detail)]
