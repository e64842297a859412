"""The page "Prune your own" draws the book's table as long as it asks for exactly that."""

import sys

import jupytext
import pytest
from IPython.core.interactiveshell import InteractiveShell

from book.prune_your_own import kept
from lib.analysis.files import REPOSITORY
from lib.data import load
from lib.errors import InputError

PAGE = REPOSITORY / "book/prune_your_own/pages/prune_your_own.py"


@pytest.fixture
def run(monkeypatch):
    """Return a function that runs the page's code in a shell, after replacing some of it, and returns its names."""
    try:
        load("mnist")
    except InputError as problem:
        pytest.skip(str(problem))

    def running(replaced: dict[str, str] | None = None) -> dict:
        shell = InteractiveShell(user_module=type(sys)("__main__"))
        monkeypatch.setitem(sys.modules, "__main__", shell.user_module)
        for cell in jupytext.read(PAGE).cells:
            if cell.cell_type == "code":
                for old, new in (replaced or {}).items():
                    cell.source = cell.source.replace(old, new)
                shell.run_cell(cell.source).raise_error()
        return vars(shell.user_module)

    return running


def test_the_page_asks_for_what_the_book_keeps(run, capsys):
    names = run()
    assert "set recompute = True" not in capsys.readouterr().out
    assert names["results"].seeds == [0, 1, 2] and names["results"].origin == "committed"
    run({"8, 3": "9, 3", "d(8": "d(9"})  # another network
    assert "set recompute = True" in capsys.readouterr().out


def test_without_a_table_the_page_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match="recompute = True"):
        kept.kept(tmp_path)
