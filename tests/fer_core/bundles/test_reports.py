from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from fer_core.bundles.reports import read_evaluations, read_report
from fer_core.files.atomic import write_json
from tests.fer_core.bundles.measured import measure


def test_evaluations_are_read_by_file_name_and_invalid_files_skipped(make_bundle: Callable[..., Path]) -> None:
    folder = make_bundle()
    assert read_evaluations(folder) == []
    measure(folder)
    reports = json.loads((folder / "report.json").read_text())["test"]
    (folder / "evaluations").mkdir()
    write_json(folder / "evaluations" / "b.json", {"dataset": "Both points", "reports": reports, "note": "By hand."})
    write_json(folder / "evaluations" / "a.json", reports[0])
    write_json(folder / "evaluations" / "c.json", {"note": "no figures"})
    for name, content in {"d": "{", "e": "[]", "f": '"text"', "g": '{"reports": 3}'}.items():
        (folder / "evaluations" / f"{name}.json").write_text(content)
    single, multiple = read_evaluations(folder)
    assert (single.dataset, single.note) == ("a", "")
    assert single.reports[0].scores == read_report(folder)["test"][0].scores
    assert (multiple.dataset, multiple.note, len(multiple.reports)) == ("Both points", "By hand.", len(reports))
