"""The system's Chromium, driven by Playwright: pages from the disk, and what they do that they should not."""

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass
class Visit:
    """A browser's page, with the errors that its console showed and the requests that left this machine."""

    page: object
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, path, anchor=""):
        self.page.goto(path.resolve().as_uri() + anchor)
        return self.page

    @property
    def overflow(self):
        """By how many pixels the page is wider than its window."""
        return self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


@contextmanager
def visit(width=1280, height=900, scheme="light"):
    """A page of a window of this size; skips the test where there is no browser."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright")
    browser_path = next(filter(None, map(shutil.which, NAMES)), None)
    if browser_path is None:
        pytest.skip("no Chromium")
    with playwright.sync_playwright() as run:
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        browser = run.chromium.launch(executable_path=browser_path, args=["--no-sandbox"] if root else [])
        viewport = {"width": width, "height": height}
        page = browser.new_context(viewport=viewport, color_scheme=scheme, offline=True).new_page()
        seen = Visit(page)
        page.on("console", lambda message: seen.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("request", lambda request: seen.requests.append(request.url))
        yield seen
        browser.close()
        seen.requests = [url for url in seen.requests if not url.startswith(("file:", "data:", "blob:"))]
