"""GS's figures on stability and accuracy draw made-up and committed tables, and say in words what a table lacks."""

import json
from dataclasses import replace

import altair
import pytest
import vl_convert
from IPython.display import Markdown

from lib.analysis import normality
from lib.analysis.correlation import correlation
from lib.analysis.stability import AFTER, BEFORE, BEST, BEST_HELD_OUT, BY_EPOCH, GAP, HELD_OUT, LAST, LOWEST, STABILITY
from lib.charts.theme import specification
from lib.widgets.page import open_page
from papers.generalization_stability import figures
from papers.generalization_stability.experiments import LESS_SHORTCUT, MORE_PRUNED, PAGES, RATES_AND_TARGETS
from papers.generalization_stability.names import FIGURE_2, NONE, RATES, STABLE, TARGETS, UNSTABLE, pruned, setting
from papers.generalization_stability.recipes import VGG11_EVENTS
from tests.papers import generalization_stability_cases as cases

FIGURES = [name for name, found in vars(figures).items() if hasattr(found, "__wrapped__")]
LAYERS = {float(place): 0.02 * place for place in range(1, normality.LAYERS + 1)}


def made_up(runs: int = 3, slope: float = -1.0):
    """A table with all that the figures draw: accuracy is 90 + slope · (stability − 100) without noise worth naming."""
    names = {
        *FIGURE_2,
        *figures.TRADITIONAL,
        *(pruned(target, every) for target in TARGETS for every in RATES),
        *(pruned(*how, score=score) for how in RATES_AND_TARGETS for score in figures.SCORES),
        *(pruned(*how, more=MORE_PRUNED) for how in RATES_AND_TARGETS),
        pruned("largest", 40, more=LESS_SHORTCUT),
    }
    cells = {}
    for i, name in enumerate(sorted(names)):
        stable = 100.0 if name == NONE else 97 + 0.1 * i
        accuracy = 90 + slope * (stable - 100)
        cells[name] = {
            STABILITY: stable, HELD_OUT: stable - 0.1 * (name != NONE), LOWEST: stable - 2, BEST: accuracy,
            LAST: accuracy - 0.5, BEST_HELD_OUT: accuracy - 1, GAP: 8.0,
            BY_EPOCH: {1.0: 40.0, 2.0: 50.0, 3.0: 60.0}, BEFORE: {1.5: 45.0, 2.5: 55.0}, AFTER: {1.5: 40.0, 2.5: 44.0},
            "filters targeted at event": {1.5: 3.0, 2.5: 4.0},
        }  # fmt: skip
    for when in (normality.BEFORE, normality.AFTER):
        cells[NONE][normality.DISTANCE.format(when)] = LAYERS
        for layer in range(1, normality.LAYERS + 1):
            cells[NONE][normality.DENSITY.format(layer, when)] = {-1.0: 0.2, 0.0: 0.4, 1.0: 0.2}
    return cases.table(cells, runs=runs, spread=0.01)


@pytest.fixture
def asked(monkeypatch) -> dict:
    """What a figure asks of its builder."""
    found: dict = {}
    for builder in ("lines", "scatter", "dots"):
        monkeypatch.setattr(figures, builder, lambda rows, **given: found.update(given, rows=rows))
    return found


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_draws_a_table_that_has_everything(name):
    chart = getattr(figures, name)([made_up()])
    assert isinstance(chart, altair.LayerChart), chart
    drawn = specification(chart)
    assert drawn["description"] and vl_convert.vegalite_to_svg(json.dumps(drawn)).startswith("<svg")


@pytest.mark.parametrize("name", FIGURES)
def test_what_a_table_lacks_is_said(name):
    for tables in ([], [cases.table({NONE: {"test loss (nats)": 1.0}})]):
        chart = getattr(figures, name)(tables)
        assert isinstance(chart, Markdown) and "Nothing to show" in str(chart.data)


