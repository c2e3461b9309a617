from __future__ import annotations

import subprocess
import sys

import pytest

_LOOP = """
import resource, sys
import numpy as np
from fer_core.system.allocator import retain_freed_memory

if sys.argv[1] == "kept":
    retain_freed_memory()

def step():
    blocks = [np.ones(2**23, np.uint8) for _ in range(4)]
    del blocks

for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _page_faults(mode: str) -> int:
    result = subprocess.run([sys.executable, "-c", _LOOP, mode], capture_output=True, text=True, check=True, timeout=60)
    return int(result.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="The thresholds are glibc's.")
def test_retained_memory_causes_no_page_faults() -> None:
    assert _page_faults("kept") * 10 < _page_faults("given back")


_CHURN = """
import sys
import numpy as np
from fer_core.system.allocator import return_freed_memory

if sys.argv[1] == "given back":
    return_freed_memory()

def resident_mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 // 2**20

np.ones(24 * 2**20, np.uint8)  # raises glibc's threshold, so that it keeps smaller blocks
before, pins = resident_mb(), []
frames = []
for _ in range(100):
    frames.append(np.ones(2**20, np.uint8))
    pins.append(bytes(3000))
del frames
print(resident_mb() - before)
"""


def _remaining_mb(mode: str) -> int:
    result = subprocess.run(
        [sys.executable, "-c", _CHURN, mode], capture_output=True, text=True, check=True, timeout=60
    )
    return int(result.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="The thresholds are glibc's.")
def test_the_server_returns_the_memory_of_frames() -> None:
    assert _remaining_mb("given back") < 20 < 80 < _remaining_mb("as glibc does")
