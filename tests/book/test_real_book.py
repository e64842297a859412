"""The book of this repository builds as it is, by both engines, and every page of it reads well."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from lib.book.build import ENGINES, REPOSITORY, build, prepare

from . import toy
from .browser import check_page

FROM_FILES = ("index", "scoreboard", "runs", "what_it_costs")  # the rest of the guide is read in the toy book


@pytest.fixture(scope="module", params=ENGINES)
def first_page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first page of the built book, made in a copy: a test never touches the folder a person works in."""
    root = tmp_path_factory.mktemp("real")
    toy.copy_book(root / "book")
    prepare(REPOSITORY, root / "book")
    return build(root / "book", root, request.param)


@pytest.mark.slow
def test_the_book_builds_without_a_warning(first_page: Path):
    assert first_page.is_file()
    assert list((first_page.parent / "papers").glob("*/*.html"))


@pytest.mark.browser
@pytest.mark.slow
def test_every_page_reads_well(browser: Browser, first_page: Path):
    html = first_page.parent
    for page in [*(html / f"{name}.html" for name in FROM_FILES), *html.glob("papers/*/*.html")]:
        check_page(browser, page.as_uri())
