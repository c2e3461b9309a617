"""Show errors on a page: FERscope's own messages, or a general one with the traceback folded away."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from fer_core.errors import CancelledError, FerscopeError
from fer_ui.frame.header import notice

_log = logging.getLogger(__name__)

UNEXPECTED_ERROR = "Something went wrong. What you entered is kept. Try again, or report the details below."


@contextmanager
def show_errors() -> Iterator[None]:
    """Show exceptions of the block instead of letting them end the page; the rest of the page still runs.

    What Streamlit raises to stop or rerun a script is no `Exception` and passes through.
    """
    try:
        yield
    except CancelledError as error:
        notice("info", str(error))
    except FerscopeError as error:
        notice("error", str(error))
    except Exception:  # noqa: BLE001  the boundary of a page
        _log.exception("A page failed")
        notice("error", UNEXPECTED_ERROR)
        with st.expander("Details"):
            st.code(traceback.format_exc(), language=None, wrap_lines=True)
