"""LIP's page on robust training: figures and sentences on tables made by hand, with and without the nominal network."""

import functools
import re
from pathlib import Path

import jupytext
import pytest
from IPython.core.interactiveshell import InteractiveShell

from lib.analysis import statistics
from lib.analysis.excess_error import SEEN, UNSEEN
from lib.analysis.printed import printed
from papers.lost_in_pruning import robust_figures, robust_observations, robust_tables
from papers.lost_in_pruning.experiments import PAGES
from papers.lost_in_pruning.names import FT, WT
from papers.lost_in_pruning.robust_figures import NOMINAL, ROBUST, TRAINING, printed_potentials
from tests.papers.lost_in_pruning_cases import Networks, table

PAGE = Path("papers/lost_in_pruning/pages/robust_training.py")
FIGURES = [name for name, one in vars(robust_figures).items() if hasattr(one, "__wrapped__") and name != "nominal_of"]
OF_TABLES = [name for name in FIGURES if name != "seen_and_unseen_images"]
BENCHMARK = "cifar10-resnet20-robust"


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """The intervals of these slopes are plain."""
    monkeypatch.setattr(statistics, "RESAMPLES", 200)


@pytest.fixture(name="beside")
def nominal_table(monkeypatch):
    """Let a table, or none, be that of the network without robust training."""

    def of(found):
        for module in (robust_figures, robust_observations):
            monkeypatch.setattr(module, "nominal_of", lambda asked: found)

    return of


@functools.cache
def robust():
    return table({WT: Networks(corrupted=85.0, sets={"fog": 40.0}), FT: Networks(clean=40.0)}, BENCHMARK)


@functools.cache
def plain():
    return table({WT: Networks(error=35.0), FT: Networks(clean=40.0, corrupted=0.0)})


@pytest.mark.parametrize("name", OF_TABLES)
def test_every_figure_draws_both_trainings_or_the_one_that_is_measured(name, beside):
    for other in (plain(), None):
        beside(other)
        drawn = getattr(robust_figures, name)([robust()]).to_json()
        assert ROBUST in drawn and (NOMINAL in drawn or not other)


@pytest.mark.parametrize("name", [*OF_TABLES, "learned_robust_training"])
def test_without_a_table_figures_and_sentences_say_what_is_missing(name, beside):
    beside(None)
    for module in (robust_figures, robust_observations):
        if hasattr(module, name) and name in (*OF_TABLES, "learned_robust_training"):
            assert re.search("[Nn]othing|Not measured", getattr(module, name)([]).data)
    assert robust_observations.error_on_unseen([table({WT: Networks()}, BENCHMARK, parents=1)]).data


def test_the_two_kinds_of_corruptions_are_all_on_the_picture():
    drawn = robust_figures.seen_and_unseen_images().to_json()
    assert all(name.replace("_", " ") in drawn for name in (*SEEN, *UNSEEN))


def test_sentences_compare_with_the_same_network_without_robust_training(beside):
    beside(plain())
    assert "78.6 ± 0.0 % against 40.0 ± 0.0 %, 38.6 ± 0.0 points higher" in said("average_and_minimum")
    assert "parents 20.00 ± 0.01 % against 35.00 ± 0.01 %, 15.0 ± 0.0 points lower" in said("error_on_unseen")
    assert "40.0 % (fog) to 85.0 %" in said("potential_seen_and_unseen")
    assert "flatter line in both methods, as in the paper. The two intervals are apart in both" in said(
        "excess_after_robust_training"
    )
    assert "from 35.00 ± 0.01 to 20.00 ± 0.01 %" in robust_observations.learned_robust_training([robust()]).data


def test_they_say_where_the_numbers_speak_against_the_paper(beside):
    beside(table({WT: Networks(corrupted=97.0), FT: Networks()}))
    steep = table({WT: Networks(corrupted=(0, 3, 5, 9)), FT: Networks()}, BENCHMARK)
    found = robust_observations.excess_after_robust_training([steep]).data
    assert "flatter line in 1 of 2 methods; in the paper it has for all" in found


def test_without_the_nominal_network_they_say_so_and_compare_nothing(beside):
    beside(None)
    assert "not measured at this scale" in said("error_after_robust_training")
    assert "against" not in said("error_on_unseen")
    assert "Not measured yet" in robust_observations.learned_robust_training([robust()]).data


def said(name):
    return getattr(robust_observations, name)([robust()]).data


def test_printed_potentials_are_set_beside_measured_ones():
    found = robust_tables.potentials([robust()], BENCHMARK)
    own = found.set_index("method").loc[WT]
    assert own["average, seen, measured"] == "86.3 ± 0.0" and own["average, seen, printed"].startswith("87.5")
    assert own["minimum, unseen, measured"] == "40.0 ± 0.0" and own["minimum, unseen, printed"].startswith("72.6")
    assert len(robust_tables.potentials([], BENCHMARK)) == 4
    rows = printed_potentials()
    whole = sum(len(printed("lost_in_pruning", name)) for name in robust_figures.TABLES_OF_POTENTIAL)
    assert len(rows) == whole + whole // 6 and set(rows[TRAINING]) == {ROBUST}, "two networks of ours are a ResNet56"


def test_the_split_is_that_of_the_printed_table():
    ours = robust_tables.corruptions().set_index("by").loc["Table 11"]
    rows = printed("lost_in_pruning", "table_11_corruptions_categorical")
    for part, column in (("train", "seen in training"), ("test", "unseen")):
        names = rows.loc[rows["metric"] == f"{part}_distribution", "text_value"]
        words = {name.lower().removesuffix("pixel") for name in names if not name.startswith("CIFAR")}
        assert len(ours[column].split(", ")) == len(names)
        assert all(word in ours[column].lower() for word in words)


def test_what_is_seen_follows_every_figure_in_the_order_of_a_page():
    text = PAGE.read_text(encoding="utf-8")
    for name in OF_TABLES:
        assert f"robust_observations.{name}(page.tables)" in text.split(f"robust_figures.{name}(page.tables)")[1][:120]
    marks = ("**The question.**", "## The idea", "**What the paper claims**", "by hand", '# %% tags=["parameters"]',
             "## Measured beside printed", "## What it means", "learned_robust_training", "page.chips()",
             "page.verdicts()", "What differs from the paper", "## Try it", "page.explore(")  # fmt: skip
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)
    assert set(re.findall(r"LIP-C\d\d", text)) >= set(PAGES["robust_training"].claims)
    exercises = re.findall(r"^# \d\. \*\*(.+?)\*\*(.*)$", text.split("## Try it")[1], re.MULTILINE)
    assert len(exercises) == text.count("{dropdown} Answer") >= 3


def test_the_page_runs_and_the_library_does_what_is_computed_by_hand():
    shell, heading, last = InteractiveShell(), "", None
    for cell in jupytext.read(PAGE).cells:
        if cell.cell_type == "markdown":
            heading = ([heading, *re.findall(r"^#+ .*$", cell.source, re.MULTILINE)])[-1]
            continue
        done = shell.run_cell(cell.source.replace('scale: str = "laptop"', 'scale: str = "smoke"'))
        done.raise_error()
        last = done.result if "by hand" in heading else last
    assert last is True
