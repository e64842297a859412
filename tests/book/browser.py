"""Open pages of the built book in a real browser without a network, and check what a reader would notice.

python -m tests.book.browser --install sees to it that there is a browser, and axe-core, which checks accessibility.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, TimeoutError, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
DESKTOP, PHONE = (1280, 900), (390, 844)
CHART = "figure.book-chart"
CHANGED = """([chart, number]) => {
    const drawing = document.querySelectorAll(chart)[number].querySelector(".drawing svg.marks");
    return drawing && drawing.innerHTML !== window.drawnBefore;
}"""
AXE = "axe-core@4.14.1"  # the npm package whose script looks for barriers on a page


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start an installed browser, else the one that Playwright brings; without any, skip, but fail in CI."""
    with sync_playwright() as playwright:
        browser, reason = start(playwright)
        if browser is None:
            message = f"no browser starts; 'python -m tests.book.browser --install' gets one. {reason}"
            if os.environ.get("CI"):
                pytest.fail(message)
            pytest.skip(message)
        else:
            yield browser
            browser.close()


def start(playwright: Playwright) -> tuple[Browser | None, str]:
    """Start the first browser that can be started, and return it, or None with why the last one did not."""
    reason = ""
    for path in [*filter(None, map(shutil.which, NAMES)), None]:  # None: Playwright's own
        try:
            return playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS), path or "Playwright's"
        except Error as error:
            reason = next(filter(str.strip, str(error).splitlines()), "")
    return None, reason


def install() -> None:
    """See to it that there is a browser: one that is there, else Debian's package, else Playwright's own.

    Only root can install a package. Where nothing works the browser tests will be skipped, except in CI, where this
    ends with an error.
    """
    package = [
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
    ]
    own = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    may_install = shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0
    for commands in ([], package if may_install else [], own):
        for command in commands:
            with suppress(subprocess.TimeoutExpired):
                subprocess.run(command, timeout=300, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
        with sync_playwright() as playwright:
            browser, which = start(playwright)
            if browser:
                print(f"browser for the tests: {which}, version {browser.version}")
                browser.close()
                return
    print(f"no browser could be installed: tests that open the book in one are skipped. ({which})")
    if os.environ.get("CI"):
        raise SystemExit("error: in CI these tests must run")


def axe() -> str:
    """Return the script of axe-core, which npm fetches once into this Python's environment.

    Without it the caller's test is skipped, except in CI, where it fails.
    """
    script = Path(sys.prefix) / "node_modules" / "axe-core" / "axe.min.js"
    version = AXE.rpartition("@")[2]
    if not (script.is_file() and f"axe v{version}" in script.read_text("utf-8")[:200]):
        quietly = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
        npm = shutil.which("npm")
        if npm:
            subprocess.run([npm, "install", "--prefix", sys.prefix, *quietly, AXE], timeout=300)
        if not script.is_file():
            message = f"{AXE} is not there: {'npm could not fetch it' if npm else 'npm is missing, which fetches it'}."
            (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    return script.read_text("utf-8")


@dataclass
class Reading:
    """A page opened by a reader, and what went wrong while it was read."""

    page: Page
    requests: list[str] = field(default_factory=list)
    """Addresses outside of the book's files that the page asked for (and did not get)."""
    errors: list[str] = field(default_factory=list)
    """Script errors and console errors of ours."""

    def wait_for_charts(self) -> int:
        """Wait until every chart is drawn, and return how many there are."""
        charts = self.page.locator(CHART)
        for number in range(charts.count()):
            charts.nth(number).scroll_into_view_if_needed()
        self.page.wait_for_function(
            f"[...document.querySelectorAll('{CHART}')].every((each) => each.dataset.state)", timeout=30_000
        )
        return charts.count()

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@contextmanager
def read(browser: Browser, address: str, size: tuple[int, int] = DESKTOP, dark: bool = False) -> Iterator[Reading]:
    """Open a page in a window of the given size, with every request but those for files refused and noted."""
    context: BrowserContext = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light", offline=True
    )
    reading = Reading(context.new_page())

    def refuse(route, request):
        if request.url.startswith(("file:", "data:", "blob:")):
            route.continue_()
        else:
            reading.requests.append(request.url)
            route.abort()

    def note(text: str) -> None:
        reading.errors.append(text)

    context.route("**/*", refuse)
    reading.page.on("pageerror", lambda error: note(str(error)))
    reading.page.on("console", lambda message: note(message.text) if message.type == "error" else None)
    try:
        reading.page.goto(address)
        yield reading
    finally:
        context.close()


def check_page(browser: Browser, address: str) -> int:
    """Check one page of the book on a desktop and on a phone, in light and in dark mode.

    Every chart is drawn by the script and has a name for screen readers, the first menu of each chart changes
    its drawing, formulas are set, nothing is asked of a network, no error of ours is in the console, and no
    window has to scroll sideways.

    Args:
        browser: from `open_browser`.
        address: the page's `file://` address.

    Returns:
        How many charts the page has.
    """
    charts = 0
    for size, dark in ((DESKTOP, False), (PHONE, True)):
        with read(browser, address, size, dark) as reading:
            charts = reading.wait_for_charts()
            for number in range(charts):
                _check_chart(reading.page, number)
            unset = reading.page.locator(".math:not(:has(mjx-container))")
            expect(unset, f"{address}: formulas were not set").to_have_count(0)
            assert reading.overflow() <= 0, f"{address}: {reading.overflow()} px too wide at {size[0]} px"
            assert not reading.requests, f"{address} asked the network for {reading.requests}"
            assert not reading.errors, f"{address}: {reading.errors}"
    return charts


def _check_chart(page: Page, number: int) -> None:
    chart = page.locator(CHART).nth(number)
    name = chart.get_attribute("aria-label")
    assert chart.get_attribute("data-state") == "drawn", f"chart {number} ({name}) was not drawn"
    assert name and name != "Chart", f"chart {number} has no description"
    drawing = chart.locator(".drawing svg.marks").first
    box = drawing.bounding_box()
    assert box and box["width"] > 100 and box["height"] > 60, f"chart {number} ({name}) has no size: {box}"
    menu = chart.locator("select").first
    if menu.count():
        drawing.evaluate("(svg) => { window.drawnBefore = svg.innerHTML; }")
        values = menu.locator("option").evaluate_all("(options) => options.map((each) => each.value)")
        menu.select_option(next(value for value in values if value != menu.input_value()))
        try:
            page.wait_for_function(CHANGED, arg=[CHART, number], timeout=5_000)
        except TimeoutError as error:
            raise AssertionError(f"chart {number} ({name}) did not change with its menu") from error


if __name__ == "__main__":
    if sys.argv[1:] != ["--install"]:
        raise SystemExit("usage: python -m tests.book.browser --install")
    install()
    try:
        axe()
    except pytest.skip.Exception as reason:
        print(f"tests of accessibility are skipped: {reason}")
