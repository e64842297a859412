"""The map of a paper: everything that it shows has a place in the book or a reason, and the places are there."""

# What is shown has no type of its own here.
# pyright: reportOptionalMemberAccess=false, reportOperatorIssue=false

import pytest

from lib.analysis import inventory
from lib.analysis.files import REPOSITORY
from lib.analysis.inventory import Place
from lib.analysis.table import find_tables
from lib.errors import InputError

BUILT = [
    paper
    for paper in ("training_regularization", "label_noise", "lost_in_pruning", "generalization_stability")
    if (REPOSITORY / "papers" / paper / "experiments.py").is_file()
]


def places(paper: str) -> dict[str, str]:
    import importlib

    return importlib.import_module(f"papers.{paper}.experiments").PLACES


@pytest.mark.parametrize("paper", BUILT)
def test_every_experiment_has_a_place_or_a_reason(paper):
    experiments = inventory.read_experiments(paper)
    assert experiments
    for one in experiments:
        place = inventory.place_of(one.id, places(paper))
        assert place.page or len(place.reason) > 10, one.id


@pytest.mark.parametrize("paper", BUILT)
def test_places_are_in_the_book(paper):
    for where in places(paper).values():
        if " " in where:
            continue
        page, _, figure = where.partition("#")
        text = (REPOSITORY / "papers" / paper / "pages" / f"{page}.py").read_text(encoding="utf-8")
        assert f'"name": "{figure}"' in text if figure else text, where


def test_parts_of_a_figure_have_the_place_of_the_whole():
    known = {"TR-fig16": "examples_themselves", "TR-run-WR": "no figure of its own"}
    assert inventory.place_of("TR-fig16a", known) == Place("examples_themselves")
    assert inventory.place_of("TR-run-WR", known) == Place(reason="no figure of its own")
    with pytest.raises(InputError, match="TR-fig9 has no place"):
        inventory.place_of("TR-fig9", known)


def test_the_map_has_a_row_for_each_figure_and_table():
    rows = inventory.paper_map("training_regularization", tables=[])
    names = [row.name for row in rows]
    assert len(names) == len(set(names)) and {"Figure 1a", "Figure 16", "Table 11"} <= set(names)
    assert not any(row.measured for row in rows), "of no table"
    found = [one for one in find_tables("training_regularization", "mnist-lenet") if one.origin == "committed"]
    [error] = [row for row in inventory.paper_map("training_regularization", tables=found) if row.name == "Figure 3"]
    assert error.measured["mnist-lenet"][0] == "paper" and error.place.figure == "fig-tr-error"


def test_settings_and_lists_have_nothing_to_measure():
    without = [row.name for row in inventory.paper_map("lost_in_pruning", tables=[]) if not row.has_numbers]
    assert without == ["Table 1", "Table 3", "Table 5", "Table 7", "Table 11"]
    assert inventory.map_table("lost_in_pruning").data.count("nothing to measure") == len(without)


def test_claims_are_sorted_by_what_became_of_them():
    found = inventory.outcomes("training_regularization", [])
    assert not found[inventory.HELD] and not found[inventory.NOT_HELD]
    assert "we cannot tell" in inventory.tally(found)
    shown = inventory.outcome_list(found[inventory.OPEN]).data
    assert shown.count("<li>") == len(found[inventory.OPEN]) and "<script" not in shown
    assert "None" in inventory.outcome_list([]).data
