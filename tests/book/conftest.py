from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from . import toy
from .browser import open_browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with open_browser() as started:
        yield started


@pytest.fixture(scope="session")
def toy_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a toy book whose page has been run and staged, and whose HTML is built."""
    from lib.book.build import build, prepare
    from lib.book.staging import stage

    root = tmp_path_factory.mktemp("toy")
    source = toy.write(root)
    run = toy.executed(source, root / "runs" / "pages" / toy.PAPER / toy.PAGE / "default.ipynb")
    stage(source, run, root / "book" / "papers" / f"{toy.NAME}.ipynb")
    assert prepare(root / "book", root / "papers", root / "runs") == []
    build(root / "book", root)
    return root
