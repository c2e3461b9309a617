"""What is added to the HTML page: the style sheet, and the parts of Streamlit that most pages need.

Streamlit sends the same almost empty page for every app. Its layout and our style sheet come with the first messages of
the script and would move what is already on the page, and each kind of element is a file that the browser requests only
when the first element of its kind arrives, tables 0.7 MB.
"""

from __future__ import annotations

from pathlib import Path

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import file_util
from streamlit.web.server.starlette import starlette_app

from fer_ui.frame.style import style_sheet

SIDEBAR_PX = 224
_STYLES, _SCRIPT = (Path(__file__).with_name(f"first_paint.{kind}") for kind in ("css", "js"))
PRELOADED = (
    *("BidiComponent", "Button", "ButtonGroup", "Checkbox", "DataFrame", "Html", "ImageList", "PageLink"),
    *("Selectbox", "WidgetLabel"),
)
"""Kinds of elements, files in Streamlit's `static/js`; one that another version lacks is left out."""
_CONDITIONAL = {b"if-none-match", b"if-modified-since", b"range"}
_OTHER_PAGES = ("/component/", "/media/")
"""Pages of their own: the frames of components, such as the player of Live, and files for download."""
_CHANGED = {b"content-length", b"etag", b"last-modified", b"accept-ranges"}


class PageHeadMiddleware:
    """ASGI middleware that adds to the head and the body of HTML pages; it has to be inside of compression."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._head = app, build_head(Path(file_util.get_static_dir())).encode()
        # Behind the styles that Streamlit adds to the head, of which ours change some.
        self._foot = f"<style>{style_sheet()}</style>".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and change the response if it is an HTML page."""
        if scope["type"] != "http" or scope["method"] != "GET" or any(part in scope["path"] for part in _OTHER_PAGES):
            await self._app(scope, receive, send)
            return
        # A page that the browser has from an earlier version of this head is not "unchanged".
        if scope["path"].rpartition("/")[2].find(".") < 0:
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] not in _CONDITIONAL]}
        start: Message | None = None
        body = b""

        async def send_changed(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_html(message):
                start = message
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    body = body.replace(b"</head>", self._head + b"</head>", 1)
                    body = body.replace(b"</body>", self._foot + b"</body>", 1)
                    kept = [pair for pair in start["headers"] if pair[0].lower() not in _CHANGED]
                    length = (b"content-length", str(len(body)).encode())
                    await send({**start, "headers": [*kept, length]})
                    await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, send_changed)


def build_head(static: Path) -> str:
    """Build the HTML that is added to the head.

    Args:
        static: Streamlit's folder of static files.
    """
    files = [path for kind in PRELOADED for path in sorted(static.glob(f"static/js/{kind}.*.js"))]
    links = "".join(f'<link rel="modulepreload" crossorigin href="./static/js/{path.name}">' for path in files)
    styles = f"<style>{_STYLES.read_text()}</style>"
    # A block of its own, so that its constants don't meet those of Streamlit.
    plotly = next((path.name for path in static.glob("static/js/PlotlyChart.*.js")), "")
    script = f'<script data-sidebar="{SIDEBAR_PX}" data-plotly="{plotly}">{{{_SCRIPT.read_text()}}}</script>'
    return f"{script}{styles}{links}"


def install_page_head() -> None:
    """Add the middleware to the server that this process starts."""
    inner = starlette_app.create_streamlit_middleware
    starlette_app.create_streamlit_middleware = lambda: [*inner(), Middleware(PageHeadMiddleware)]


def _is_html(start: Message) -> bool:
    headers = {name.lower(): value for name, value in start["headers"]}
    return start["status"] == 200 and bytes(headers.get(b"content-type", b"")).startswith(b"text/html")
