from __future__ import annotations

from pathlib import Path

from fer_core.jobs.log import follow_log, tail_log


def test_the_last_lines_of_a_log(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    assert tail_log(path, 3) == ""
    path.write_text("\n".join(f"line {number}" for number in range(50_000)))
    assert tail_log(path, 2) == "line 49998\nline 49999"


def test_following_a_log_yields_each_character_once(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    written = "grün, then more\n".encode()
    chunks = [b"", written[:3], written[3:7], written[7:]]  # the second chunk ends within a character

    def ended() -> bool:
        if chunks:
            with path.open("ab") as log:
                log.write(chunks.pop(0))
        return not chunks

    texts = list(follow_log(path, ended, interval_s=0))
    assert "".join(texts) == "grün, then more\n" and len(texts) > 1


def test_following_a_job_without_a_log_ends(tmp_path: Path) -> None:
    assert list(follow_log(tmp_path / "none.log", lambda: True)) == []
