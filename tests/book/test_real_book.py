"""The book of this repository builds as it is, by both engines, and every page of it reads well."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from lib.book.build import ENGINES, REPOSITORY, build, prepare

from . import toy
from .browser import check_page


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the book's folder, so that a test never touches the one a person works in."""
    root = tmp_path_factory.mktemp("real")
    toy.copy_book(root / "book")
    prepare(REPOSITORY, root / "book")
    return root / "book"


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_every_page_reads_well(browser: Browser, book: Path, engine: str):
    first = build(book, book.parent, engine)
    pages = [
        page
        for page in first.parent.rglob("*.html")
        if not {"_static", "genindex.html", "search.html"} & {*page.parts}
    ]
    assert len(pages) >= 8
    for page in pages:
        if engine == "jupyter-book" or page == first or "papers" in page.parts:
            check_page(browser, page.as_uri())
