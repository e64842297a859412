"""LIP's figures, sentences and tables on test error, prune potential and excess error, of made-up tables."""

# pandas' stubs tell neither a column from a frame nor a number from either.
# pyright: reportGeneralTypeIssues=false

import json
from dataclasses import replace

import altair
import numpy
import pytest
import vl_convert
from IPython.display import Markdown

from lib.analysis.display import Markdown as Words
from lib.charts.theme import specification
from papers.lost_in_pruning import figures, observations, tables
from papers.lost_in_pruning.names import FT, NAMES, PFP, SIPP, WT
from papers.lost_in_pruning.picture import picture
from papers.lost_in_pruning.recipes import PLANS
from tests.papers.lost_in_pruning_cases import NOISES, Networks, only, table

PICTURES = ("corrupted_images", "noisy_images")
OF_TABLES = [name for name, one in vars(figures).items() if hasattr(one, "__wrapped__") and name not in PICTURES]
LEARNED = [name for name in vars(observations) if name.startswith("learned_")]
METHODS = {
    WT: Networks(corrupted=40.0, sets={"jpeg_compression": 97.0, "shot_noise": 0.0}, noise={0.3: 85.0, 0.7: 0.0}),
    FT: Networks(clean=85.0, corrupted=0.0, removed=(0.0, 38.0, 84.0, 96.0)),
}


def said(name: str, *given) -> str:
    found = getattr(observations, name)(given)
    assert isinstance(found, Words)
    return str(found.data)


@pytest.fixture
def asked(monkeypatch) -> dict:
    """What a figure asks of its builder."""
    found: dict = {}
    for builder in ("lines", "dots", "heatmap"):
        monkeypatch.setattr(figures, builder, lambda rows, **given: found.update(given, rows=rows))
    return found


@pytest.mark.parametrize("name", OF_TABLES)
def test_every_figure_draws_a_table_that_has_everything(name):
    chart = getattr(figures, name)([table(METHODS)])
    assert isinstance(chart, altair.LayerChart), chart
    assert specification(chart)["description"]


@pytest.mark.parametrize("name", OF_TABLES)
def test_what_a_table_lacks_is_said(name):
    separate = only({"matching predictions (%)": {(0, 0.0): 90.0}})
    for given in ([], [table({"separate network": separate})]):
        chart = getattr(figures, name)(given)
        assert isinstance(chart, Markdown) and "Nothing to show" in str(chart.data)


@pytest.mark.parametrize("name", [*OF_TABLES, *LEARNED])
@pytest.mark.parametrize("parents", [1, 3])
def test_every_figure_has_words_and_never_a_number_that_is_none(name, parents):
    words = said(name, table(METHODS, parents=parents))
    if parents == 1 and name == "spread_of_excess":
        assert "one parent has no spread" in words
    else:
        assert words.startswith("**What we") and "nan" not in words and "not finite" not in words
    assert "yet" in said(name)


def test_a_single_parent_is_drawn_without_a_spread_and_decides_nothing():
    one = table(METHODS, parents=1)
    for name in ("error_while_pruning", "excess_while_pruning", "spread_of_excess"):
        kind = Markdown if name == "spread_of_excess" else altair.LayerChart
        assert isinstance(getattr(figures, name)([one]), kind), name
    assert "With so few seeds" in said("excess_while_pruning", one)
    assert "may be chance" in said("potential_under_noise", one)


def test_axes_have_the_share_of_all_parameters_and_changes_are_from_ones_own_parent(asked):
    figures.error_while_pruning([table(METHODS)])
    rows = asked["rows"]
    own = rows[(rows["quantity"] == figures.CHANGE) & (rows["algorithm"] == FT)]
    by_level = own.groupby("level")
    assert by_level["parameters removed (%)"].first().tolist() == [0.0, 38.0, 84.0, 96.0]
    assert by_level["value"].mean().tolist() == pytest.approx([0.0, 0.0, 0.0, 10.0], abs=0.05)
    assert own.loc[own["level"] == 0, "value"].tolist() == [0.0] * 3


