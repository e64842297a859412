"""TR's figures draw the committed tables, show the numbers of these, and say in words what a table lacks."""

from typing import Any

import altair
import pandas
import pytest
import torch
from IPython.display import Markdown

from lib.analysis.example_images import ExampleImages
from lib.analysis.levels import chosen_level
from lib.analysis.table import SIZE, Table, find_tables, values
from papers.training_regularization import example_figures, figures
from papers.training_regularization.experiments import PAGES
from papers.training_regularization.names import EDT, GROUP_LOSS, LONGER_WD, LRR, ONE_SHOT, RAND, TEST, TW, WD
from tests.papers.label_noise_cases import made_up

OF_TABLES = {
    f"{module.__name__.rpartition('.')[2]}.{name}": found
    for module in (figures, example_figures)
    for name, found in vars(module).items()
    if [*getattr(getattr(found, "__wrapped__", None), "__annotations__", {})][:1] == ["tables"]
    and name not in ("ranked_images", "change_at_each_level", "difference_with_worsened_examples", "example_stories")
}


@pytest.fixture(scope="module")
def lenet() -> list[Table]:
    found = find_tables("training_regularization", "mnist-lenet")
    return sorted((one for one in found if one.origin == "committed"), key=lambda table: table.scale)


@pytest.fixture
def asked(monkeypatch) -> dict:
    """What a figure asks of `lines`."""
    found: dict = {}
    for module in (figures, example_figures):
        monkeypatch.setattr(module, "lines", lambda rows, **given: found.update(given, rows=rows))
    return found


def mean(rows: Any, **where) -> list[float]:
    for column, value in where.items():
        rows = rows[rows[column] == value]
    return rows.groupby("level")["value"].mean().tolist()


def test_there_is_a_figure_for_every_one_of_the_paper_that_draws_tables():
    named = " ".join(str(found.__doc__).partition(":")[0] for found in OF_TABLES.values())
    for number in (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15):
        assert str(number) in named.replace("and", "").split() or f"{number}." in named, number


@pytest.mark.parametrize("name", OF_TABLES)
def test_every_figure_draws_the_committed_tables(name, lenet):
    chart = OF_TABLES[name](lenet)
    assert isinstance(chart, altair.LayerChart), chart
    assert chart.to_dict()["description"]


@pytest.mark.parametrize("name", OF_TABLES)
def test_what_a_table_lacks_is_said(name):
    found = OF_TABLES[name]([made_up({"training error (%)": [1.0, 2.0]}, algorithms=(RAND,))])
    assert isinstance(found, Markdown) and "no table has" in str(found.data)


@pytest.mark.parametrize("algorithm", [LRR, EDT, WD])
def test_a_slider_goes_through_levels(algorithm, lenet):
    chart = example_figures.change_at_each_level(lenet, algorithm, "level by level").to_dict()
    (slider,) = (one for one in chart["params"] if one["name"] == "level_slider")
    deepest = max(
        int(level) for table in lenet for level in table.where(algorithm=algorithm, quantity=GROUP_LOSS).frame["level"]
    )
    assert (slider["bind"]["min"], slider["bind"]["max"]) == (1, deepest)
    assert "15 %" in chart["description"], "it opens where the story is"


def test_the_slider_says_which_network_it_shows(lenet, asked):
    for algorithm, network in ((LRR, "% of the weights"), (EDT, "epochs of training")):
        example_figures.change_at_each_level(lenet, algorithm, "level by level")
        row = asked["rows"].iloc[0]
        table = next(one for one in lenet if one.label == row["table"])
        where = {"algorithm": algorithm, "noise_percent": row["noise_percent"]}
        errors = values(table, TEST, **where).mean()
        said = row["caption"]
        assert said.startswith(f"Level {row['level']}: ") and network in said
        assert f"Test error {errors[row['level']]:.2f}" in said and said.endswith(f"dense {errors[0]:.2f} %.")


def test_errors_while_pruning_are_those_of_the_table(lenet, asked):
    figures.error_while_pruning(lenet)
    for table in lenet:
        for noise in (0.0, 15.0):
            own = values(table, TEST, algorithm=LRR, noise_percent=noise).mean()
            shown = mean(asked["rows"], table=table.label, noise_percent=noise)
            assert shown == pytest.approx(own.tolist())
            stars = asked["rows"][asked["rows"]["optimum"] & asked["rows"]["table"].eq(table.label)]
            best = chosen_level(table, "optimum", algorithm=LRR, noise_percent=noise)
            assert set(stars.loc[stars["noise_percent"] == noise, "level"]) == {best}


def test_extended_dense_training_stands_where_pruning_is_after_as_many_epochs(lenet, asked):
    figures.error_of_five_ways(lenet)
    rows = asked["rows"]
    sizes = rows[rows["scale"] == "laptop"].groupby(["algorithm", "level"])[SIZE].mean()
    assert sizes[EDT].tolist() == pytest.approx(sizes[LRR].tolist())
    assert asked["shown"] == {"noise_percent": "0 %"}
    assert asked["reference"] == "dense, shared" and rows["algorithm"].iloc[0] == LRR


