from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from fer_ui.live.web_files import ROUTES, RUNTIME_FILES, NetworkFiles, runtime_url, scripts_url

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(Starlette(routes=[Route(f"/{path}", serve) for path, serve in ROUTES]))


def test_scripts_are_served_as_scripts(client: TestClient) -> None:
    response = client.get(f"{scripts_url()}stage/mount.js")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/javascript")
    assert "immutable" in response.headers["cache-control"]


@pytest.mark.parametrize("name", RUNTIME_FILES)
def test_the_runtime_is_served(client: TestClient, name: str) -> None:
    response = client.get(f"{runtime_url()}{name}")
    assert response.status_code == 200
    kind = "application/wasm" if name.endswith("wasm") else "text/javascript"
    assert response.headers["content-type"].startswith(kind)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "stage/nothing.js",
            "web_files.py",
            "../web_files.py",
            "stage/../../web_files.py",
            "stage/%2e%2e/%2e%2e/serve.py",
        ),
        *("", "stage", "stage/", "/etc/passwd", "inference//etc/passwd"),
    ],
)
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    assert client.get(scripts_url() + path).status_code == 404
    assert client.get(runtime_url() + path).status_code == 404


def test_the_networks_in_use_are_served_and_old_ones_dropped(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = NetworkFiles()
    monkeypatch.setattr("fer_ui.live.web_files.NETWORKS", files)
    first = files.add(b"first")
    assert files.add(b"first") == first
    assert client.get(first).content == b"first"
    for number in range(24):
        files.add(bytes([number]))
    assert client.get(first).status_code == 404


def test_scripts_load_nothing_from_other_hosts() -> None:
    scripts = [*(PROJECT / "fer_ui" / "live" / "web").rglob("*.js")]
    assert len(scripts) > 20
    for script in scripts:
        text = script.read_text("utf-8")
        assert "http://" not in text and "https://" not in text, script


def test_the_scripts_of_the_page_are_small() -> None:
    """Below 400 kB, without the models and the runtime's WebAssembly."""
    scripts = [*(PROJECT / "fer_ui" / "live" / "web").rglob("*.*")]
    runtime = PROJECT / "node_modules" / "onnxruntime-web" / "dist"
    files = [*scripts, *(runtime / name for name in RUNTIME_FILES if name.endswith("mjs"))]
    assert sum(path.stat().st_size for path in files if path.is_file()) < 400_000
