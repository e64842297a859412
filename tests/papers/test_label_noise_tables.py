"""LN's small tables, on a made-up table whose levels are known."""

# pandas' stubs tell neither a column from a frame nor a number from either.
# pyright: reportGeneralTypeIssues=false

import pytest

from papers.label_noise import recipes
from papers.label_noise.names import FINE_TUNING, WIDTH, WR
from papers.label_noise.tables import (
    CLASSES,
    DATASETS,
    NOTHING,
    efficacy_table,
    hyperparameters_table,
    levels_table,
    peak_above_dense,
    peaks_table,
    printed_levels,
    prunable_weights,
)
from tests.papers.label_noise_cases import LAST, made_up


def test_printed_levels_are_those_of_the_facts():
    lenet = printed_levels("mnist-lenet")
    assert lenet[20.0, "overfitting"] == [10.74] and lenet[40.0, "overfitting"] == [40.96]
    assert lenet[20.0, "last sweet spot"] == [1.44, 1.15], "figures 9 and 11 differ"
    assert printed_levels("cifar10-resnet18")[20.0, "underfitting"] == [0.24]
    cifar100 = printed_levels("cifar100-resnet18")
    assert cifar100[40.0, "best sweet spot"] == [1.44]
    assert {noise for noise, _ in cifar100} == {40.0}, "panels whose place is uncertain are left out"


def test_measured_levels_stand_beside_printed_ones():
    found = levels_table([made_up(), made_up(scale="laptop"), made_up({"test error (%)": LAST[:1]})])
    assert list(found["scale"]) == ["paper"] * 5 + ["laptop"] * 5, "the first table of each scale"
    beside = dict(
        zip(
            found["level"],
            found[["measured (% of weights left)", "printed (%)"]].values.tolist(),
            strict=True,
        )
    )
    assert beside["overfitting"] == ["6.4", "10.74"]
    assert beside["recovery"] == ["1.024", NOTHING]
    assert beside["last sweet spot"] == ["1.024", "1.44 or 1.15"]


def test_without_a_level_below_dense_there_is_no_sweet_spot():
    worse = [15.0, *(error + 10 for error in LAST[1:])]
    found = levels_table([made_up({"test error (%)": worse, "best test error (%)": worse})])
    measured = dict(zip(found["level"], found["measured (% of weights left)"], strict=True))
    assert measured["overfitting"] == "6.4" and measured["recovery"] == "1.024"
    assert {measured[name] for name in ("best sweet spot", "last sweet spot", "underfitting")} == {NOTHING}


def test_efficacy_and_threshold_are_said_as_weights():
    found = efficacy_table([made_up(algorithms=(WR, WIDTH))])
    assert list(found["made smaller by"]) == ["magnitude score", "narrower layers"]
    first = found.iloc[0]
    assert first["efficacy (% of weights left)"] == first["threshold (% of weights left)"] == "16"
    assert first["weights at threshold"] == "42,432"  # 0.16 of 784 x 300 + 300 x 100


def test_classes_and_weights_are_those_of_the_networks():
    counts = {name: prunable_weights(recipes.plan(name, "paper").recipe) for name in CLASSES}
    assert counts == {"mnist-lenet": 265_200, "cifar10-resnet18": 11_164_352, "cifar100-resnet18": 11_210_432}
    assert DATASETS.keys() == CLASSES.keys() == set(recipes.BENCHMARKS)


def rise(table, algorithm=WR, every=1):
    found = peak_above_dense(table, algorithm, 20.0, every)
    return None if found is None else found.tolist()


def test_the_rise_is_that_of_the_peak_before_the_largest_fall():
    table = made_up()
    assert rise(table) == pytest.approx([11.0] * 3)
    # Of 0, 2, 4, 6 the peak is level 2 (20); of 0 and 4 nothing falls.
    assert rise(table, every=2) == pytest.approx([5.0] * 3)
    assert rise(table, every=4) == [0.0] * 3
    assert rise(table, FINE_TUNING) is None


def test_a_rise_is_seen_where_the_lowest_sparse_level_is_the_first():
    """15.7 → 28.7 → 21.4, as LeNet at 20 % noise: no level is better than the first, yet the error climbs and comes down."""
    errors = [15.7, 16.5, 19.2, 22.3, 28.7, 22.5, 21.4, 23.9]
    table = made_up({"test error (%)": errors})
    assert rise(table) == pytest.approx([13.0] * 3)
    assert list(peaks_table([table])["a rise is seen"])[0] == "yes"


def test_the_table_says_whether_a_rise_is_seen():
    found = peaks_table([made_up(algorithms=(WR, FINE_TUNING))])
    assert list(found["a rise is seen"]) == ["yes", "yes", "no", "yes"]
    assert list(found["algorithm"]) == [WR] * 3 + [FINE_TUNING]
    assert list(found["levels"]) == ["all", "every 2nd", "every 4th", "all"]
    assert set(peaks_table([made_up(seeds=(0, 1))])["a rise is seen"]) == {"undecided"}


def test_the_paper_scale_has_the_printed_hyper_parameters():
    found = hyperparameters_table(tuple(DATASETS))
    printed = found[found["printed"] != NOTHING]
    assert (printed["printed"] == printed["paper"]).all() and len(printed) == 6 + 2 * 10
    assert {"laptop", "short"} <= set(found.columns) and "no plan" in set(found["short"])
