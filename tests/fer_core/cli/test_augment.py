from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_core.cli import augment
from fer_core.data.catalog import import_dataset
from fer_core.errors import DatasetError, InputError
from fer_core.settings import Settings

Cli = Callable[..., str]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run the command in this process and return its output."""
    parser = argparse.ArgumentParser()
    augment.add_command(parser.add_subparsers())

    def run(*arguments: object) -> str:
        parsed = parser.parse_args(["augment", *map(str, arguments)])
        parsed.run(parsed)
        return capsys.readouterr().out

    return run


@pytest.fixture
def ids(store: Settings, archive: Path) -> list[str]:
    """Ids of a few images of the dataset `mine`."""
    return import_dataset(archive, store, dataset_id="mine").index(["id"])["id"].head(3).tolist()


def test_a_contact_sheet_is_written(cli: Cli, ids: list[str], tmp_path: Path) -> None:
    out = tmp_path / "faces.png"
    id_options = [f"--id={name}" for name in ids]
    message = cli("mine", "--policy=study-b", *id_options, "--draws=4", f"--out={out}")
    assert "Study B" in message and str(out) in message and "3 faces" in message
    sheet = cv2.imread(str(out), cv2.IMREAD_UNCHANGED)
    assert sheet is not None
    assert sheet.shape == (3 * 100 + 4, 5 * 100 + 8)  # 48 px faces, twice as large, 4 px apart


def test_arrays_have_the_given_seeds(cli: Cli, ids: list[str], tmp_path: Path) -> None:
    out = tmp_path / "faces.npz"
    id_options = [f"--id={name}" for name in ids]
    message = cli(
        "mine", "--policy=strong", *id_options, "--draws=2", "--seed=7", "--seeds=3", f"--out={out}", "--json"
    )
    result = json.loads(message)
    assert (result["ids"], result["seeds"], result["size_px"], result["color"]) == (ids, [7, 8, 9], 48, "gray")
    with np.load(out) as arrays:
        assert {name: arrays[name].shape for name in arrays} == dict.fromkeys("789", (3, 3, 48, 48))
        cli("mine", "--policy=strong", *id_options, "--draws=2", "--seed=8", f"--out={tmp_path / 'again.npz'}")
        with np.load(tmp_path / "again.npz") as repeated:
            np.testing.assert_array_equal(arrays["8"], repeated["8"])
        assert (arrays["7"] != arrays["8"]).any()


def test_another_network_has_another_size_and_color(cli: Cli, ids: list[str], tmp_path: Path) -> None:
    out = tmp_path / "faces.npz"
    cli("mine", "--policy=none", f"--id={ids[0]}", "--draws=1", "--network=shallow-cnn", f"--out={out}")
    with np.load(out) as arrays:
        assert arrays["0"].shape == (1, 2, 224, 224, 3)


def test_a_policy_file_is_used(cli: Cli, ids: list[str], tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("title: Mine\naugment: {flip_prob: 1}\n")
    out = tmp_path / "faces.npz"
    cli("mine", f"--policy={tmp_path / 'mine.yaml'}", f"--id={ids[0]}", "--draws=1", f"--out={out}")
    with np.load(out) as arrays:
        original, flipped = arrays["0"][0].astype(int)
    assert np.abs(flipped - original[:, ::-1]).max() <= 1


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (["--out=faces.jpg"], InputError, "faces.jpg ends with neither .png nor .npz"),
        (["--out=faces.png", "--seeds=2"], InputError, "--seeds 2 is out of range"),
        (["--out=faces.npz", "--seeds=0"], InputError, "--seeds 0 is out of range"),
        (["--out=faces.png", "--seed=-1"], InputError, "--seed -1 is out of range"),
        (["--out=faces.png", "--draws=0"], InputError, "0 draws were requested"),
        (["--out=faces.png", "--policy=strnog"], InputError, "'strnog'.*study-b"),
        (["--out=faces.png", "--network=vgg"], InputError, "'vgg'.*small-resnet"),
        (["--out=faces.png", "--id=nobody"], DatasetError, "no image 'nobody'"),
    ],
)
def test_bad_input_is_an_error_and_nothing_is_written(
    options: list[str],
    error: type[Exception],
    message: str,
    cli: Cli,
    ids: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    files_before = sorted(tmp_path.iterdir())
    with pytest.raises(error, match=message):
        cli("mine", "--policy=none", f"--id={ids[0]}", *options)
    assert sorted(tmp_path.iterdir()) == files_before
