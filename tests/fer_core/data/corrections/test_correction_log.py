from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from fer_core.data.corrections.correction_log import CORRECTIONS_FILE, Action
from fer_core.data.corrections.corrections import Corrections
from fer_core.errors import DatasetError

_PROJECT = Path(__file__).resolve().parents[4]
_ADD_CHANGES = """
import sys
from pathlib import Path
from fer_core.data.corrections.correction_log import Action
from fer_core.data.corrections.corrections import Corrections
corrections = Corrections.open(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[2])):
    print(corrections.mark(Action.EXCLUDE, [f"{number}.png"] * 3 + ["x" * 5000], sys.argv[3]), flush=True)
"""


def _start_writer(folder: Path, count: int, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _ADD_CHANGES, str(folder), str(count), name]
    process = subprocess.Popen(command, cwd=_PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def _signal_start(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def test_special_characters_in_ids_and_notes_are_preserved(folder: Path) -> None:
    ids = ["ä/ 1.png", 'q"\\.png', "line\nbreak\r.png", "\u2028.png", "顔.png"]
    Corrections.open(folder).mark(Action.EXCLUDE, ids, "blank", note="two\nlines")
    (change,) = Corrections.open(folder).history()
    assert change.ids == tuple(ids) and change.note == "two\nlines"
    assert (folder / CORRECTIONS_FILE).read_bytes().count(b"\n") == 1


def test_a_truncated_file_opens_and_can_be_appended_to(folder: Path) -> None:
    corrections = Corrections.open(folder)
    corrections.mark(Action.EXCLUDE, ["1.png"], "blank")
    corrections.mark(Action.AMBIGUOUS, ["2.png"])
    path = folder / CORRECTIONS_FILE
    content = path.read_bytes()
    first = content.index(b"\n") + 1
    for size in range(len(content) + 1):
        path.write_bytes(content[:size])
        truncated = Corrections.open(folder)
        assert truncated.version == (0 if size < first else 1 if size < len(content) else 2)
        changes = truncated.history()[::-1]
        assert truncated.mark(Action.RESTORE, ["3.png"]) == len(changes) + 1
        assert [change.action for change in Corrections.open(folder).history()[::-1]] == [
            *(change.action for change in changes),
            Action.RESTORE,
        ]


@pytest.mark.parametrize(
    "line",
    [
        b"\x00\x00\x00",
        b"[]",
        b'{"version":2,"time":"","action":"explode"}',
        b'{"version":3,"time":"","action":"exclude"}',
        b'{"version":2,"time":"","action":"undo","undoes":2}',
        b'{"version":2,"time":"","action":"exclude","by":"me"}',
        b'{"version":2,"action":"exclude"}',
    ],
)
def test_a_damaged_line_is_reported_and_nothing_is_appended(folder: Path, line: bytes) -> None:
    corrections = Corrections.open(folder)
    corrections.mark(Action.EXCLUDE, ["1.png"], "blank")
    path = folder / CORRECTIONS_FILE
    path.write_bytes(path.read_bytes() + line + b"\n")
    content = path.read_bytes()
    with pytest.raises(DatasetError, match=r"Line 2 of .*corrections\.jsonl is damaged"):
        Corrections.open(folder)
    with pytest.raises(DatasetError, match="Line 2"):
        corrections.mark(Action.EXCLUDE, ["2.png"], "blank")
    assert path.read_bytes() == content


def test_a_rewritten_history_has_a_different_fingerprint(folder: Path) -> None:
    corrections = Corrections.open(folder)
    corrections.mark(Action.EXCLUDE, ["1.png"], "blank")
    corrections.mark(Action.AMBIGUOUS, ["2.png"])
    path = folder / CORRECTIONS_FILE
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[0]["ids"] = ["7.png"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    rewritten = Corrections.open(folder)
    assert rewritten.fingerprint(0) == corrections.fingerprint(0)
    assert rewritten.fingerprint(1) != corrections.fingerprint(1)
    assert rewritten.fingerprint() != corrections.fingerprint()


def test_a_deleted_dataset_folder_is_not_recreated(folder: Path) -> None:
    corrections = Corrections.open(folder)
    folder.rmdir()
    with pytest.raises(DatasetError, match="is gone"):
        corrections.mark(Action.EXCLUDE, ["1.png"], "blank")
    assert not folder.exists()


def test_a_change_that_cannot_be_written_is_reported(folder: Path) -> None:
    corrections = Corrections.open(folder)
    (folder / CORRECTIONS_FILE).mkdir()
    with pytest.raises(DatasetError, match="were not saved"):
        corrections.mark(Action.EXCLUDE, ["1.png"], "blank")
    with pytest.raises(DatasetError, match="can't be read"):
        Corrections.open(folder)
    assert corrections.version == 0


def test_concurrent_writers_create_unique_versions(folder: Path) -> None:
    writers = [_start_writer(folder, 25, name) for name in ("one", "two")]
    versions: list[int] = []

    def add() -> None:
        corrections = Corrections.open(folder)
        versions.extend(corrections.mark(Action.AMBIGUOUS, [f"{number}.png"], "here") for number in range(15))

    threads = [threading.Thread(target=add) for _ in range(2)]
    for writer in writers:
        _signal_start(writer)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for writer in writers:
        versions += map(int, writer.communicate(timeout=60)[0].split())
        assert writer.returncode == 0
    assert sorted(versions) == list(range(1, 81))
    history = Corrections.open(folder).history()
    assert len(history) == 80
    assert [sum(change.reason == name for change in history) for name in ("one", "two", "here")] == [25, 25, 30]


def test_a_killed_writer_leaves_a_readable_file(folder: Path) -> None:
    version = 0
    for attempt in range(4):
        writer = _start_writer(folder, 100_000, "killed")
        _signal_start(writer)
        assert writer.stdout is not None
        version = int(writer.stdout.readline())
        time.sleep(0.01 * attempt)
        writer.kill()
        version = max([version, *map(int, writer.communicate(timeout=60)[0].split("\n")[:-1])])
        corrections = Corrections.open(folder)
        assert corrections.version in (version, version + 1), "a version that was printed is stored"
        assert corrections.mark(Action.AMBIGUOUS, ["1.png"]) == corrections.version
    assert version > 4
