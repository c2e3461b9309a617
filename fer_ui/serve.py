"""`python -m fer_ui.serve [streamlit options]`: start the app; `make run` does.

`streamlit run app.py` works too, but without Live, and shows "Page not found" for a link to a page on a fresh server:
until `app.py` has run once, Streamlit takes the folder `pages` for its older kind of multipage app.

The launcher also installs access control (`fer_ui/auth.py`), the head of the page (`fer_ui/frame/page_head.py`) and the
files that Live runs in the browser (`fer_ui/live/web_files.py`), and starts watching the supervisor, so that jobs go on
after a crash before anybody opens a page.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import sys
from pathlib import Path

from streamlit.logger import get_logger
from streamlit.runtime.pages_manager import PagesManager
from streamlit.web import cli

from fer_core.errors import SettingsError
from fer_core.jobs.supervisor_process import SupervisorWatchdog
from fer_core.settings import settings
from fer_core.system.allocator import return_freed_memory
from fer_ui.auth import install_auth
from fer_ui.frame.no_delay import install_no_delay
from fer_ui.frame.page_head import install_page_head
from fer_ui.live.web_files import install_web_files

_LIBRARIES = (
    "plotly.graph_objs._figure",
    "pyarrow.dataset",
    "scipy.sparse.csgraph",
    "scipy.special",
    "sklearn.metrics",
)
"""What pages import only when they need it, and takes longest."""

APP = Path(__file__).resolve().parent.parent / "app.py"


def main() -> None:
    """Run the server; arguments are passed on to Streamlit."""
    return_freed_memory()
    import_pages()
    PagesManager.uses_pages_directory = False
    install_no_delay()
    install_page_head()
    install_web_files()
    install_auth()
    with contextlib.suppress(SettingsError):  # every page shows the error
        SupervisorWatchdog(settings()).start()
    sys.argv = ["streamlit", "run", str(APP), *sys.argv[1:]]
    cli.main()


def import_pages() -> None:
    """Import what the pages do: now, not while somebody waits for the first one."""
    caches = get_logger("streamlit.runtime.caching.cache_data_api")
    caches.disabled = True  # warns that there is no server yet
    for library in _LIBRARIES:
        importlib.import_module(library)
    for page in sorted(APP.parent.glob("pages/*/page.py")):
        for statement in ast.parse(page.read_text("utf-8")).body:
            if isinstance(statement, ast.ImportFrom) and statement.module:
                importlib.import_module(statement.module)
    caches.disabled = False


if __name__ == "__main__":
    main()
