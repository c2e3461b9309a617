"""A model against disturbances: a tiny one, whose answers follow the color of a picture."""

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
class Pictures:
    """A source in memory."""

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
def data() -> tuple[pd.DataFrame, Pictures]:
    """90 pictures in the three colors, a tenth of them with the label of another; every ninth is gray."""
    rng = np.random.default_rng(0)
    source, rows = Pictures(), []
    names = list(COLORS)
    for place in range(90):
        shown = names[place % 3]
        face = np.clip(rng.normal(COLORS[shown], 12, (24, 24, 3)), 0, 255).astype(np.uint8)
        pixels = face[:, :, 0] if place % 9 == 0 else face[:, :, ::-1]
        source.files[f"{place}.png"] = cv2.imencode(".png", pixels)[1].tobytes()
        label = names[(place + 1) % 3] if place % 10 == 0 else shown
        rows.append({"id": f"picture-{place}", "path": f"{place}.png", "label": label})
    return pd.DataFrame(rows).astype({"label": "string"}), source


@pytest.fixture
def bundle(make_bundle: Callable[..., Path]) -> Bundle:
    return Bundle.open(make_bundle(), threads=1)


def _measured(bundle: Bundle, rows: pd.DataFrame, source: Pictures, **more: Any) -> RobustnessReport:
    return evaluate_robustness(bundle, rows, source, "argmax", OperatingPoint.ACCURATE, **{"dataset": "colors", **more})


def test_undisturbed_figures_are_those_of_evaluation(data: tuple[pd.DataFrame, Pictures], bundle: Bundle) -> None:
    rows, source = data
    expected = build_report(
        predict_dataset(bundle, rows, source),
        bundle.calibration,
        bundle.contract.label_set,
        "argmax",
        OperatingPoint.ACCURATE,
    )
    source.reads.clear()
    found = _measured(bundle, rows, source, split="test", seed=3)
    for name in HEADLINE_METRICS:
        assert getattr(found.clean, name) == expected.scores[name]
        assert found.clean.intervals[name] == expected.intervals[name]
    assert (found.model, found.dataset, found.split) == ("tiny", "colors", "test")
    assert (found.protocol, found.point, found.n, found.seed) == ("argmax", OperatingPoint.ACCURATE, 90, 3)
    assert sorted(source.reads) == sorted(rows["path"])


def test_each_disturbance_is_measured_at_each_strength(data: tuple[pd.DataFrame, Pictures], bundle: Bundle) -> None:
    found = _measured(bundle, *data)
    assert [curve.name for curve in found.corruptions] == list(CORRUPTIONS)
    for curve, each in zip(found.corruptions, CORRUPTIONS.values(), strict=True):
        assert (curve.title, curve.parameter_range) == (each.title, each.describe_range())
        assert [severity.parameter for severity in curve.severities] == list(each.parameters)
        assert [severity.description for severity in curve.severities] == [
            each.describe(severity) for severity in range(1, SEVERITIES + 1)
        ]
    scores = {c.name: [severity.scores.macro_f1 for severity in c.severities] for c in found.corruptions}
    before = found.clean.macro_f1
    assert before > 0.8
    # It reads colors alone: what moves or blurs plain pictures is nothing to it, and a tint is everything.
    for name in ("blur", "shift", "roll", "close", "over-exposure"):
        assert scores[name] == pytest.approx([before] * SEVERITIES, abs=0.02)
    assert scores["color-cast"][-1] < before - 0.2
    assert found.worst().curve.name == "color-cast"


def test_the_same_twice_and_other_pictures_by_another_seed(data: tuple[pd.DataFrame, Pictures], bundle: Bundle) -> None:
    first = _measured(bundle, *data)
    assert _measured(bundle, *data) == first
    other = _measured(bundle, *data, seed=1)
    assert other.clean == first.clean
    assert other.corruptions != first.corruptions


class _Watched(Contract):
    """A contract that remembers which faces it was given."""

    def apply_batch(self, faces: Sequence[Any]) -> NDArray[np.float32]:
        _SEEN[-1].update(face.tobytes() for face in faces)
        return super().apply_batch(faces)