def test_the_corruption_decides_how_much_can_be_pruned(asked):
    figures.potential_by_images([table(METHODS)])
    rows = asked["rows"]
    paper = (
        rows[(rows[figures.MARGIN] == 0.5) & (rows["algorithm"] == WT)]
        .groupby(figures.IMAGES, observed=True)["value"]
        .mean()
    )
    assert paper[["clean", "shot noise", "fog", "jpeg compression"]].tolist() == [97.0, 0.0, 40.0, 97.0]
    assert len(paper) == 20 and asked["shown"] == {figures.MARGIN: 0.5}
    words = said("potential_by_images", table(METHODS))
    assert "from 0.00 % (shot noise) to 97.0 % (jpeg compression)" in words


def test_a_slider_has_the_potential_under_noise_for_every_margin(asked):
    figures.potential_under_noise([table(METHODS)])
    rows = asked["rows"]
    own = rows[(rows["algorithm"] == WT) & (rows["seed"] == 0)].pivot(
        index=figures.NOISE, columns=figures.MARGIN, values="value"
    )
    assert own.index.tolist() == list(NOISES) and own.columns.tolist() == list(figures.MARGINS)
    assert own[0.5].tolist() == [97.0, 85.0, 0.0]
    assert "On the way no mean rises, as the paper has it" in said("potential_under_noise", table(METHODS))


def test_a_recovery_counts_unless_only_cuts_before_the_first_failure_do(asked):
    fails_once = Networks(corrupted=[0.0, 3.0, 0.0, 3.0], clean=[0.0, 0.0, 0.0, 3.0])
    figures.potential_by_margin([table({WT: fails_once})])
    rows = asked["rows"]
    own = (
        rows[(rows[figures.MARGIN] == 0.5) & (rows[figures.IMAGES] == figures.AVERAGE)].groupby("cuts")["value"].mean()
    )
    assert own.to_dict() == {figures.COUNTED[False]: 85.0, figures.COUNTED[True]: 0.0}
    assert "add 85.0 (WT) points" in said("potential_by_margin", table({WT: fails_once}))


def test_the_fitted_line_goes_through_the_origin_with_its_slope(asked):
    rises = Networks(clean=[0.0] * 4, corrupted=[0.0, 4.0, 8.5, 9.7], scatter=0.0)
    figures.excess_while_pruning([table({WT: rises})])
    rows = asked["rows"]
    line = rows[
        (rows["line"] == figures.FIT) & (rows["test images"] == "19 corruptions") & (rows["interval"] == "points")
    ]
    assert (line["value"] / line["parameters removed (%)"]).dropna().tolist() == pytest.approx([0.1] * 10, abs=0.001)
    assert line["value"].iloc[0] == 0 and line["caption"].iloc[0].startswith(
        "Slope in points for each 10 points of PR. WT: 1.00"
    )
    assert "For WT both intervals lie above zero, as in the paper" in said("excess_while_pruning", table({WT: rises}))
    flat = table({WT: Networks(clean=[0.0] * 4, corrupted=[0.0] * 4, scatter=[1.0, 2.0, 0.5, 1.5])})
    assert "For no method both intervals lie above zero." in said("excess_while_pruning", flat)
    other = "cifar10-wrn16-8"  # of which the paper says that it has no slope
    assert "above zero, against the paper" in said("excess_while_pruning", table({WT: rises}, other))
    assert "above zero, as in the paper" in said("excess_while_pruning", replace(flat, benchmark=other))
    [own] = tables.slopes([table({WT: rises})]).query("`test images` == '19 corruptions'").to_dict("records")
    assert own["slope per 10 points of PR"] == "1.00" and (own["networks"], own["parents"]) == (9, 3)


def test_spread_over_parents_is_told_for_every_cut(asked):
    grows = table({WT: Networks(scatter=[0.0, 1.0, 2.0, 3.0], clean=[0.0] * 4, corrupted=[0.0] * 4)})
    figures.spread_of_excess([grows])
    own = asked["rows"].query("`test images` == '19 corruptions'")["value"].tolist()
    std = float(numpy.std([-1.0, 0.2, 0.8], ddof=1))
    assert own == pytest.approx([std, 2 * std, 3 * std], rel=1e-3)
    assert "rank correlation with PR 1.00" in said("spread_of_excess", grows)


