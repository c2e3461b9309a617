"""`python -m fer_ui.serve [streamlit options]`: start the app; `make run` does.

`streamlit run app.py` works too, but greets the very first visitor of a server with "Page not found" when the visit
begins with a link to a page: Streamlit takes the folder `pages` beside `app.py` for pages of its older kind until
`app.py` has run once. Here it is told beforehand. A test opens such a link on a fresh server.

Before everything it serves it puts the gate (`fer_ui/auth.py`), which asks for a token where the app can be reached
from other machines.

It also watches over the supervisor from the start, so that jobs go on after a crash before anybody opens a page.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from streamlit.runtime.pages_manager import PagesManager
from streamlit.web import cli

from fer_core.errors import SettingsError
from fer_core.jobs.watchdog import SupervisorWatchdog
from fer_core.settings import settings
from fer_core.system.allocator import return_freed_memory
from fer_ui.auth import install_auth

APP = Path(__file__).resolve().parent.parent / "app.py"


def main() -> None:
    """Run the server until it is stopped; arguments are passed on to Streamlit."""
    return_freed_memory()
    PagesManager.uses_pages_directory = False
    install_auth()
    with contextlib.suppress(SettingsError):  # every page says it
        SupervisorWatchdog(settings()).start()
    sys.argv = ["streamlit", "run", str(APP), *sys.argv[1:]]
    cli.main()


if __name__ == "__main__":
    main()