_SEEN: list[set[bytes]] = []


def test_every_model_is_shown_the_same_pictures(
    data: tuple[pd.DataFrame, Pictures], make_bundle: Callable[..., Path]
) -> None:
    rows, source = data
    for name, order in (("one", rows), ("other", rows.iloc[::-1])):
        bundle = Bundle.open(make_bundle(name), threads=1)
        bundle.contract = _Watched(**bundle.contract.model_dump())
        _SEEN.append(set())
        _measured(bundle, order, source, limit=12)
    one, other = _SEEN
    assert len(one) > 12 * SEVERITIES * 10
    assert one == other


def test_a_limit_draws_by_id_alone(data: tuple[pd.DataFrame, Pictures], bundle: Bundle) -> None:
    rows, source = data
    few = _measured(bundle, rows, source, limit=20)
    drawn = set(source.reads)
    assert (few.n, len(drawn)) == (20, 20)
    source.reads.clear()
    _measured(bundle, rows.sample(frac=1, random_state=1), source, limit=20)
    assert set(source.reads) == drawn
    source.reads.clear()
    _measured(bundle, rows, source, limit=20, seed=1)
    assert set(source.reads) != drawn
    assert _measured(bundle, rows, source, limit=1000).n == 90


def test_what_has_no_label_or_can_not_be_read_is_left_out(data: tuple[pd.DataFrame, Pictures], bundle: Bundle) -> None:
    rows, source = data
    rows.loc[:9, "label"] = pd.NA
    rows.loc[10:14, "label"] = "contempt"  # the model does not know it
    del source.files["20.png"]
    source.files["21.png"] = b"no picture"
    assert _measured(bundle, rows, source).n == 90 - 15 - 2
    assert "3.png" not in source.reads


def test_votes_are_judged_by_majority(data: tuple[pd.DataFrame, Pictures], bundle: Bundle) -> None:
    rows, source = data
    crowd = np.zeros((90, len(VOTE_COLUMNS)), int)
    crowd[np.arange(90), np.arange(90) % 3] = 6
    crowd[:30, 9] = 6
    rows[list(VOTE_COLUMNS)] = crowd
    assert evaluate_robustness(bundle, rows, source, "majority", OperatingPoint.BALANCED, dataset="colors").n == 60


def test_progress_goes_forward_and_can_stop_the_work(data: tuple[pd.DataFrame, Pictures], bundle: Bundle) -> None:
    told: list[float] = []
    _measured(bundle, *data, progress=lambda done_01, message: told.append(done_01))
    assert told == sorted(told)
    assert told[-1] == 1.0

    def stop(done_01: float, message: str) -> None:
        raise CancelledError("asked to stop")

    with pytest.raises(CancelledError):
        _measured(bundle, *data, progress=stop)


@pytest.mark.parametrize(
    ("spoil", "more", "says"),
    [
        (lambda rows, source: None, {"seed": -1}, "seed=-1 and limit=0 must be 0 or above"),
        (lambda rows, source: None, {"limit": -5}, "limit=-5"),
        (lambda rows, source: rows.assign(label=pd.NA), {}, "no labeled images"),
        (lambda rows, source: source.files.clear(), {}, "None of the 90 labeled images could be read"),
    ],
)
def test_bad_input_is_refused_in_words(
    spoil: Callable[..., pd.DataFrame | None],
    more: dict[str, int],
    says: str,
    data: tuple[pd.DataFrame, Pictures],
    bundle: Bundle,
) -> None:
    rows, source = data
    spoilt = spoil(rows, source)
    with pytest.raises(InputError, match=says):
        _measured(bundle, rows if spoilt is None else spoilt, source, **more)


def test_majority_needs_votes(data: tuple[pd.DataFrame, Pictures], bundle: Bundle) -> None:
    with pytest.raises(InputError, match="needs crowd votes"):
        evaluate_robustness(bundle, *data, "majority", OperatingPoint.ACCURATE, dataset="colors", progress=no_progress)
