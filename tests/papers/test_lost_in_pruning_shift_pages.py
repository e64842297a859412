"""LIP's pages on test error, prune potential and excess error: they show every figure, and what is by hand is right."""

import re
from pathlib import Path

import jupytext
import pytest
from IPython.core.interactiveshell import InteractiveShell

from papers.lost_in_pruning import figures, observations
from papers.lost_in_pruning.experiments import PAGES

FOLDER = Path("papers/lost_in_pruning/pages")
TEXTS = {
    name: (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    for name in ("test_set", "prune_potential", "excess_error")
}


def test_pages_show_every_figure_and_say_what_is_seen():
    shown = [name for text in TEXTS.values() for name in re.findall(r"^figures\.(\w+)\(", text, re.MULTILINE)]
    assert len(shown) == len(set(shown))
    assert set(shown) == {name for name, one in vars(figures).items() if hasattr(one, "__wrapped__")}
    for name, text in TEXTS.items():
        codes = [one for one in re.split(r"^# %%.*$", text, flags=re.MULTILINE) if one.strip()]
        for code, after in zip(codes, codes[1:], strict=False):
            if drawn := re.search(r"^figures\.(\w+)\(page", code, re.MULTILINE):
                assert f"observations.{drawn[1]}(page.tables)" in after and hasattr(observations, drawn[1]), name


def test_pages_have_the_order_of_the_book_and_all_their_claims():
    for name, text in TEXTS.items():
        places = [text.index(mark) for mark in (
            "**The question.**", "## The idea", "**What the paper claims**", "by hand", "## Parameters",
            "## Measured beside printed", "## What it means", f"observations.learned_{name}(page.tables)", "page.chips()",
            "page.verdicts()", "What differs from the paper", "## Try it", "page.explore(",
        )]  # fmt: skip
        assert places == sorted(places), name
        assert set(re.findall(r"LIP-C\d\d", text)) == set(PAGES[name].claims)


def test_every_exercise_says_how_long_it_takes_and_has_an_answer():
    for name, text in TEXTS.items():
        exercises = re.findall(r"^# \d\. \*\*(.+?)\*\*(.*)$", text.split("## Try it")[1], re.MULTILINE)
        assert len(exercises) == text.count("{dropdown} Answer") >= 3, name
        assert all(re.search(r"second|minute|thought", "".join(one)) for one in exercises), name


@pytest.mark.parametrize("name", TEXTS)
def test_the_library_does_what_is_computed_by_hand(name):
    shell, heading, last = InteractiveShell(), "", None
    for cell in jupytext.read(FOLDER / f"{name}.py").cells:
        if cell.cell_type == "markdown":
            heading = ([heading, *re.findall(r"^#+ .*$", cell.source, re.MULTILINE)])[-1]
        elif "by hand" in heading:
            done = shell.run_cell(cell.source)
            done.raise_error()
            last = done.result
    assert last is True
