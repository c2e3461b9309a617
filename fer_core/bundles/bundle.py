"""Models as folders of plain files, and their inference on ONNX Runtime.

    model.onnx        input `faces` float32 (N, C, S, S), normalized by the contract; output `logits` (N, classes)
    contract.json     preprocessing and labels
    calibration.json  calibration of the probabilities
    bundle.json       metadata (optional)
    model-int8.onnx   the network quantized to INT8 (optional; `fer_core.bundles.quantization`)
    golden/           faces with their expected probabilities (optional; `fer_core.bundles.verification`)

Optional, for documentation and verification: `card.md` with `calibration.svg`, `report.json`, `robustness.json`,
`int8.json` (INT8 against FP32), `evaluations/` (other datasets), `seen-images.bin` (its training images:
`fer_core.data.training_images`), and for PyTorch `config.yaml` and `weights.safetensors`.

A finished run folder has the same files, so it opens in the same way. Nothing is ever unpickled.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from pydantic import Field, JsonValue

from fer_core.bundles.flip_tta import without_flip_tta
from fer_core.calibration import CALIBRATION_FILE, Calibration, OperatingPoint
from fer_core.contract import CONTRACT_FILE, NO_CONTRACT, Contract
from fer_core.errors import BundleError
from fer_core.files.json_file import JsonModel, Text, load_json_model
from fer_core.system.processor import usable_cores

if TYPE_CHECKING:
    from fer_core.training.config.train_config import TrainConfig

MODEL_FILE = "model.onnx"
INT8_FILE = "model-int8.onnx"
INFO_FILE = "bundle.json"
REPORT_FILE = "report.json"
CONFIG_FILE = "config.yaml"
WEIGHTS_FILE = "weights.safetensors"
CARD_FILE = "card.md"

INPUT_NAME = "faces"
OUTPUT_NAME = "logits"

_CHUNK_FACES = 256
"""Faces in one call of the network, which bounds the memory; more are not faster."""

_THREADS_DEFAULT = 2
"""Measured on networks of 0.7 and 1.6 M parameters at 48x48, two cores: two threads are twice as fast as one; more
threads than cores are three times slower."""


class BundleInfo(JsonModel):
    """The metadata of a bundle.

    `synthetic`: it was trained on synthetic faces. `origin`: whether FERscope trained it, or its weights were imported
    from a file. `metrics` is free-form; `files` has the SHA-256 of files by name.
    """

    version: int = Field(1, ge=1, le=1)
    id: Text = ""
    title: Text = ""
    created: Text = ""
    license: Text = ""
    dataset: Text = ""
    synthetic: bool = False
    origin: Literal["trained", "weights"] = "trained"
    architecture: Text = ""
    parameters: int = Field(0, ge=0, le=10**12)
    metrics: dict[str, JsonValue] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def from_config(cls, config: TrainConfig, *, parameters: int, **fields: Any) -> BundleInfo:
        """Build the metadata of a config's network, created now; `fields` are added or replaced."""
        return cls(
            **{
                "title": config.title or config.model.name,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "architecture": config.model.name,
                "parameters": parameters,
                **fields,
            }
        )

    def save_in(self, folder: Path) -> None:
        """Write it as `bundle.json` into the folder."""
        self.save(folder / INFO_FILE)


def read_bundle_info(folder: Path) -> BundleInfo:
    """Read the metadata of the bundle in `folder`, without loading the model.

    Without `bundle.json` (a run) id and title are the folder's name.

    Raises:
        BundleError: its `bundle.json` is not valid.
    """
    path = folder / INFO_FILE
    if not path.is_file():
        return BundleInfo(id=folder.name, title=folder.name)
    info = load_json_model(BundleInfo, path, whole="bundle")
    names = {"id": info.id or folder.name, "title": info.title or info.id or folder.name}
    return info.model_copy(update=names)


