"""Notes and tags of runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fer_core.errors import RunError
from fer_core.runs.folder import Run, RunState, create_run, delete_run
from fer_core.runs.notes import (
    NOTE_CHARACTERS_MAX,
    NOTES_FILE,
    TAG_CHARACTERS_MAX,
    TAGS_MAX,
    RunNotes,
    read_notes,
    write_notes,
)
from fer_core.settings import Settings
from tests.support.runs import make_run

WRITER = """
import os, sys
from pathlib import Path
from fer_core.runs.notes import write_notes
from fer_core.runs.folder import Run
run = Run(Path(sys.argv[1]))
"""
KILLED = (
    WRITER
    + """
Path.replace = lambda *_: os._exit(9)
write_notes(run, text="the new one", add=["new"])
"""
)
ADDING = (
    WRITER
    + """
import time
Path(sys.argv[1], sys.argv[2]).touch()
while not Path(sys.argv[1], "go").exists():
    time.sleep(0.001)
for number in range(6):
    write_notes(run, add=[f"{sys.argv[2]}-{number}"])
"""
)


@pytest.fixture
def run(store: Settings) -> Run:
    return create_run("one", "dataset: ferplus\n", store)


def test_a_new_run_has_no_notes(run: Run) -> None:
    assert read_notes(run) == RunNotes()
    assert not run.path(NOTES_FILE).exists()


def test_notes_round_trip(run: Run) -> None:
    saved = write_notes(run, text="Läuft.\nZweite Zeile  \n", add=["good", "über-fit", "v1.2"])
    assert (saved.text, saved.tags) == ("Läuft.\nZweite Zeile", ("good", "v1.2", "über-fit"))
    assert read_notes(run) == saved
    assert saved.saved


def test_note_and_tags_are_independent(run: Run) -> None:
    write_notes(run, text="first", add=["good", "bad"])
    assert write_notes(run, remove=["bad", "never-there"], add=["good"]).text == "first"
    assert write_notes(run, text="second").tags == ("good",)
    assert write_notes(run, text="").text == ""


def test_unchanged_notes_are_not_written(run: Run) -> None:
    write_notes(run, text="first", add=["good"])
    mtime = run.path(NOTES_FILE).stat().st_mtime_ns
    write_notes(run, text="first\n", add=["good"], remove=["bad"])
    assert run.path(NOTES_FILE).stat().st_mtime_ns == mtime


@pytest.mark.parametrize("tag", ["", "Good", "two words", "-good", "a,b", "a/b", "*", "x" * (TAG_CHARACTERS_MAX + 1)])
def test_an_invalid_tag_is_refused(run: Run, tag: str) -> None:
    write_notes(run, add=["good"])
    with pytest.raises(RunError, match="tag"):
        write_notes(run, add=["fine", tag])
    assert read_notes(run).tags == ("good",)


def test_limits_are_named(run: Run) -> None:
    write_notes(run, text="x" * NOTE_CHARACTERS_MAX, add=[f"t{number}" for number in range(TAGS_MAX)])
    with pytest.raises(RunError, match=f"at most {TAGS_MAX} tags and would have {TAGS_MAX + 1}"):
        write_notes(run, add=["more"])
    with pytest.raises(RunError, match="4,001 characters; 4,000 are the most"):
        write_notes(run, text="x" * (NOTE_CHARACTERS_MAX + 1))
    with pytest.raises(RunError, match="not UTF-8 at character 2"):
        write_notes(run, text="a\udcff")
    assert write_notes(run, add=["more"], remove=["t0"]).tags[0] == "more"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"3", b'{"text": 1}', b'{"tags": [1]}', b'{"tags": 3}', b'{"mood": "good"}', b"\xff\xfe"],
)
def test_a_damaged_file_is_an_error_and_kept(run: Run, content: bytes) -> None:
    run.path(NOTES_FILE).write_bytes(content)
    with pytest.raises(RunError, match=r"notes\.json of the run one is damaged"):
        read_notes(run)
    with pytest.raises(RunError, match="damaged"):
        write_notes(run, text="instead", add=["good"])
    assert run.path(NOTES_FILE).read_bytes() == content


def test_notes_do_not_affect_the_state_of_a_run(store: Settings) -> None:
    run = make_run("whole", store)
    write_notes(run, text="good")
    assert run.state is RunState.FINISHED
    run.path(NOTES_FILE).write_bytes(b"{")
    assert run.state is RunState.FINISHED


def test_a_deleted_run_is_not_recreated(run: Run, store: Settings) -> None:
    delete_run(run.id, store)
    with pytest.raises(RunError, match="was deleted"):
        write_notes(run, text="too late")
    assert not run.folder.exists()


def test_a_note_that_changed_meanwhile_is_not_overwritten(run: Run) -> None:
    write_notes(run, text="first")
    write_notes(run, text="theirs", expected_text="first")
    with pytest.raises(RunError, match="changed meanwhile"):
        write_notes(run, text="mine", expected_text="first", add=["mine"])
    assert (read_notes(run).text, read_notes(run).tags) == ("theirs", ())
    assert write_notes(run, text="theirs", expected_text="first").text == "theirs"
    assert write_notes(run, text="mine", expected_text="theirs").text == "mine"


def test_a_crash_before_the_rename_loses_nothing(run: Run) -> None:
    notes_before = write_notes(run, text="the old one", add=["old"])
    assert _start_python(KILLED, run).wait(60) == 9
    assert read_notes(run) == notes_before
    assert write_notes(run, add=["next"]).tags == ("next", "old")  # the lock of the crashed process is released


def test_concurrent_processes_lose_nothing(run: Run) -> None:
    writers = [_start_python(ADDING, run, name) for name in ("a", "b")]
    while not all(run.path(name).exists() for name in ("a", "b")) and all(writer.poll() is None for writer in writers):
        time.sleep(0.01)
    run.path("go").touch()
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert set(read_notes(run).tags) == {f"{name}-{number}" for name in ("a", "b") for number in range(6)}


def test_concurrent_threads_lose_nothing(run: Run) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: write_notes(run, add=[f"t{number}"]), range(TAGS_MAX)))
    assert len(read_notes(run).tags) == TAGS_MAX


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_reported(run: Run) -> None:
    run.folder.chmod(0o500)
    with pytest.raises(RunError, match="were not saved"):
        write_notes(run, text="no")


def test_the_file_is_plain_json(run: Run) -> None:
    write_notes(run, text="first", add=["good"])
    content = json.loads(run.path(NOTES_FILE).read_text())
    assert (content["text"], content["tags"]) == ("first", ["good"])


def _start_python(code: str, run: Run, *arguments: str) -> subprocess.Popen[bytes]:
    folder = Path(__file__).resolve().parents[3]
    return subprocess.Popen([sys.executable, "-c", code, str(run.folder), *arguments], cwd=folder)
