"""No page has a barrier that axe-core calls serious, a control out of the keyboard's reach, or too many bytes.

Here pages of the toy book are looked at, those of the real book in `test_real_book`, and any built book with
`python -m tests.book.accessibility`.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from . import accessibility, pictures, toy
from .browser import read

TOY = ("index", "how_to_read", "how_to_rerun", "glossary", "references", "scoreboard", "runs", f"papers/{toy.NAME}")

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("page", TOY)
def test_a_page_has_no_barrier(browser: Browser, toy_book: Path, page: str):
    assert list(accessibility.problems(browser, toy_book / "_build" / "html" / f"{page}.html")) == []


def test_barriers_are_found(browser: Browser, tmp_path: Path):
    text = '<img src="x.png"><button tabindex="-1">Go</button><p style="color: #ccc">pale</p><p style="width: 3000px">x</p>'
    text += '<a href="missing.html">one</a> <a href="#missing">two</a>'
    page = tmp_path / "bad.html"
    page.write_text(f"<!doctype html><html lang='en'><title>Bad</title><main>{text}</main></html>", "utf-8")
    said = "\n".join(accessibility.problems(browser, page))
    for wrong in (
        "image-alt (critical)",
        "color-contrast (serious)",
        "does not reach <button",
        "px wider than the window",
        "leads nowhere",
    ):
        assert wrong in said


def test_a_heavy_page_is_named(browser: Browser, tmp_path: Path):
    page = tmp_path / "heavy.html"
    page.write_text(f"<!doctype html><html lang='en'><title>Heavy</title><!--{'x' * 2_000_000}--><main>x</main></html>")
    assert next(accessibility.problems(browser, page)) == "2.0 MB, at most 2"


def test_pictures_are_as_wide_as_the_window_and_one_prints(browser: Browser, toy_book: Path, tmp_path: Path):
    page = toy_book / "_build" / "html" / f"papers/{toy.NAME}.html"
    made = pictures.pictures(browser, page, tmp_path, widths=[390], modes=["dark"], visions=["none", "deuteranopia"])
    assert [path.name for path in made] == ["390-dark.png", "390-dark-deuteranopia.png"]
    assert made[0].read_bytes() != made[1].read_bytes(), "the chart's colours look different"
    with read(browser, page.as_uri()) as reading:
        assert pictures.print_out(reading, tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
