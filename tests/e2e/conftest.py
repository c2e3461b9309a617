"""Fixtures of the browser tests: the running app, Chromium, screenshots."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.e2e.app_server import AppServer
from tests.e2e.input_files import write_small_ferplus
from tests.support.sample_store import write_ferplus_sample

OUTPUT = Path(__file__).parent / "output"
WIDTHS_PX = {"desktop": 1280, "phone": 390}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
DESKTOP: ViewportSize = {"width": 1280, "height": 900}

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CAMERA_FLAGS = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")

Launch = Callable[..., Browser]
TakeScreenshots = Callable[[str, str], None]


def chromium_path() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("Chromium is missing: `make setup` installs it on Debian and Ubuntu.")


@pytest.fixture(scope="session")
def launch() -> Iterator[Launch]:
    """A function that launches a browser with additional flags."""
    path = chromium_path()
    with sync_playwright() as playwright:
        started: list[Browser] = []

        def start(*flags: str) -> Browser:
            started.append(playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags]))
            return started[-1]

        yield start
        for browser in started:
            browser.close()


@pytest.fixture(scope="session")
def ferplus_archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small FER+ archive: real faces if there is test data, otherwise synthetic ones."""
    archive = tmp_path_factory.mktemp("archive") / "ferplus.zip"
    try:
        data = request.getfixturevalue("test_data")
    except pytest.skip.Exception:
        return write_ferplus_sample(archive, 600)
    return write_small_ferplus(data / "ferplus.zip", archive)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    try:
        environment = {"FERSCOPE_YUNET": str(request.getfixturevalue("yunet_file"))}
    except pytest.skip.Exception:
        environment = {}
    app = AppServer(tmp_path_factory.mktemp("journey") / "store", environment)
    app.start()
    yield app
    app.stop()


@pytest.fixture(scope="session")
def browser(launch: Launch) -> Browser:
    return launch()


@pytest.fixture
def page(browser: Browser, server: AppServer) -> Iterator[Page]:
    context = browser.new_context(base_url=server.url, viewport=DESKTOP)
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def take_screenshots(browser: Browser, server: AppServer) -> TakeScreenshots:
    """A function that opens a link and takes screenshots of it, light and dark: see `screenshot_open_page`."""

    def take(name: str, link: str) -> None:
        for scheme in SCHEMES:
            context = browser.new_context(base_url=server.url, viewport=DESKTOP, color_scheme=scheme)
            page = context.new_page()
            page.goto(link)
            wait_until_ready(page)
            screenshot_open_page(page, name, scheme)
            context.close()

    return take


def wait_until_ready(page: Page) -> None:
    """Wait until the page's script has finished and its charts are drawn."""
    page.wait_for_selector('[data-testid="stHeading"]')
    # Some pages wait for another process, and the machine runs other tests.
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=120_000)
    page.wait_for_timeout(1500)


def fit_window_height(page: Page, width_px: int) -> None:
    """Resize the window to the height of the page, at most 4000 px."""
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": width_px, "height": max(600, min(int(height), 4000))})
    page.wait_for_timeout(800)


def screenshot_open_page(page: Page, name: str, scheme: Scheme) -> None:
    """Take screenshots at desktop and phone width and assert that nothing scrolls sideways."""
    OUTPUT.mkdir(exist_ok=True)
    for device, width_px in WIDTHS_PX.items():
        fit_window_height(page, width_px)
        page.screenshot(path=OUTPUT / f"{name}-{device}-{scheme}.png")
        overflows = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not overflows, f"{name} scrolls sideways at {width_px} px"
