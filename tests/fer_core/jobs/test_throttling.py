from __future__ import annotations

import os
import time

from fer_core.jobs.throttling import SIGN_LASTS_S, ask_to_yield, asked_to_yield
from fer_core.settings import Settings


def test_a_sign_grows_old(quick: Settings) -> None:
    assert not asked_to_yield(quick)
    ask_to_yield(quick)
    assert asked_to_yield(quick)
    past = time.time() - SIGN_LASTS_S - 1
    os.utime(quick.store / "live-view", (past, past))
    assert not asked_to_yield(quick)
    ask_to_yield(quick)
    assert asked_to_yield(quick), "it is renewed"


def test_a_store_that_cannot_be_written_to_is_passed_over(quick: Settings) -> None:
    quick.store.parent.mkdir(parents=True, exist_ok=True)
    quick.store.write_text("a file where the folder should be")
    ask_to_yield(quick)
    assert not asked_to_yield(quick)
