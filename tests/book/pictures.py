"""Take pictures of every page of the built book, for looking: python -m tests.book.pictures FOLDER [--page NAME ...]

Each page is taken whole, at widths of 390, 820 and 1440 pixels, in light and dark mode: FOLDER/<page>/390-light.png and so
on. `--charts` takes each chart by itself, `--vision deuteranopia` shows what a reader with that vision sees, `--pdf` prints.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from .accessibility import HTML, pages
from .browser import CHART, Reading, open_browser, read

WIDTHS = (390, 820, 1440)
HEIGHT = 1000
MODES = ("light", "dark")
VISIONS = ("none", "protanopia", "deuteranopia", "tritanopia", "achromatopsia", "blurredVision", "reducedContrast")
TALLEST = 16_000  # pixels of one picture; Chromium repeats the top of what is longer


def emulate(page: Page, vision: str) -> None:
    """Show a page as a reader with one of `VISIONS` sees it."""
    page.context.new_cdp_session(page).send("Emulation.setEmulatedVisionDeficiency", {"type": vision})


def take(reading: Reading, folder: Path, name: str, charts: bool = False) -> list[Path]:
    """Write pictures of an open page, or of each of its charts, into a folder, and return their paths.

    Args:
        reading: the open page.
        folder: of the page's pictures.
        name: of the picture without its suffix; a part's or a chart's number follows.
        charts: each chart instead of the page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    number = reading.wait_for_charts()
    page, made = reading.page, []
    if charts:
        for chart in range(number):
            made.append(folder / f"{name}-chart-{chart + 1}.png")
            page.locator(CHART).nth(chart).screenshot(path=made[-1])
        return made
    height = page.evaluate("document.documentElement.scrollHeight")
    parts = -(-height // TALLEST)
    for part in range(parts):
        top = part * TALLEST
        made.append(folder / (f"{name}-{part + 1}.png" if parts > 1 else f"{name}.png"))
        width = page.evaluate("window.innerWidth")
        page.evaluate("window.scrollTo(0, 0)")
        clip: Any = {"x": 0, "y": top, "width": width, "height": min(TALLEST, height - top)}
        page.screenshot(path=made[-1], full_page=True, clip=clip)
    return made


def print_out(reading: Reading, path: Path) -> Path:
    """Print an open page on A4, as a reader does, and return the path of the PDF."""
    path.parent.mkdir(parents=True, exist_ok=True)
    reading.wait_for_charts()
    margin: Any = dict.fromkeys(("top", "right", "bottom", "left"), "15mm")
    reading.page.pdf(path=path, format="A4", margin=margin)
    return path


def pictures(
    browser: Browser, page: Path, folder: Path, *, widths: Sequence[int] = WIDTHS, modes: Sequence[str] = MODES,
    visions: Sequence[str] = ("none",), charts: bool = False,
) -> list[Path]:  # fmt: skip
    """Take one page of the book in every width, mode and vision, and return the paths of the pictures."""
    made = []
    for width in widths:
        for mode in modes:
            with read(browser, page.as_uri(), (width, HEIGHT), mode == "dark") as reading:
                for vision in visions:
                    emulate(reading.page, vision)
                    name = f"{width}-{mode}" + ("" if vision == "none" else f"-{vision}")
                    made += take(reading, folder, name, charts)
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Take pictures of pages of a built book from the command line."""
    parser = argparse.ArgumentParser("python -m tests.book.pictures", description="Take pictures of the book's pages.")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--html", type=Path, default=HTML, help="the built book (default: book/_build/html)")
    parser.add_argument(
        "--page", nargs="*", default=[], metavar="NAME", help="only pages whose path holds one of these"
    )
    parser.add_argument("--width", nargs="*", type=int, default=WIDTHS, help="in pixels")
    parser.add_argument("--mode", nargs="*", choices=MODES, default=MODES)
    parser.add_argument("--vision", nargs="*", choices=VISIONS, default=["none"], metavar="VISION", help=str(VISIONS))
    parser.add_argument("--charts", action="store_true", help="each chart by itself instead of the page")
    parser.add_argument("--pdf", action="store_true", help="print the pages instead, FOLDER/<page>.pdf")
    given = parser.parse_args(arguments)
    html = given.html.resolve()
    with open_browser() as browser:
        for page in pages(html, given.page):
            target = given.folder / page.relative_to(html).with_suffix("")
            if given.pdf:
                with read(browser, page.as_uri()) as reading:
                    print(print_out(reading, target.with_suffix(".pdf")))
                continue
            made = pictures(
                browser, page, target, widths=given.width, modes=given.mode, visions=given.vision, charts=given.charts
            )
            print(*made, sep="\n", flush=True)


if __name__ == "__main__":
    main()
