"""Serve what the browser needs for Live: the scripts, onnxruntime-web, and the networks of the models in use.

Everything is under `/live-files/VERSION/`; a changed file has another version, so browsers may keep what they have.
`fer_ui.serve` installs the routes; nothing comes from another host.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route
from streamlit import config
from streamlit.url_util import make_url_path
from streamlit.web.server.starlette import starlette_app

from fer_ui.live.live_socket import PREFIX as SOCKET_PREFIX
from fer_ui.live.live_socket import live_socket_route

PREFIX = "live-files"
_SCRIPTS = Path(__file__).with_name("web")
_FOLDERS = {path.name for path in _SCRIPTS.iterdir() if path.is_dir()}
RUNTIME = Path(__file__).resolve().parents[2] / "node_modules" / "onnxruntime-web" / "dist"
RUNTIME_FILES = (
    *("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"),
    *("ort.webgpu.min.mjs", "ort-wasm-simd-threaded.asyncify.mjs", "ort-wasm-simd-threaded.asyncify.wasm"),
)
"""Without and with WebGPU."""
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".wasm": "application/wasm"}
_KEEP = {"Cache-Control": "public, max-age=31536000, immutable"}
_NETWORKS_MAX = 24
_INSTALLED = threading.Event()


class NetworkFiles:
    """The content of the networks that browsers may fetch, by its hash; the oldest are dropped. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._contents: OrderedDict[str, bytes] = OrderedDict()

    def add(self, content: bytes) -> str:
        """Offer a network and return its URL."""
        digest = sha256(content).hexdigest()[:32]
        with self._lock:
            self._contents[digest] = content
            self._contents.move_to_end(digest)
            while len(self._contents) > _NETWORKS_MAX:
                self._contents.popitem(last=False)
        return _url(f"{PREFIX}/networks/{digest}")

    def get(self, digest: str) -> bytes | None:
        """The content, or None."""
        with self._lock:
            return self._contents.get(digest)


NETWORKS = NetworkFiles()


def scripts_url() -> str:
    """URL of the folder of the scripts."""
    return _url(f"{PREFIX}/{_version()}/web/")


def runtime_url() -> str:
    """URL of the folder of onnxruntime-web."""
    return _url(f"{PREFIX}/{_version()}/runtime/")


def socket_url(token: str) -> str:
    """URL of the websocket of a session."""
    return _url(f"{SOCKET_PREFIX}/{token}")


def are_installed() -> bool:
    """Whether this server has the routes, without which Live can't run at all."""
    return _INSTALLED.is_set()


def missing_in_browser() -> str:
    """Say what is missing to run models in the browser; "" if nothing is."""
    if not all((RUNTIME / name).is_file() for name in RUNTIME_FILES):
        return "onnxruntime-web is not installed: run `make setup`."
    return ""


def install_web_files() -> None:
    """Add the routes to the server that this process starts, before Streamlit's, which answer every path."""
    inner = starlette_app.create_streamlit_routes

    def with_files(runtime: object) -> list[BaseRoute]:
        _INSTALLED.set()
        files = [Route(_url(path), serve) for path, serve in ROUTES]
        return [*files, live_socket_route(_url(SOCKET_PREFIX)), *inner(runtime)]  # type: ignore[arg-type]

    starlette_app.create_streamlit_routes = with_files


def _url(path: str) -> str:
    """Path of a URL on this server."""
    return str(make_url_path(config.get_option("server.baseUrlPath"), path))


@lru_cache(maxsize=1)
def _version() -> str:
    """Hash of the scripts and of the runtime's version."""
    digest = sha256()
    for path in [*sorted(_SCRIPTS.rglob("*.*")), RUNTIME.parent / "package.json"]:
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


async def _serve_script(request: Request) -> Response:
    folder, _, name = request.path_params["name"].rpartition("/")
    return _file(_SCRIPTS / folder, name) if folder in _FOLDERS else Response(status_code=404)


async def _serve_runtime(request: Request) -> Response:
    name = request.path_params["name"]
    return _file(RUNTIME, name) if name in RUNTIME_FILES else Response(status_code=404)


async def _serve_network(request: Request) -> Response:
    content = NETWORKS.get(request.path_params["digest"])
    if content is None:
        return Response("This model is not in use any more. Reload the page.", 404)
    return Response(content, media_type="application/octet-stream", headers=_KEEP)


def _file(folder: Path, name: str) -> Response:
    path = folder / name
    if path.parent != folder or path.suffix not in _TYPES or not path.is_file():
        return Response(status_code=404)
    return FileResponse(path, media_type=_TYPES[path.suffix], headers=_KEEP)


ROUTES = (
    (f"{PREFIX}/{{version}}/web/{{name:path}}", _serve_script),
    (f"{PREFIX}/{{version}}/runtime/{{name}}", _serve_runtime),
    (f"{PREFIX}/networks/{{digest}}", _serve_network),
)
