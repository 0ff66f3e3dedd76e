"""A real Chromium for tests of pages: Debian's, Chrome, or the one that Playwright has fetched."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Error, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Without these a fresh profile calls its maker, which a closed network refuses by the hundred.
_QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--no-sandbox",
)


class BrowserUnavailable(Exception):
    """No browser; the message says what to install."""


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A headless browser; pages in contexts of their own share nothing.

    Raises:
        BrowserUnavailable: if there is none.
    """
    with sync_playwright() as playwright:
        found = next((path for name in _NAMES if (path := shutil.which(name))), None)
        if found is None and Path(playwright.chromium.executable_path).is_file():
            found = playwright.chromium.executable_path
        if found is None:
            raise BrowserUnavailable("no Chromium: apt-get install chromium, or playwright install")
        try:
            browser = playwright.chromium.launch(executable_path=found, args=list(_QUIET))
        except Error as error:
            raise BrowserUnavailable(f"{found} does not start: {error.message}") from error
        try:
            yield browser
        finally:
            browser.close()
