"""LIP's pages on pixels, on the same function, and how far one may prune: in order, right by hand, and run as a whole."""

import re
from pathlib import Path
from typing import Any

import altair
import jupytext
import numpy
import pytest
from IPython.core.interactiveshell import InteractiveShell

from lib.analysis.how_far import HowFar
from lib.analysis.prune_potential import Curves
from papers.lost_in_pruning import function_figures as figures
from papers.lost_in_pruning import function_observations as observations
from papers.lost_in_pruning.experiments import PAGES

FOLDER = Path("papers/lost_in_pruning/pages")
TRAINED, OWN = ("informative_pixels", "same_function"), ("informative_pixels", "same_function", "how_far")
TEXTS = {name: (FOLDER / f"{name}.py").read_text(encoding="utf-8") for name in OWN}


def found(shifted: tuple[float, ...] = (20.0, 21.0, 30.0)) -> HowFar:
    """A network of which half can go on clean images, and nothing in fog."""
    errors = numpy.array([[[10.0, 10.2, 15.0]], [[*shifted]]])
    own = Curves(("clean", "fog"), (0,), (0, 1, 2), numpy.array([[0.0, 50.0, 90.0]]), errors)
    return HowFar({"magnitude": own}, 800, True)


def cells(name: str) -> list[Any]:
    return [cell for cell in jupytext.read(FOLDER / f"{name}.py").cells if cell.cell_type == "code"]


@pytest.mark.parametrize("name", OWN)
def test_pages_are_in_the_books_order(name):
    text = TEXTS[name]
    order = ["**The question.**", "## The idea", "y hand", "## Measured beside printed", "## What it means",
             f"observations.learned_{name}(", "What differs from the paper", "## Try it"]  # fmt: skip
    if name in TRAINED:
        assert f'open_page(PAGES["{name}"], vars())' in text
        order[2:2] = ["**What the paper claims**", "show_source("]
        order[-2:-2] = ["page.chips()", "page.verdicts()"]
        assert set(re.findall(r"LIP-C\d\d", text)) >= set(PAGES[name].claims)
    places = [text.index(mark) for mark in order]
    assert places == sorted(places)
    exercises = re.findall(r"^# \d\. \*\*(.+?)\*\*(.*)$", text.split("## Try it")[1], re.MULTILINE)
    assert len(exercises) == text.count("{dropdown} Answer") >= 3
    assert all(re.search(r"second|minute|thought|no training", "".join(one)) for one in exercises)


def test_what_is_seen_follows_every_figure_and_all_figures_are_shown():
    shown = set()
    for text in TEXTS.values():
        codes = [one for one in re.split(r"^# %%.*$", text, flags=re.MULTILINE) if one.strip()]
        for code, after in zip(codes, codes[1:], strict=False):
            if drawn := re.search(r"^figures\.(\w+)\(", code, re.MULTILINE):
                assert f"observations.{drawn[1]}(" in after
                shown.add(drawn[1])
    assert shown == {name for name, one in vars(figures).items() if hasattr(one, "__wrapped__")}


@pytest.mark.parametrize("name", TRAINED)
def test_the_library_does_what_is_computed_by_hand(name):
    shell, results = InteractiveShell(), []
    for cell in cells(name):
        if "parameters" in cell.metadata.get("tags", ()):
            break
        done = shell.run_cell(cell.source)
        done.raise_error()
        results.append(done.result)
    assert any(one is True for one in results)


def test_the_tool_runs_on_generated_digits_and_does_what_is_computed_by_hand():
    shell, results = InteractiveShell(), []
    for cell in cells("how_far"):
        done = shell.run_cell(cell.source)
        done.raise_error()
        results.append(done.result)
        if "parameters" in cell.metadata.get("tags", ()):
            shell.user_ns["scale"] = "smoke"
    assert sum(one is True for one in results) == 2
    assert sum(isinstance(one, altair.LayerChart) for one in results) == 2


def test_what_the_tool_found_is_drawn_and_said():
    for figure in (figures.errors_on_shifts, figures.potential_of_sets):
        assert isinstance(figure(found(), 0.5), altair.LayerChart)
    assert "By WT, 50 % can go" in observations.errors_on_shifts(found()).data
    assert "fog: 20.0 % before pruning, 21.0 % after" in observations.errors_on_shifts(found()).data
    assert "By WT, 50 %" in observations.potential_of_sets(found()).data
    learned = observations.learned_how_far(found()).data
    assert "50 % (WT) of the parameters can go" in learned and "0 % (WT) on the worst shift" in learned
    assert "no shift that was measured costs more" in observations.errors_on_shifts(found((20.0, 20.0, 20.0))).data


def test_without_a_shift_clean_images_are_drawn_alone():
    own = found().curves["magnitude"]
    alone = HowFar({"magnitude": Curves(("clean",), (0,), own.levels, own.removed, own.errors[:1])}, 800, True)
    assert isinstance(figures.errors_on_shifts(alone), altair.LayerChart)
    assert "worst shift" not in observations.learned_how_far(alone).data
