"""The command `robustness`, on synthetic faces."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_core.cli.main import main
from fer_core.corruptions.corruption import CORRUPTIONS
from fer_core.evaluation.robustness_report import RobustnessReport, read_robustness
from fer_core.system.allocator import MALLOC_SETTINGS

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(archive: Path, bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run the command on the archive and the tiny model; return exit code, output and messages."""
    for name, value in MALLOC_SETTINGS.items():  # as in a restarted process
        monkeypatch.setenv(name, value)

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["robustness", "--model", bundle.name, "--data", str(archive), *map(str, arguments)])
        return code, *capsys.readouterr()

    return run


def test_the_report_is_printed_and_saved(cli: Cli, tmp_path: Path) -> None:
    out_path = tmp_path / "robustness.json"
    options = ("--split", "train", "--protocol", "majority", "--point", "balanced", "--limit", 12, "--seed", 5)
    code, out, messages = cli(*options, "--out", out_path, "--json")
    assert code == 0
    assert "100.0%" in messages
    report = read_robustness(tmp_path)
    assert report is not None
    assert json.loads(out) == report.model_dump(mode="json")
    assert (report.model, report.dataset, report.split) == ("tiny", "faces.zip", "train")
    assert (report.protocol, report.point, report.n, report.seed) == ("majority", "balanced", 12, 5)
    assert len(report.corruptions) == len(CORRUPTIONS)
    assert 0 < report.clean.accuracy <= 1


def test_the_text_has_a_row_per_corruption(cli: Cli) -> None:
    code, out, _ = cli("--limit", 6)
    assert code == 0
    assert "6 faces of faces.zip, argmax protocol, accurate point, seed 0" in out
    assert "Clean images:" in out
    header_index = next(index for index, line in enumerate(out.splitlines()) if line.startswith("corruption "))
    table = out.splitlines()[header_index : header_index + 1 + len(CORRUPTIONS)]
    assert table[0].split() == ["corruption", "range", "1", "2", "3", "4", "5"]
    assert [line.split("  ")[0] for line in table[1:]] == [corruption.title for corruption in CORRUPTIONS.values()]


def test_the_images_are_those_of_evaluate(
    cli: Cli, archive: Path, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = cli("--split", "val", "--json")
    report = RobustnessReport.model_validate_json(out)
    main(["evaluate", "--model", bundle.name, "--data", str(archive), "--split", "val", "--json"])
    evaluation = json.loads(capsys.readouterr().out)
    assert report.split == "valid"
    assert (report.n, report.clean.macro_f1) == (evaluation["n"], evaluation["macro_f1"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--split", "rest"), "'rest' is not a split"),
        (("--limit", "-1"), "limit=-1"),
        (("--seed", "-1"), "seed=-1"),
        (("--out", "no/such/folder/r.json"), "r.json can't be written"),
        (("--out", "."), "Give a file in an existing folder"),
    ],
)
def test_bad_input_is_a_one_line_error(arguments: tuple[str, ...], message: str, cli: Cli) -> None:
    code, out, messages = cli(*arguments, "--json")
    assert (code, out) == (2, "")
    assert message in next(line for line in messages.splitlines() if line.startswith("error: "))
    assert "Traceback" not in messages