def test_changes_of_groups_are_paired_with_the_dense_network(lenet):
    rows = example_figures.group_changes(lenet, LRR)
    [table] = [one for one in lenet if (one.frame["quantity"] == GROUP_LOSS).any()][:1]
    rows = rows[rows["table"] == table.label]
    last = rows.loc[rows["noise_percent"] == 15, "level"].max()
    own = rows[(rows["noise_percent"] == 15) & (rows["level"] == last) & (rows["position"] == 20)]
    where = {"algorithm": LRR, "noise_percent": 15.0}
    after, dense = (values(table, GROUP_LOSS, "position", level=k, **where)[20] for k in (last, 0))
    assert own.sort_values("seed")["value"].tolist() == pytest.approx((after - dense).tolist())
    assert own["EL2N percentile (%), hardest right"].unique().tolist() == [97.5]


def test_a_difference_is_that_of_pairs(asked):
    table = made_up({TEST: [9.0, 8.0]}, algorithms=(TW, RAND, LRR))
    frame = table.frame
    more = (frame["algorithm"] == TW) & (frame["quantity"] == TEST)
    shifted = table.with_frame(frame.assign(value=frame["value"] + 2.0 * more))
    figures.difference_with_worsened_examples([shifted])
    assert asked["rows"]["value"].tolist() == pytest.approx([2.0] * 3)
    assert set(asked["rows"]["level"]) == {1}, "nobody chose for the dense network"


def test_smaller_networks_say_how_large_they_are_and_where_dense_is_better(lenet, asked):
    example_figures.change_of_smaller_networks(lenet)
    rows = asked["rows"]
    row = rows[rows["noise_percent"] == 15].iloc[0]
    table = next(one for one in lenet if one.label == row["table"])
    where = {"algorithm": ONE_SHOT, "noise_percent": 15.0}
    size = values(table, SIZE, **where)[chosen_level(table, "best smaller", **where)].mean()
    assert row["caption"].startswith(f"{ONE_SHOT.capitalize()}: {size:.3g} % of the weights")
    both = [chosen_level(table, "optimum", algorithm=one, noise_percent=15.0) for one in (ONE_SHOT, LONGER_WD)]
    assert row["caption"].count("dense is better still") == both.count(0)


def test_a_comparison_opens_with_a_table_that_has_all_of_it(asked):
    sparse, both = (
        made_up({TEST: [9.0, 8.0]}, algorithms=names, scale=scale)
        for names, scale in (((LRR,), "paper"), ((LRR, WD), "laptop"))
    )
    figures.error_of_narrower_networks([sparse, both])
    assert asked["rows"]["scale"].iloc[0] == "laptop" and set(asked["rows"]["scale"]) == {"laptop", "paper"}
    assert set(asked["rows"]["algorithm"]) == {LRR, WD}
    figures.error_of_narrower_networks([sparse])
    assert set(asked["rows"]["algorithm"]) == {LRR}


def test_a_printed_table_has_a_row_for_each_network_and_quantity(lenet):
    shown = figures.printed_table("mnist-lenet", lenet, 11).to_html()
    assert "noisy training loss (nats)" in shown and "optimum minus dense" in shown
    nothing = figures.printed_table("cifar100-resnet32", [], 5).to_html()
    assert "27.96" in nothing or "extended dense training" in nothing
    assert isinstance(figures.printed_table("imagenet-resnet50", [], 6), Markdown)


def test_wrong_labels_and_predictions_are_marked(monkeypatch):
    asked: dict = {}
    monkeypatch.setattr(example_figures, "images", lambda pictures, **given: asked.update(given))
    pictures = torch.zeros(2, 28, 28, 1, dtype=torch.uint8)
    shown = ExampleImages(pictures, ["1", "2"], ["1", "3"], [0.5, 0.25], [])
    example_figures._images({"": shown}, {"": "note"}, "loss (nats)", "title")
    assert asked["captions"] == ["1", "2\n(was 3)"] and asked["marked"] == [False, True]
    ranked = ExampleImages(pictures, ["1", "2"], ["1", "2"], [0.5, 0.25], ["7", "2"])
    example_figures._images({"": ranked}, {"": "note"}, "mean loss change (nats)", "title")
    assert asked["captions"] == ["1 · 7 ✗", "2 · 2"] and asked["marked"] == [True, False]
    assert asked["told"]["mean loss change (nats)"].tolist() == ["0.5", "0.25"]


def test_the_methods_own_figures_draw():
    plan = PAGES["preliminaries"].plans("cifar10-resnet20", "smoke")
    (chain,) = PAGES["preliminaries"].chains(plan)
    assert "51.2 %" in str(figures.learning_rate_while_pruning(chain).to_dict())
    errors = pandas.Series({0: 9.1, 1: 8.4})
    assert figures.paired_runs({"one": {"A": errors, "B": errors + 1}}).to_dict()["description"]
    assert isinstance(figures.network_level_by_level([], "note"), Markdown)