def test_filters_and_weights_are_compared_by_their_potentials():
    assert "Filters have the lower mean prune potential on average over 19 corruptions, as in the paper" in said(
        "learned_prune_potential", table(METHODS)
    )
    turned = table({WT: METHODS[FT], FT: METHODS[WT]})
    assert "Filters do not have the lower mean prune potential" in said("learned_prune_potential", turned)
    assert "Weights and filters were not both pruned" in said("learned_test_set", table({WT: METHODS[WT]}))


def test_every_severity_of_every_corruption_is_drawn_on_a_picture_that_needs_no_data():
    assert picture().shape == (32, 32, 3) and picture().unique().numel() > 50
    chart = figures.corrupted_images()
    drawn = json.dumps(specification(chart))
    assert drawn.count("data:image/png") == 5 * 20 and "severity_slider" in drawn
    assert vl_convert.vegalite_to_svg(json.dumps(specification(figures.noisy_images()))).startswith("<svg")


# Tables


def test_print_stands_alone_where_nothing_is_measured():
    for found in (tables.performance([], "cifar10-resnet20"), tables.potentials([], "cifar10-resnet20")):
        assert found["method"].tolist() == [WT, SIPP, FT, PFP] and set(found["scale"]) == {"–"}
        assert set(found[[name for name in found if name.endswith("measured")]].to_numpy().ravel()) == {"–"}
    assert tables.slopes([]).empty


def test_printed_numbers_are_those_of_the_paper():
    performance = tables.performance([], "cifar10-resnet20").set_index("method")
    assert performance["PR (%), printed"].tolist() == ["84.92", "84.92", "52.06", "44.90"]
    assert performance["change (points), printed"].tolist() == ["−0.02", "−0.08", "−0.33", "−0.10"]
    potentials = tables.potentials([], "cifar10-vgg16").set_index("method")
    assert potentials.loc[FT, "average (%), printed"] == "66.3 ± 0.5"
    assert potentials.loc[PFP, "clean (%), printed"] == "95.0 ± 0.5"
    robust = tables.potentials([table(METHODS, benchmark="cifar10-resnet20-robust")], "cifar10-resnet20-robust")
    assert set(robust["clean (%), printed"]) == {"–"}


def test_every_printed_network_has_a_benchmark_and_every_benchmark_settings():
    rows = [tables.printed("lost_in_pruning", name) for name in (*tables.PERFORMANCE, *tables.POTENTIALS)]
    assert {name for own in rows for name in own["model"]} == set(tables.MODELS.values())
    for benchmark in PLANS:
        if not benchmark.endswith("-robust"):
            assert tables.hyperparameters(benchmark)["paper"].ne("").all()
    settings = tables.hyperparameters("cifar10-resnet20").set_index("setting")
    printed = settings[settings["printed"] != "–"]
    assert (printed["printed"] == printed["paper"]).all() and len(printed) >= 9
    assert tables.methods()["method"].tolist() == [*NAMES.values()]


def test_measured_potentials_are_means_over_parents_beside_print():
    found = (
        tables.potentials([table(METHODS)], "cifar10-resnet20")
        .query("`test images` == '19 corruptions'")
        .set_index("method")
    )
    assert found.loc[WT, "clean (%), measured"] == "97.0 ± 0.0" and found.loc[WT, "clean (%), printed"] == "84.9 ± 0.0"
    assert found.loc[WT, "average (%), measured"] == f"{(17 * 40 + 97) / 19:.1f} ± 0.0"
    assert found.loc[WT, "minimum (%), measured"] == "0.0 ± 0.0" and found.loc[SIPP, "clean (%), measured"] == "–"


def test_performance_is_at_the_largest_cut_within_the_margin():
    own = tables.performance([table(METHODS)], "cifar10-resnet20").set_index("method").loc[FT]
    assert own["PR (%), measured"] == "84.0 ± 0.0" and own["FR (%), measured"] == "67.2 ± 0.0"
    assert own["PR of the mean curve (%)"] == "84.0" and own["error of the parent (%), measured"] == "10.00 ± 0.01"
    at_once = tables.performance([table({FT: Networks(clean=0.0)})], "cifar10-resnet20").set_index("method").loc[FT]
    assert (at_once["PR (%), measured"], at_once["change (points), measured"]) == ("0.0 ± 0.0", "+0.00 ± 0.00")
