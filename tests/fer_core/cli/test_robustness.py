"""The command `robustness`, on drawn faces."""

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
    """The command on the archive and the tiny model, with further arguments: exit code, output, messages."""
    for name, value in MALLOC_SETTINGS.items():  # as in a process that was restarted already
        monkeypatch.setenv(name, value)

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["robustness", "--model", bundle.name, "--data", str(archive), *map(str, arguments)])
        return code, *capsys.readouterr()

    return run


def test_the_figures_are_printed_and_kept(cli: Cli, tmp_path: Path) -> None:
    kept = tmp_path / "robustness.json"
    chosen = ("--split", "train", "--protocol", "majority", "--point", "balanced", "--limit", 12, "--seed", 5)
    code, out, messages = cli(*chosen, "--out", kept, "--json")
    assert code == 0
    assert "100.0%" in messages
    report = read_robustness(tmp_path)
    assert report is not None
    assert json.loads(out) == report.model_dump(mode="json")
    assert (report.model, report.dataset, report.split) == ("tiny", "faces.zip", "train")
    assert (report.protocol, report.point, report.n, report.seed) == ("majority", "balanced", 12, 5)
    assert len(report.corruptions) == len(CORRUPTIONS)
    assert 0 < report.clean.accuracy <= 1


def test_the_text_is_a_row_a_disturbance(cli: Cli) -> None:
    code, out, _ = cli("--limit", 6)
    assert code == 0
    assert "6 faces of faces.zip, argmax protocol, accurate point, seed 0" in out
    assert "Clean images:" in out
    head = next(place for place, line in enumerate(out.splitlines()) if line.startswith("corruption "))
    table = out.splitlines()[head : head + 1 + len(CORRUPTIONS)]
    assert table[0].split() == ["corruption", "range", "1", "2", "3", "4", "5"]
    assert [line.split("  ")[0] for line in table[1:]] == [each.title for each in CORRUPTIONS.values()]


def test_it_judges_the_images_that_evaluation_judges(
    cli: Cli, archive: Path, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = cli("--split", "val", "--json")
    report = RobustnessReport.model_validate_json(out)
    main(["evaluate", "--model", bundle.name, "--data", str(archive), "--split", "val", "--json"])
    evaluated = json.loads(capsys.readouterr().out)
    assert report.split == "valid"
    assert (report.n, report.clean.macro_f1) == (evaluated["n"], evaluated["macro_f1"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--split", "rest"), "'rest' is not a split"),
        (("--limit", "-1"), "limit=-1"),
        (("--seed", "-1"), "seed=-1"),
        (("--out", "no/such/folder/r.json"), "r.json can't be written"),
        (("--out", "."), "Give a file in an existing folder"),
    ],
)
def test_bad_input_is_one_clear_line(arguments: tuple[str, ...], says: str, cli: Cli) -> None:
    code, out, messages = cli(*arguments, "--json")
    assert (code, out) == (2, "")
    assert says in next(line for line in messages.splitlines() if line.startswith("error: "))
    assert "Traceback" not in messages