def test_a_single_run_of_a_few_configurations_is_drawn():
    few = cases.table(cases.configurations([NONE, STABLE], [100.0, 99.9], [85.0, 85.2]), runs=1)
    assert isinstance(figures.accuracy_against_stability([few]), altair.LayerChart)
    assert isinstance(figures.stability_on_two_sets([few]), Markdown)


def test_the_rates_of_figure_3_are_those_of_its_axis():
    shares = [figures.share_of_an_event(VGG11_EVENTS.but(every=every)) for every in RATES]
    assert shares == pytest.approx([1.3, 6.4, 12.9, 18, 30, 45, 90], abs=0.05)


def test_an_event_is_a_drop_straight_down(asked):
    figures.accuracy_over_training([made_up()])
    rows = asked["rows"]
    own = rows[(rows["algorithm"] == UNSTABLE) & (rows["seed"] == 0)].set_index("quantity")
    accuracy, events = (own.loc[quantity] for quantity in (figures.ACCURACY, figures.EVENT))
    assert accuracy["epoch"].is_unique and events["epoch"].tolist() == [1.5, 2.5]
    assert {round(1.5 - figures.MOMENT, 6), round(1.5 + figures.MOMENT, 6)} <= set(accuracy["epoch"].round(6))
    assert events["value"].tolist() == pytest.approx([100 * 40 / 45, 80.0], abs=0.1)


def test_the_correlation_above_the_runs_is_of_those_that_the_menus_choose(asked):
    table = made_up()
    figures.accuracy_against_stability([table])
    rows = asked["rows"]
    chosen = (rows["networks"] == figures.PRUNED) & (rows["accuracy"] == "after the last epoch")
    own = rows[chosen & (rows["stability on"] == "held-out images")]
    assert NONE not in set(own["algorithm"]) and len(own) == 3 * (len(figures.configurations([table])) - 1)
    by_run = own.set_index(["algorithm", "seed"])
    found = correlation(by_run[figures.MEAN_STABILITY], by_run[figures.ACCURACY])
    [caption] = own["caption"].unique()
    assert f"r = {found.pearson:.2f}".replace("-", "−") in caption and "within configurations" in caption
    assert by_run[figures.MEAN_STABILITY].tolist() == pytest.approx(
        [table.where(quantity=HELD_OUT, algorithm=name, seed=seed).frame["value"].item() for name, seed in by_run.index]
    )


def test_correlations_of_a_rate_are_of_its_three_targets(asked):
    figures.correlation_by_rate([made_up()])
    rows = asked["rows"]
    rows = rows[rows["runs"] == 3 * len(TARGETS)]  # Figure 4 has one target at a rate of its own
    assert rows[figures.SHARE].nunique() == len(RATES)
    assert rows.groupby("coefficient")["low"].count().to_dict() == {"Kendall's τ": 0, "Pearson's r": len(RATES)}


def test_a_pruning_of_the_readers_own_is_drawn_beside_the_books(asked):
    own = pruned("largest", 100)
    mine = replace(cases.table(cases.configurations([own], [96.0], [85.5])), origin="this machine")
    book = cases.table(cases.configurations(FIGURE_2, [100, 99.9, 99.8, 97.7], [85.0, 85.2, 85.3, 86.0]))
    figures.accuracy_against_stability([book, mine])
    assert asked["domain"] == [*FIGURE_2, own] and set(asked["rows"]["algorithm"]) == {*FIGURE_2, own}
    assert setting(own) == ("largest", 100) and setting(NONE) is None


def test_committed_tables_are_drawn():
    page = open_page(PAGES["less_stable_better"], {"benchmark": "cifar10-vgg11", "scale": "laptop"})
    committed = [one for one in page.tables if one.origin == "committed"]
    for draw in (figures.accuracy_over_training, figures.accuracy_against_stability, figures.best_and_last):
        assert isinstance(draw(committed), altair.LayerChart)
