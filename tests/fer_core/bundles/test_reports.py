from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from fer_core.bundles.reports import read_evaluations, read_report
from fer_core.files.atomic import write_json
from tests.fer_core.bundles.measured import measure


def test_evaluations_are_read_by_file_name_and_what_is_none_is_passed_over(make_bundle: Callable[..., Path]) -> None:
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
    alone, both = read_evaluations(folder)
    assert (alone.dataset, alone.note) == ("a", "")
    assert alone.reports[0].scores == read_report(folder)["test"][0].scores
    assert (both.dataset, both.note, len(both.reports)) == ("Both points", "By hand.", len(reports))
