"""How errors are shown: ours in their own words, anything else in one calm sentence with its details folded away."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from fer_core.errors import CancelledError, FerscopeError
from fer_ui.header import notice

_log = logging.getLogger(__name__)

FAULT = "Something went wrong on our side; nothing you entered is lost. Try again, or report the details below."


@contextmanager
def show_errors() -> Iterator[None]:
    """Show what goes wrong inside instead of letting it end the page.

    What Streamlit itself raises to stop or rerun a script is no `Exception` and passes through. The rest of the page
    after the block still runs.
    """
    try:
        yield
    except CancelledError as error:
        notice("info", str(error))
    except FerscopeError as error:
        notice("error", str(error))
    except Exception:  # noqa: BLE001  the boundary between a page and its visitor
        _log.exception("A page failed")
        notice("error", FAULT)
        with st.expander("Details"):
            st.code(traceback.format_exc(), language=None, wrap_lines=True)
