"""A model as a folder of plain files, and running it on ONNX Runtime.

    model.onnx        input `faces` float32 (N, C, S, S), normalized by the contract; output `logits` (N, classes)
    contract.json     how a face becomes that input, and what the outputs mean
    calibration.json  how the outputs become probabilities
    bundle.json       what the model is called, made of and allowed for (optional)
    model-int8.onnx   the same network quantized to INT8, faster (optional; `fer_core.bundles.quantization`)
    golden/           faces with the probabilities they must get (optional; `fer_core.bundles.verification`)

For people and for proof, all optional: `card.md` with `calibration.svg`, `report.json`, `robustness.json`,
`int8.json` (INT8 against FP32), `evaluations/` (other datasets), `seen-images.bin` (which images may not evaluate it:
 `fer_core.data.training_images`), and what PyTorch needs, `config.yaml` and `weights.safetensors`.

A finished run folder holds the same files, so it opens in the same way. Nothing is ever unpickled.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from pydantic import Field, JsonValue

from fer_core.bundles.flip_tta import without_flip_tta
from fer_core.calibration import Calibration, OperatingPoint
from fer_core.contract import Contract
from fer_core.errors import BundleError
from fer_core.files.json_file import JsonModel, Text, load_json_model
from fer_core.training.config.train_config import TrainConfig

MODEL_FILE = "model.onnx"
INT8_FILE = "model-int8.onnx"
CONTRACT_FILE = "contract.json"
CALIBRATION_FILE = "calibration.json"
INFO_FILE = "bundle.json"
REPORT_FILE = "report.json"
CONFIG_FILE = "config.yaml"
WEIGHTS_FILE = "weights.safetensors"
CARD_FILE = "card.md"

INPUT_NAME = "faces"
OUTPUT_NAME = "logits"

_CHUNK_FACES = 256
"""Faces a call to the network: keeps the memory of a large batch bounded; more a call is not faster."""

_THREADS_DEFAULT = 2
"""Measured on networks of 0.7 and 1.6 M parameters at 48x48, two cores: two threads read a batch twice as fast
as one; more threads than cores are three times slower."""


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

    A folder without `bundle.json` (a run) is called by its name.

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
    """A model that is ready for inference on face crops.

    May be shared between threads: it does not change after opening, and ONNX Runtime's `run` is thread-safe.
    """

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
        """Load a bundle or a finished run and check that its files fit each other.

        Args:
            folder: where its files are.
            threads: threads a call to the network uses; by default two, or one on a single core.
            model_file: which of its networks: FP32 or INT8; see `fastest.open_fastest`.
            flip_tta: False leaves the pass over the mirror images out, where the network has one: half the time, and
                `flip_tta_removed` is then True.
        Raises:
            BundleError: a file is missing or broken, or the network does not fit the contract.
        """
        if folder.is_file():
            raise BundleError(
                f"{folder.name} is a file, and a model is a folder: a checkpoint alone has no contract: nobody knows "
                "how a face becomes its input. Import it first: `models import`, with --preset for a file of weights."
            )
        if not folder.is_dir():
            raise BundleError(f"There is no model folder {folder}. Give the folder of a bundle or of a finished run.")
        info = read_bundle_info(folder)
        contract = Contract.load(folder / CONTRACT_FILE)
        calibration = Calibration.load(folder / CALIBRATION_FILE, contract.labels)
        path = folder / model_file
        single = None if flip_tta or not path.is_file() else _without_flip_tta(path)
        session = _session(path, threads or min(_THREADS_DEFAULT, _cores()), single)
        bundle = cls(path, info, contract, calibration, session, flip_tta_removed=single is not None)
        bundle._check_network()
        return bundle

    @property
    def id(self) -> str:
        """What the bundle is called in lists and links."""
        return self.info.id

    @property
    def output_names(self) -> tuple[str, ...]:
        """The network's outputs: `logits`, and whatever else it offers (maps for explanations)."""
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
        wanted = (self.contract.channels, size, size)
        if faces.ndim != 4 or faces.shape[1:] != wanted:
            raise BundleError(f"The model {self.id} reads faces of shape (N, {wanted}), but got {faces.shape}.")
        if output not in self.output_names:
            raise BundleError(f"The model {self.id} has no output {output!r}; it has: {', '.join(self.output_names)}.")
        # Without faces the network runs on one blank face, whose result is dropped: that keeps the output's own shape.
        batch = faces.astype(np.float32, copy=False) if len(faces) else np.zeros((1, *wanted), np.float32)
        starts = range(0, len(batch), _CHUNK_FACES)
        parts = [self._run_chunk(batch[start : start + _CHUNK_FACES], output) for start in starts]
        return np.concatenate(parts)[: len(faces)]

    def _run_chunk(self, faces: NDArray[np.float32], output: str) -> NDArray[np.float32]:
        try:
            (answer,) = self._session.run([output], {INPUT_NAME: faces})
        except Exception as exc:  # ONNX Runtime's errors have no common base but Exception
            raise BundleError(
                f"{self.model_file} of {self.id} failed on {len(faces)} faces: {_first_line(exc)}."
            ) from exc
        return np.asarray(answer, np.float32)

    def _check_network(self) -> None:
        """CheckResult that the network's input and output fit the contract and the calibration."""
        inputs = self._session.get_inputs()
        where = f"{self.model_file} of {self.folder.name}"
        if [entry.name for entry in inputs] != [INPUT_NAME] or OUTPUT_NAME not in self.output_names:
            raise BundleError(
                f"{where} has inputs {[entry.name for entry in inputs]} and outputs {list(self.output_names)}; "
                f"it must have the input {INPUT_NAME!r} and the output {OUTPUT_NAME!r}. Export it again."
            )
        size = self.contract.size_px
        wanted = (self.contract.channels, size, size)
        shape = tuple(inputs[0].shape)
        fits = len(shape) == 4 and all(
            has == want or not isinstance(has, int) for has, want in zip(shape[1:], wanted, strict=True)
        )
        if not fits or isinstance(shape[0], int) or inputs[0].type != "tensor(float)":
            raise BundleError(
                f"{where} reads {inputs[0].type} of shape {shape}, but its contract gives float32 faces of shape "
                f"(any number, {wanted[0]}, {size}, {size}). Export it again."
            )
        answer = self._run_chunk(np.zeros((2, *wanted), np.float32), OUTPUT_NAME)
        if answer.shape != (2, len(self.contract.labels)):
            raise BundleError(
                f"{where} answers two faces with shape {answer.shape}, but its contract has "
                f"{len(self.contract.labels)} labels. Export it again."
            )


def _without_flip_tta(path: Path) -> bytes | None:
    """The file's network in a single pass; None where it has no other. A broken file is left to `_session`."""
    from google.protobuf.message import DecodeError

    try:
        return without_flip_tta(path, INPUT_NAME, OUTPUT_NAME)
    except DecodeError:
        return None


def _session(path: Path, threads: int, content: bytes | None) -> Any:
    """ONNX Runtime with the network of a file, or with `content` in its place."""
    if not path.is_file():
        raise BundleError(f"{path.parent.name} has no {path.name}. Give a bundle, or a run that has finished.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Spinning threads would keep a whole core busy between the frames of a live view, for 0.4 ms a face.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(content or str(path), options, providers=["CPUExecutionProvider"])
    except Exception as exc:  # ONNX Runtime's errors have no common base but Exception
        cause = _first_line(exc).replace(str(path), path.name)  # where the store lies is nobody's business
        raise BundleError(
            f"{path.name} of {path.parent.name} can't be loaded: {cause}. Copy or export it again."
        ) from exc


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200].rstrip(". ") if lines else type(error).__name__


def _cores() -> int:
    """Cores this process may use, which in a container can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
