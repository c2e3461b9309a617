"""Class activation maps beside faces: shown when asked for, and an honest sentence where there are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.bundles.catalog import SHIPPED_FOLDER
from fer_core.inference.class_activation import NO_MAPS


def view(folder: str) -> None:
    from pathlib import Path

    import numpy as np

    from fer_core.labels import Expression
    from fer_ui.predict.activation_map import show_activation_maps

    faces = [np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)] * 2
    show_activation_maps("test", Path(folder), faces, [Expression.FEAR, Expression.ANGER])


def open_view(folder: Path) -> AppTest:
    return AppTest.from_function(view, default_timeout=60, kwargs={"folder": str(folder)}).run()


def test_maps_are_of_the_predictions_or_of_one_expression() -> None:
    app = open_view(SHIPPED_FOLDER)
    assert not app.get("image"), "nothing is computed before it is asked for"
    app.toggle[0].set_value(True).run()
    (pictures,) = app.get("image")
    assert [each.caption for each in pictures.proto.imgs] == ["Face 1: Fear", "Face 2: Anger"]
    app.selectbox[0].set_value("sadness").run()
    (pictures,) = app.get("image")
    assert [each.caption for each in pictures.proto.imgs] == ["Face 1: Sadness", "Face 2: Sadness"]


def test_a_network_without_maps_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_core.inference.network_features.FeatureNetwork.has_maps", False)
    app = open_view(SHIPPED_FOLDER)
    app.toggle[0].set_value(True).run()
    assert NO_MAPS in app.error[0].value.replace("\\", "")
