"""A real browser against the running app."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.e2e.app_server import AppServer
from tests.e2e.input_files import small_ferplus
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

Launch = Callable[..., Browser]
Shoot = Callable[[str, str], None]


def chromium_path() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("No Chromium here: `make setup` installs it on Debian and Ubuntu.")


@pytest.fixture(scope="session")
def launch() -> Iterator[Launch]:
    """Starts a browser with further flags."""
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
def material(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `ferplus.zip`, real where there is real data, else drawn."""
    folder = tmp_path_factory.mktemp("material")
    try:
        data = request.getfixturevalue("test_data")
    except pytest.skip.Exception:
        write_ferplus_sample(folder / "ferplus.zip", 600)
    else:
        small_ferplus(data / "ferplus.zip", folder / "ferplus.zip")
    return folder


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
def shoot(browser: Browser, server: AppServer) -> Shoot:
    """Photographs an address at desktop and phone width, light and dark, and sees that nothing scrolls sideways."""

    def photograph(name: str, address: str) -> None:
        for scheme in SCHEMES:
            context = browser.new_context(base_url=server.url, viewport=DESKTOP, color_scheme=scheme)
            page = context.new_page()
            page.goto(address)
            settle(page)
            photograph_open_page(page, name, scheme)
            context.close()

    return photograph


def settle(page: Page) -> None:
    """Wait until the page's script has run and its charts are drawn."""
    page.wait_for_selector('[data-testid="stHeading"]')
    # Long enough for a page that asks another process, on a machine that is busy with other tests.
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=120_000)
    page.wait_for_timeout(1500)


def whole(page: Page, across: int) -> None:
    """Make the window as high as the page, up to 4000 px."""
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": across, "height": max(600, min(int(height), 4000))})
    page.wait_for_timeout(800)


CAMERA_FLAGS = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


def photograph_open_page(page: Page, name: str, scheme: Scheme) -> None:
    """Photograph what is shown at desktop and phone width, and see that nothing scrolls sideways."""
    OUTPUT.mkdir(exist_ok=True)
    for width, across in WIDTHS_PX.items():
        whole(page, across)
        page.screenshot(path=OUTPUT / f"{name}-{width}-{scheme}.png")
        sideways = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not sideways, f"{name} scrolls sideways at {across} px"
