"""A time limit for the patterns of a manifest: some regular expressions need years for one file name.

Python's `re` can't be interrupted, except by ending its process. So a short-lived process searches all names first.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

from fer_core.data.manifest import Manifest
from fer_core.errors import DatasetError
from fer_core.text import shorten

LIMIT_S = 10.0
_NAMES_PER_S = 20_000
"""A plain pattern is a hundred times as fast, also on a busy machine."""
_SHOWN = 60

_SEARCH = """
import json, re, sys
patterns, names = json.load(sys.stdin)
for number, pattern in enumerate(patterns):
    print(number, flush=True)
    search = re.compile(pattern).search
    for name in names:
        search(name)
"""


def check_pattern_speed(manifest: Manifest, names: Sequence[str], limit_s: float | None = None) -> None:
    """Check that a manifest's patterns can be searched in file names in a reasonable time.

    Args:
        names: paths, of which the part after the last slash is searched.
        limit_s: for the start and a few names, by default `LIMIT_S`; many names get more time.
    Raises:
        DatasetError: they can't; the message names the pattern, the limit and the remedy.
    """
    patterns = [manifest.label_pattern, manifest.identity_pattern, *manifest.subgroup_patterns.values()]
    patterns = [pattern for pattern in patterns if pattern]
    files = list(dict.fromkeys(name.rpartition("/")[2] for name in names))
    if not patterns or not files:
        return
    limit_s = (LIMIT_S if limit_s is None else limit_s) + len(patterns) * len(files) / _NAMES_PER_S
    try:
        subprocess.run(
            [sys.executable, "-I", "-S", "-c", _SEARCH],
            input=json.dumps([patterns, files]).encode(),
            capture_output=True,
            timeout=limit_s,
            check=True,
        )
    except subprocess.TimeoutExpired as exc:
        begun = (exc.stdout or b"0").split()
        slow = shorten(patterns[int(begun[-1])], _SHOWN)
        raise DatasetError(
            f"The pattern {slow!r} was not found or ruled out in {len(files):,} file names within {limit_s:.0f} s. "
            "Simplify it: with a repetition within a repetition, such as (a+)+, each further letter doubles the time. "
            "Write (a+) instead."
        ) from None
    except (OSError, subprocess.CalledProcessError) as exc:
        raise DatasetError(f"The patterns could not be tried in a process of their own: {exc}. Try again.") from exc
