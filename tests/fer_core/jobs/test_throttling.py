from __future__ import annotations

import os
import time

from fer_core.jobs.throttling import REQUEST_LASTS_S, request_throttling, throttling_requested
from fer_core.settings import Settings


def test_a_throttling_request_expires(quick: Settings) -> None:
    assert not throttling_requested(quick)
    request_throttling(quick)
    assert throttling_requested(quick)
    past = time.time() - REQUEST_LASTS_S - 1
    os.utime(quick.store / "live-view", (past, past))
    assert not throttling_requested(quick)
    request_throttling(quick)
    assert throttling_requested(quick), "it is renewed"


def test_a_read_only_store_is_ignored(quick: Settings) -> None:
    quick.store.parent.mkdir(parents=True, exist_ok=True)
    quick.store.write_text("a file where the folder should be")
    request_throttling(quick)
    assert not throttling_requested(quick)
