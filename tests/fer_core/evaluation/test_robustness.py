"""Robustness of a tiny model that predicts by color."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fer_core.bundles.bundle import Bundle
from fer_core.calibration import OperatingPoint
from fer_core.contract import Contract
from fer_core.corruptions.corruption import CORRUPTIONS, SEVERITIES
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.errors import CancelledError, DatasetError, InputError
from fer_core.evaluation.predict_dataset import predict_dataset
from fer_core.evaluation.report import build_report
from fer_core.evaluation.robustness import evaluate_robustness
from fer_core.evaluation.robustness_report import RobustnessReport
from fer_core.metrics import HEADLINE_METRICS
from fer_core.progress import no_progress

COLORS = {"neutral": (140, 105, 105), "happiness": (105, 140, 105), "sadness": (105, 105, 140)}


@dataclass
class MemorySource:
    """A source of images in memory."""

    files: dict[str, bytes] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)

    def state(self) -> str:
        return "fixed"

    def names(self) -> Sequence[str]:
        return list(self.files)

    def not_utf8(self) -> Sequence[str]:
        return ()

    def locate(self, name: str) -> Any:
        raise NotImplementedError

    def read(self, name: str) -> bytes:
        self.reads.append(name)
        if name not in self.files:
            raise DatasetError(f"{name} is gone")
        return self.files[name]


@pytest.fixture
def data() -> tuple[pd.DataFrame, MemorySource]:
    """90 images in three colors, a tenth of them with a wrong label; every ninth is gray."""
    rng = np.random.default_rng(0)
    source, rows = MemorySource(), []
    names = list(COLORS)
    for number in range(90):
        expression = names[number % 3]
        face = np.clip(rng.normal(COLORS[expression], 12, (24, 24, 3)), 0, 255).astype(np.uint8)
        pixels = face[:, :, 0] if number % 9 == 0 else face[:, :, ::-1]
        source.files[f"{number}.png"] = cv2.imencode(".png", pixels)[1].tobytes()
        label = names[(number + 1) % 3] if number % 10 == 0 else expression
        rows.append({"id": f"picture-{number}", "path": f"{number}.png", "label": label})
    return pd.DataFrame(rows).astype({"label": "string"}), source


@pytest.fixture
def bundle(make_bundle: Callable[..., Path]) -> Bundle:
    return Bundle.open(make_bundle(), threads=1)


def _evaluate(bundle: Bundle, rows: pd.DataFrame, source: MemorySource, **options: Any) -> RobustnessReport:
    return evaluate_robustness(
        bundle, rows, source, "argmax", OperatingPoint.ACCURATE, **{"dataset": "colors", **options}
    )


def test_clean_metrics_match_the_evaluation(data: tuple[pd.DataFrame, MemorySource], bundle: Bundle) -> None:
    rows, source = data
    expected = build_report(
        predict_dataset(bundle, rows, source),
        bundle.calibration,
        bundle.contract.label_set,
        "argmax",
        OperatingPoint.ACCURATE,
    )
    source.reads.clear()
    report = _evaluate(bundle, rows, source, split="test", seed=3)
    for name in HEADLINE_METRICS:
        assert getattr(report.clean, name) == expected.scores[name]
        assert report.clean.intervals[name] == expected.intervals[name]
    assert (report.model, report.dataset, report.split) == ("tiny", "colors", "test")
    assert (report.protocol, report.point, report.n, report.seed) == ("argmax", OperatingPoint.ACCURATE, 90, 3)
    assert sorted(source.reads) == sorted(rows["path"])


def test_each_corruption_is_measured_at_each_severity(data: tuple[pd.DataFrame, MemorySource], bundle: Bundle) -> None:
    report = _evaluate(bundle, *data)
    assert [curve.name for curve in report.corruptions] == list(CORRUPTIONS)
    for curve, corruption in zip(report.corruptions, CORRUPTIONS.values(), strict=True):
        assert (curve.title, curve.parameter_range) == (corruption.title, corruption.describe_range())
        assert [severity.parameter for severity in curve.severities] == list(corruption.parameters)
        assert [severity.description for severity in curve.severities] == [
            corruption.describe(severity) for severity in range(1, SEVERITIES + 1)
        ]
    scores = {c.name: [severity.scores.macro_f1 for severity in c.severities] for c in report.corruptions}
    clean_f1 = report.clean.macro_f1
    assert clean_f1 > 0.8
    # The model sees only colors, so only the color cast matters.
    for name in ("blur", "shift", "roll", "close", "over-exposure"):
        assert scores[name] == pytest.approx([clean_f1] * SEVERITIES, abs=0.02)
    assert scores["color-cast"][-1] < clean_f1 - 0.2
    assert report.worst().curve.name == "color-cast"


def test_the_seed_determines_the_report(data: tuple[pd.DataFrame, MemorySource], bundle: Bundle) -> None:
    rows, source = data
    few = rows.iloc[::3]
    first = _evaluate(bundle, few, source)
    assert _evaluate(bundle, few, source) == first
    other_seed = _evaluate(bundle, few, source, seed=1)
    assert other_seed.clean == first.clean
    assert other_seed.corruptions != first.corruptions


class _RecordingContract(Contract):
    """A contract that records its faces."""

    def apply_batch(self, faces: Sequence[Any]) -> NDArray[np.float32]:
        _RECORDED_FACES[-1].update(face.tobytes() for face in faces)
        return super().apply_batch(faces)


_RECORDED_FACES: list[set[bytes]] = []


def test_every_model_gets_the_same_images(
    data: tuple[pd.DataFrame, MemorySource], make_bundle: Callable[..., Path]
) -> None:
    rows, source = data
    for name, order in (("one", rows), ("other", rows.iloc[::-1])):
        bundle = Bundle.open(make_bundle(name), threads=1)
        bundle.contract = _RecordingContract(**bundle.contract.model_dump())
        _RECORDED_FACES.append(set())
        _evaluate(bundle, order, source, limit=12)
    first, second = _RECORDED_FACES
    assert len(first) > 12 * SEVERITIES * 10
    assert first == second


def test_a_limit_samples_by_id(data: tuple[pd.DataFrame, MemorySource], bundle: Bundle) -> None:
    rows, source = data
    limited = _evaluate(bundle, rows, source, limit=8)
    sampled = set(source.reads)
    assert (limited.n, len(sampled)) == (8, 8)
    source.reads.clear()
    _evaluate(bundle, rows.sample(frac=1, random_state=1), source, limit=8)
    assert set(source.reads) == sampled
    source.reads.clear()
    _evaluate(bundle, rows, source, limit=8, seed=1)
    assert set(source.reads) != sampled
    assert _evaluate(bundle, rows, source, limit=1000).n == 90


def test_unlabeled_and_unreadable_images_are_skipped(data: tuple[pd.DataFrame, MemorySource], bundle: Bundle) -> None:
    rows, source = data
    rows.loc[:9, "label"] = pd.NA
    rows.loc[10:14, "label"] = "contempt"  # not in the model's label set
    del source.files["20.png"]
    source.files["21.png"] = b"no picture"
    assert _evaluate(bundle, rows, source).n == 90 - 15 - 2
    assert "3.png" not in source.reads


def test_votes_are_evaluated_by_majority(data: tuple[pd.DataFrame, MemorySource], bundle: Bundle) -> None:
    rows, source = data
    votes = np.zeros((90, len(VOTE_COLUMNS)), int)
    votes[np.arange(90), np.arange(90) % 3] = 6
    votes[:30, 9] = 6
    rows[list(VOTE_COLUMNS)] = votes
    assert evaluate_robustness(bundle, rows, source, "majority", OperatingPoint.BALANCED, dataset="colors").n == 60


def test_progress_increases_and_can_cancel(data: tuple[pd.DataFrame, MemorySource], bundle: Bundle) -> None:
    progress: list[float] = []
    _evaluate(bundle, *data, progress=lambda done_01, message: progress.append(done_01))
    assert progress == sorted(progress)
    assert progress[-1] == 1.0

    def stop(done_01: float, message: str) -> None:
        raise CancelledError("asked to stop")

    with pytest.raises(CancelledError):
        _evaluate(bundle, *data, progress=stop)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda rows, source: None, {"seed": -1}, "seed=-1 and limit=0 must be 0 or above"),
        (lambda rows, source: None, {"limit": -5}, "limit=-5"),
        (lambda rows, source: rows.assign(label=pd.NA), {}, "no labeled images"),
        (lambda rows, source: source.files.clear(), {}, "None of the 90 labeled images could be read"),
    ],
)
def test_invalid_input_is_refused(
    change: Callable[..., pd.DataFrame | None],
    options: dict[str, int],
    message: str,
    data: tuple[pd.DataFrame, MemorySource],
    bundle: Bundle,
) -> None:
    rows, source = data
    changed = change(rows, source)
    with pytest.raises(InputError, match=message):
        _evaluate(bundle, rows if changed is None else changed, source, **options)


def test_the_majority_protocol_needs_votes(data: tuple[pd.DataFrame, MemorySource], bundle: Bundle) -> None:
    with pytest.raises(InputError, match="needs crowd votes"):
        evaluate_robustness(bundle, *data, "majority", OperatingPoint.ACCURATE, dataset="colors", progress=no_progress)
