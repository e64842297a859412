from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from lib.book.build import build, prepare

from . import toy
from .browser import open_browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with open_browser() as started:
        yield started


@pytest.fixture(scope="session")
def toy_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a toy book whose pages have been run and staged, and whose HTML is built."""
    root = tmp_path_factory.mktemp("toy")
    toy.executed(toy.write(root), root / toy.RUN)
    assert prepare(root) == [*toy.DRAFTS]
    build(root / "book", root)
    return root