class Bundle:
    """A model, ready for inference on face crops. Immutable and thread-safe, as is ONNX Runtime's `run`."""

    def __init__(
        self,
        path: Path,
        info: BundleInfo,
        contract: Contract,
        calibration: Calibration,
        session: Any,
        flip_tta_removed: bool = False,
    ) -> None:
        self.folder = path.parent
        self.model_file = path.name
        self.info = info
        self.contract = contract
        self.calibration = calibration
        self.flip_tta_removed = flip_tta_removed
        self._session = session

    @classmethod
    def open(
        cls, folder: Path, *, threads: int | None = None, model_file: str = MODEL_FILE, flip_tta: bool = True
    ) -> Bundle:
        """Load a bundle or a finished run and check that its files are consistent.

        Args:
            threads: for inference; by default two, or one on a single core.
            model_file: the FP32 or INT8 network; see `fastest.open_fastest`.
            flip_tta: False removes the pass on the mirror images if the network has one, which halves the time;
                `flip_tta_removed` is then True.
        Raises:
            BundleError: a file is missing or invalid, or the network does not match the contract.
        """
        if folder.is_file():
            raise BundleError(f"{folder.name} is a file, but a model is a folder. {NO_CONTRACT}")
        if not folder.is_dir():
            raise BundleError(f"There is no model folder {folder}. Give the folder of a bundle or of a finished run.")
        info = read_bundle_info(folder)
        contract = Contract.load(folder / CONTRACT_FILE)
        calibration = Calibration.load(folder / CALIBRATION_FILE, contract.labels)
        path = folder / model_file
        single = None if flip_tta or not path.is_file() else _without_flip_tta(path)
        session = _session(path, threads or min(_THREADS_DEFAULT, usable_cores()), single)
        bundle = cls(path, info, contract, calibration, session, flip_tta_removed=single is not None)
        bundle._check_network()
        return bundle

    @property
    def id(self) -> str:
        """The id in lists and links."""
        return self.info.id

    @property
    def output_names(self) -> tuple[str, ...]:
        """The network's outputs: `logits`, and others such as maps for explanations."""
        return tuple(output.name for output in self._session.get_outputs())

    def logits(self, faces: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute the logits of face crops.

        Args:
            faces: float32, shape (N, channels, size_px, size_px), from `contract.apply_batch`.
        Returns:
            float32, shape (N, classes).
        Raises:
            BundleError: the input has another shape, or the network fails or gives values that are not finite.
        """
        logits = self.run(faces, OUTPUT_NAME)
        if not np.isfinite(logits).all():
            raise BundleError(f"The model {self.id} gave values that are not finite numbers. Train or export it again.")
        return logits

    def probabilities(
        self, faces: NDArray[np.float32], point: OperatingPoint = OperatingPoint.ACCURATE
    ) -> NDArray[np.float32]:
        """Compute calibrated probabilities at an operating point; arguments and errors as `logits`.

        Returns:
            float32, shape (N, classes), each row summing to 1.
        """
        return self.calibration.probabilities(self.logits(faces), point)

    def run(self, faces: NDArray[np.float32], output: str) -> NDArray[np.float32]:
        """Compute one output of the network for any number of faces, in chunks.

        Raises:
            BundleError: the input has another shape, there is no such output, or the network fails.
        """
        size = self.contract.size_px
        expected = (self.contract.channels, size, size)
        if faces.ndim != 4 or faces.shape[1:] != expected:
            raise BundleError(f"The model {self.id} takes faces of shape (N, {expected}), but got {faces.shape}.")
        if output not in self.output_names:
            raise BundleError(f"The model {self.id} has no output {output!r}; it has: {', '.join(self.output_names)}.")
        # Without faces the network runs on one blank face, whose result is dropped, to get the output's shape.
        batch = faces.astype(np.float32, copy=False) if len(faces) else np.zeros((1, *expected), np.float32)
        starts = range(0, len(batch), _CHUNK_FACES)
        chunks = [self._run_chunk(batch[start : start + _CHUNK_FACES], output) for start in starts]
        return np.concatenate(chunks)[: len(faces)]

    def _run_chunk(self, faces: NDArray[np.float32], output: str) -> NDArray[np.float32]:
        try:
            (result,) = self._session.run([output], {INPUT_NAME: faces})
        except Exception as exc:  # ONNX Runtime's errors have no common base but Exception
            raise BundleError(
                f"{self.model_file} of {self.id} failed on {len(faces)} faces: {_first_line(exc)}."
            ) from exc
        return np.asarray(result, np.float32)

    def _check_network(self) -> None:
        """Check that the network's input and output fit the contract and the calibration."""
        inputs = self._session.get_inputs()
        where = f"{self.model_file} of {self.folder.name}"
        if [entry.name for entry in inputs] != [INPUT_NAME] or OUTPUT_NAME not in self.output_names:
            raise BundleError(
                f"{where} has inputs {[entry.name for entry in inputs]} and outputs {list(self.output_names)}; "
                f"it must have the input {INPUT_NAME!r} and the output {OUTPUT_NAME!r}. Export it again."
            )
        size = self.contract.size_px
        expected = (self.contract.channels, size, size)
        shape = tuple(inputs[0].shape)
        matches = len(shape) == 4 and all(
            side == other or not isinstance(side, int) for side, other in zip(shape[1:], expected, strict=True)
        )
        if not matches or isinstance(shape[0], int) or inputs[0].type != "tensor(float)":
            raise BundleError(
                f"{where} takes {inputs[0].type} of shape {shape}, but its contract gives float32 faces of shape "
                f"(any number, {expected[0]}, {size}, {size}). Export it again."
            )
        logits = self._run_chunk(np.zeros((2, *expected), np.float32), OUTPUT_NAME)
        if logits.shape != (2, len(self.contract.labels)):
            raise BundleError(
                f"{where} returns shape {logits.shape} for two faces, but its contract has "
                f"{len(self.contract.labels)} labels. Export it again."
            )


def _without_flip_tta(path: Path) -> bytes | None:
    """Remove flip TTA from a network; None if it has none. Errors of an invalid file are left to `_session`."""
    from google.protobuf.message import DecodeError

    try:
        return without_flip_tta(path, INPUT_NAME, OUTPUT_NAME)
    except DecodeError:
        return None


def _session(path: Path, threads: int, content: bytes | None) -> Any:
    """Open an ONNX Runtime session for a file, or for `content` in its place."""
    if not path.is_file():
        raise BundleError(f"{path.parent.name} has no {path.name}. Give a bundle, or a run that has finished.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Spinning threads would use a whole core between live frames, to save 0.4 ms per face.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(content or str(path), options, providers=["CPUExecutionProvider"])
    except Exception as exc:  # ONNX Runtime's errors have no common base but Exception
        cause = _first_line(exc).replace(str(path), path.name)  # the message must not reveal the store's path
        raise BundleError(
            f"{path.name} of {path.parent.name} can't be loaded: {cause}. Copy or export it again."
        ) from exc


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200].rstrip(". ") if lines else type(error).__name__
