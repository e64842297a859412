"""GS's pages on stability and accuracy: they show every figure, and their computations by hand are right."""

import re
from dataclasses import replace
from pathlib import Path

import jupytext
import pytest
from IPython.core.interactiveshell import InteractiveShell

from lib.analysis import experiments, measure
from lib.changes import Changes
from papers.generalization_stability import figures, observations
from papers.generalization_stability.experiments import PAGES, pruning
from papers.generalization_stability.names import NONE, pruned
from papers.generalization_stability.recipes import plan
from tests.papers import generalization_stability_cases as cases

FOLDER = Path("papers/generalization_stability/pages")
TRAINED = ("less_stable_better", "normalization_scores", "rate_and_target", "how_much", "traditional")
TEXTS = {name: (FOLDER / f"{name}.py").read_text(encoding="utf-8") for name in ("opening", *TRAINED, "closing")}


def test_pages_open_themselves_and_show_every_figure():
    assert all(f'open_page(PAGES["{name}"], vars())' in TEXTS[name] for name in PAGES if name in TEXTS)
    shown = {
        name for text in TEXTS.values() for name in re.findall(r"^figures\.(\w+)\(page\.tables", text, re.MULTILINE)
    }
    assert shown == {name for name, one in vars(figures).items() if hasattr(one, "__wrapped__")}


def test_what_is_seen_follows_every_figure_and_what_was_learned_ends_a_page():
    for name, text in TEXTS.items():
        codes = [one for one in re.split(r"^# %%.*$", text, flags=re.MULTILINE) if one.strip()]
        for code, after in zip(codes, codes[1:], strict=False):
            if drawn := re.search(r"^figures\.(\w+)\(page", code, re.MULTILINE):
                assert f"observations.{drawn[1]}(page.tables)" in after and hasattr(observations, drawn[1]), name
    for name in TRAINED:
        places = [TEXTS[name].index(mark) for mark in ("**The question.**", "## The idea", "**What the paper claims**",
                  "by hand", "## Measured beside printed" if name != "how_much" else "### Measured beside printed",
                  "## What it means", f"observations.learned_{name}(page.tables)", "page.chips()", "page.verdicts()",
                  "What differs from the paper", "## Try it", "page.explore(")]  # fmt: skip
        assert places == sorted(places), name
        assert set(re.findall(r"GS-C\d\d", TEXTS[name])) >= set(PAGES[name].claims)


def test_every_exercise_says_how_long_it_takes_and_has_an_answer():
    for name in TRAINED:
        exercises = re.findall(r"^# \d\. \*\*(.+?)\*\*(.*)$", TEXTS[name].split("## Try it")[1], re.MULTILINE)
        assert len(exercises) == TEXTS[name].count("{dropdown} Answer") >= 3, name
        assert all(re.search(r"second|minute|hour|thought", "".join(one)) for one in exercises), name


def test_the_missing_main_text_is_said_once():
    assert TEXTS["opening"].count("appendix* was available") == 1


@pytest.mark.parametrize("name", TRAINED)
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


def test_a_pruning_that_the_page_does_not_have_is_drawn_once_it_is_measured(monkeypatch):
    name, changes = pruned("largest", 100), Changes(target="largest", every=100)
    mine = replace(cases.table(cases.configurations([NONE, name], [100.0, 96.0], [85.0, 85.5])), changes=changes)
    monkeypatch.setattr(measure, "read_table", lambda *given: mine if given[-1] == changes else None)
    monkeypatch.setattr(experiments, "current", lambda table: (table, []))
    found = measure.find(PAGES["less_stable_better"], "cifar10-vgg11", "smoke", changes=changes)
    assert [set(one.frame["algorithm"]) for one in found.tables] == [{NONE, name}]


def test_a_chain_of_the_readers_own_differs_in_its_events_alone():
    asked = plan("cifar10-vgg11", "smoke")
    own, book = pruning(asked, "largest", 100), PAGES["less_stable_better"].chains(asked)[-1]
    assert own.recipe == book.recipe and book.stages[0].filters is not None
    assert own.stages[0].filters == book.stages[0].filters.but(every=100)
