"""What is added to the head of the HTML page."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from fer_ui.frame.page_head import PageHeadMiddleware, build_head
from tests.support.coroutines import run_coroutine

_HTML = "<html><head><title>x</title></head><body>ä</body></html>"


async def _page(request: Request) -> Response:
    if "if-none-match" in request.headers:
        return Response(status_code=304)
    return HTMLResponse(_HTML, headers={"ETag": "old"})


async def _data(request: Request) -> Response:
    return JSONResponse({"head": "</head>"})


def _get(path: str, *headers: tuple[bytes, bytes]) -> tuple[int, dict[str, str], str]:
    pages = [Route(place, _page) for place in ("/datasets", "/component/player/index.html", "/media/report.html")]
    routes = [*pages, Route("/data.json", _data)]
    app = Starlette(routes=routes, middleware=[Middleware(PageHeadMiddleware)])
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": list(headers), "query_string": b""}
    run_coroutine(app(scope, receive, send))
    start, body = sent[0], b"".join(message.get("body", b"") for message in sent[1:])
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body.decode()


def test_a_page_gets_the_styles_of_its_first_paint() -> None:
    status, headers, body = _get("/datasets")
    assert status == 200
    head, _, rest = body.partition("</head>")
    assert "--ferscope-sidebar" in head and "stMainBlockContainer" in head
    assert rest.startswith("<body>ä<style>") and rest.endswith("</style></body></html>")
    assert "st-key-page-header" in rest, "the style sheet, behind the styles that Streamlit adds to the head"
    light, dark = (st.get_option(f"theme.{theme}.backgroundColor") for theme in ("light", "dark"))
    assert f"--ferscope-page: light-dark({light}, {dark});" in rest
    assert int(headers["content-length"]) == len(body.encode())
    assert "etag" not in headers, "the browser would keep the page of an earlier version"


def test_a_page_is_never_unchanged() -> None:
    assert _get("/datasets", (b"if-none-match", b"old"))[0] == 200


def test_other_files_stay_as_they_are() -> None:
    assert _get("/data.json")[2] == '{"head":"</head>"}'


@pytest.mark.parametrize("path", ["/component/player/index.html", "/media/report.html"])
def test_the_frame_of_a_component_and_a_download_stay_as_they_are(path: str) -> None:
    assert _get(path)[2] == _HTML


def test_parts_that_another_version_of_streamlit_lacks_are_left_out(tmp_path: Path) -> None:
    assert '<link rel="modulepreload"' not in build_head(tmp_path) and 'data-plotly=""' in build_head(tmp_path)
    (tmp_path / "static" / "js").mkdir(parents=True)
    (tmp_path / "static" / "js" / "DataFrame.abc.js").touch()
    assert '<link rel="modulepreload" crossorigin href="./static/js/DataFrame.abc.js">' in build_head(tmp_path)


def test_the_installed_version_of_streamlit_has_the_parts() -> None:
    from streamlit import file_util

    from fer_ui.frame.page_head import PRELOADED

    head = build_head(Path(file_util.get_static_dir()))
    assert 'data-plotly="PlotlyChart.' in head
    assert [kind for kind in PRELOADED if f"/{kind}." not in head] == []
