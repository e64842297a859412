"""Look for barriers on every page of the built book: python -m tests.book.accessibility [--html FOLDER] [PAGE ...]

Each page is opened as `tests.book.browser.read` does it, on a desktop in light and on a phone in dark mode. It must have
no violation of axe-core's rules that is serious or critical, no control that the Tab key does not reach, no link that leads
nowhere, no error of ours in the console, no request to a network, no need to scroll sideways, and no more bytes than a page
may have.
"""

import argparse
import functools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, Page

from lib.analysis.files import REPOSITORY

from .browser import DESKTOP, PHONE, Reading, axe, open_browser, read

HTML = REPOSITORY / "book" / "_build" / "html"
GRAVE = ("serious", "critical")
LARGEST, LARGEST_INTERACTIVE = 2_000_000, 4_000_000  # bytes of a page's HTML
INTERACTIVE = ("prune_it_yourself",)  # pages that bring a network along
NOT_PAGES = ("genindex", "search", "py-modindex")
CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
FOLDED = "[inert], .page-toc ul ul"  # of the contents the theme unfolds only the section in view

# What can have the focus at the top of the page. Radio buttons are one stop of the Tab key for each group.
_STOPS = """([controls, folded]) => {
  window.scrollTo(0, 0);
  document.activeElement.blur();
  window.stops = [...document.querySelectorAll(controls)].filter((one) =>
    one.checkVisibility({visibilityProperty: true}) && !one.disabled && !one.closest(folded) &&
    !(one.tagName === "SUMMARY" && one.parentElement.tagName !== "DETAILS"));
  window.reached = new Set();
  document.addEventListener("focusin", (event) => window.reached.add(event.target));
}"""
_UNREACHED = """() => {
  const groups = new Set([...window.reached].filter((one) => one.type === "radio").map((one) => one.name));
  return window.stops.filter((one) => !window.reached.has(one) && !(one.type === "radio" && groups.has(one.name)))
    .map((one) => one.outerHTML.slice(0, 120));
}"""


def pages(html: Path, names: Sequence[str] = ()) -> list[Path]:
    """Return the pages of a built book, or those whose path holds one of the names.

    Raises:
        SystemExit: there is none.
    """
    found = sorted(page for page in html.rglob("*.html") if "_static" not in page.parts and page.stem not in NOT_PAGES)
    found = [page for page in found if not names or any(name in str(page.relative_to(html)) for name in names)]
    if not found:
        raise SystemExit(f"there is no page{' called ' + ', '.join(names) if names else ''} in {html}: make book")
    return found


def problems(browser: Browser, page: Path) -> Iterator[str]:
    """Say what is wrong with a page, a line each; nothing where all is well."""
    limit = LARGEST_INTERACTIVE if page.stem in INTERACTIVE else LARGEST
    if (size := page.stat().st_size) > limit:
        yield f"{size / 1e6:.1f} MB, at most {limit / 1e6:.0f}"
    for window, dark in ((DESKTOP, False), (PHONE, True)):
        with read(browser, page.as_uri(), window, dark) as reading:
            yield from (f"{window[0]} px, {'dark' if dark else 'light'}: {said}" for said in _found(reading))


def _found(reading: Reading) -> Iterator[str]:
    reading.wait_for_charts()
    yield from violations(reading.page)
    for control in unreached(reading.page):
        yield f"the Tab key does not reach {control}"
    for link in dead_links(reading.page):
        yield f"a link leads nowhere: {link}"
    if (excess := reading.overflow()) > 0:
        yield f"{excess} px wider than the window"
    for error in reading.errors:
        yield f"in the console: {error}"
    for request in reading.requests:
        yield f"asks the network for {request}"


def violations(page: Page, grave: Sequence[str] = GRAVE) -> list[str]:
    """Return what axe-core finds on a page: rule, what it says, and the first places, one text for each rule."""
    page.evaluate(axe())
    found: Any = page.evaluate("axe.run(document, {resultTypes: ['violations'], preload: false})")
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}, {len(rule['nodes'])} times: "
        + "; ".join(f"{node['html'][:160]} {_why(node)}" for node in rule["nodes"][:4])
        for rule in found["violations"]
        if rule["impact"] in grave
    ]


def _why(node: dict[str, Any]) -> str:
    return " ".join(f"[{check['message']}]" for check in [*node["any"], *node["all"], *node["none"]])[:200]


def unreached(page: Page) -> list[str]:
    """Press the Tab key through a page, and return the controls that never had the focus."""
    page.evaluate(_STOPS, [CONTROLS, FOLDED])
    last = -1
    for _ in range(60):  # 25 presses each; the end is where a round has nothing new
        for _ in range(25):
            page.keyboard.press("Tab")
        now = page.evaluate("window.reached.size")
        if now == last:
            break
        last = now
    return page.evaluate(_UNREACHED)


def dead_links(page: Page) -> list[str]:
    """Return the links of a page to files, or places in them, that are not there."""
    links: list[str] = page.evaluate(
        "[...document.links].filter((one) => one.protocol === 'file:').map((one) => one.href)"
    )
    return [link for link in dict.fromkeys(links) if not _leads_somewhere(link)]


def _leads_somewhere(link: str) -> bool:
    """Tell whether the file of an address is there, and its place in it; a "=" makes it a choice instead of a place."""
    parts = urlsplit(link)
    file, place = Path(unquote(parts.path)), unquote(parts.fragment)
    if not file.is_file():
        return False
    return not place or "=" in place or file.suffix != ".html" or f'id="{place}"' in _text(file)


@functools.cache
def _text(file: Path) -> str:
    return file.read_text("utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Check pages of a built book, and end with an error where something is wrong."""
    parser = argparse.ArgumentParser("python -m tests.book.accessibility", description="Look for barriers on pages.")
    parser.add_argument("names", nargs="*", metavar="PAGE", help="only pages whose path holds this")
    parser.add_argument("--html", type=Path, default=HTML, help="the built book (default: book/_build/html)")
    given = parser.parse_args(arguments)
    html, wrong = given.html.resolve(), 0
    with open_browser() as browser:
        for page in pages(html, given.names):
            said = list(problems(browser, page))
            wrong += len(said)
            print(f"{page.relative_to(html)}: {'nothing' if not said else ''}", *said, sep="\n  ", flush=True)
    print(f"{wrong} problems")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
