from __future__ import annotations

import json
from dataclasses import asdict

from fer_core.runs.facts import FACTS_FILE, RunFacts
from fer_core.runs.folder import create_run
from fer_core.settings import Settings

FACTS = RunFacts(
    resumed=False,
    device="cpu",
    environment={"torch": "2.15", "device": "cpu", "processor": "a processor", "threads": "2"},
    precision="bf16",
    precision_reason="as asked",
    keeps_memory=True,
    image_source="the pack on disk",
    architecture="small-resnet",
    parameters=1_574_384,
    multiply_adds=175_676_928,
    images={"train": 1200, "valid": 80, "test": 0, "excluded": 3},
)


def test_facts_round_trip(store: Settings) -> None:
    run = create_run("one", "dataset: faces\n", store)
    assert run.facts() is None, "not started yet"
    run.write(FACTS_FILE, json.dumps(asdict(FACTS)).encode())
    assert run.facts() == FACTS


def test_facts_of_another_version_are_ignored(store: Settings) -> None:
    run = create_run("one", "dataset: faces\n", store)
    run.write(FACTS_FILE, json.dumps({**asdict(FACTS), "cores": 2}).encode())
    assert run.facts() is None


def test_log_lines_contain_the_facts() -> None:
    lines = "\n".join(FACTS.log_lines)
    for text in ("started on cpu, torch 2.15", "the pack on disk", "processor a processor", "threads 2", "bf16"):
        assert text in lines
    for text in ("1,200 train", "80 valid", "3 excluded", "1,574,384 parameters", "175,676,928"):
        assert text in lines
    assert " test" not in lines.split("images: ")[1].split(";")[0], "an empty split is omitted"
