"""TR's figures draw the committed tables, show the numbers of these, and say in words what a table lacks."""

from typing import Any

import altair
import pandas
import pytest
import torch
from IPython.display import Markdown

from lib.analysis.example_images import ExampleImages
from lib.analysis.table import SIZE, Table, find_tables, values
from papers.training_regularization import example_figures, figures
from papers.training_regularization.experiments import PAGES
from papers.training_regularization.names import EDT, GROUP_LOSS, LRR, ONE_SHOT, RAND, TEST, TW, WD
from tests.papers.label_noise_cases import made_up

OF_TABLES = {
    f"{module.__name__.rpartition('.')[2]}.{name}": found
    for module in (figures, example_figures)
    for name, found in vars(module).items()
    if [*getattr(getattr(found, "__wrapped__", None), "__annotations__", {})][:1] == ["tables"]
    and name not in ("ranked_images", "change_at_each_level", "difference_with_worsened_examples")
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
    assert (slider["bind"]["min"], slider["bind"]["max"]) == (1, 3)


def test_the_slider_says_which_network_it_shows(lenet, asked):
    for algorithm, network in ((LRR, "22 % of the weights"), (EDT, "40 epochs of training")):
        example_figures.change_at_each_level(lenet, algorithm, "level by level")
        said = asked["rows"]["caption"].iloc[0]
        assert said.startswith(f"Level 1: {network}. Test error 3.") and said.endswith("dense 3.87 %.")


def test_errors_while_pruning_are_those_of_the_table(lenet, asked):
    figures.error_while_pruning(lenet)
    for table in lenet:
        for noise in (0.0, 15.0):
            own = values(table, TEST, algorithm=LRR, noise_percent=noise).mean()
            shown = mean(asked["rows"], table=table.label, noise_percent=noise)
            assert shown == pytest.approx(own.tolist())
    stars = asked["rows"][asked["rows"]["optimum"] & (asked["rows"]["table"] == lenet[0].label)]
    assert set(zip(stars["noise_percent"], stars["level"], strict=True)) == {(0, 0), (5, 0), (10, 0), (15, 3)}


def test_extended_dense_training_stands_where_pruning_is_after_as_many_epochs(lenet, asked):
    figures.error_of_five_ways(lenet)
    rows = asked["rows"]
    sizes = rows[rows["scale"] == "laptop"].groupby(["algorithm", "level"])[SIZE].mean()
    assert sizes[EDT].tolist() == pytest.approx(sizes[LRR].tolist())
    assert asked["shown"] == {"noise_percent": "0 %"}
    assert asked["reference"] == "dense, shared" and rows["algorithm"].iloc[0] == LRR


def test_changes_of_groups_are_paired_with_the_dense_network(lenet):
    rows = example_figures.group_changes(lenet, LRR)
    own = rows[(rows["noise_percent"] == 15) & (rows["level"] == 3) & (rows["position"] == 20)]
    after, dense = (
        values(lenet[0], GROUP_LOSS, "position", algorithm=LRR, noise_percent=15.0, level=k)[20] for k in (3, 0)
    )
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


def test_smaller_networks_are_said_to_be_worse_than_the_dense_one(lenet, asked):
    example_figures.change_of_smaller_networks(lenet)
    rows = asked["rows"]
    said = rows.loc[rows["noise_percent"] == 15, "caption"].iloc[0]
    assert said.startswith(f"{ONE_SHOT.capitalize()}: 1.06 % of the weights. Longer")
    assert said.count("dense is better still") == 1


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
    assert "level 1, 51.2 %" in str(figures.learning_rate_while_pruning(chain).to_dict())
    errors = pandas.Series({0: 9.1, 1: 8.4})
    assert figures.paired_runs({"one": {"A": errors, "B": errors + 1}}).to_dict()["description"]
    assert isinstance(figures.network_level_by_level([], "note"), Markdown)
