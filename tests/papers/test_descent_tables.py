"""The small tables of LN's page on section 4, on a made-up table whose levels are known."""

from papers.label_noise import recipes
from papers.label_noise.descent_tables import (
    CLASSES,
    DATASETS,
    efficacy_table,
    levels_table,
    printed_levels,
    prunable_weights,
)
from tests.charts import made_up_noise


def test_printed_levels_are_those_of_the_facts():
    lenet = printed_levels("mnist-lenet")
    assert lenet[20.0, "overfitting"] == [10.74] and lenet[40.0, "overfitting"] == [40.96]
    assert lenet[20.0, "last sweet spot"] == [1.44, 1.15], "figures 9 and 11 differ"
    assert printed_levels("cifar10-resnet18")[20.0, "underfitting"] == [0.24]
    cifar100 = printed_levels("cifar100-resnet18")
    assert cifar100[40.0, "best sweet spot"] == [1.44]
    assert {noise for noise, _ in cifar100} == {40.0}, "panels whose place is uncertain are left out"


def test_measured_levels_stand_beside_printed_ones():
    table = levels_table([made_up_noise.table()])
    row = table.query("`label noise` == '20 %' and level == 'overfitting'").iloc[0]
    assert (row["measured (% of weights left)"], row["printed (%)"]) == ("6.4", "10.74")
    row = table.query("`label noise` == '40 %' and level == 'last sweet spot'").iloc[0]
    assert (row["measured (% of weights left)"], row["printed (%)"]) == ("0.4096", "1.15")
    short = levels_table([made_up_noise.table(levels=1, noises=(20.0,))])
    assert set(short["measured (% of weights left)"]) == {"–"} and len(short) == 4


def test_efficacy_and_threshold_are_told_as_weights():
    recipe = recipes.plan("mnist-lenet", "paper").recipe
    names = (*made_up_noise.SCORES[:1], "width_downscaling")
    table = efficacy_table([made_up_noise.table(names=names)], {"paper": recipe})
    assert list(table["made smaller by"]) == ["magnitude score", "narrower layers"] * 2
    first = table.iloc[0]
    assert first["efficacy (% of weights left)"] == first["threshold (% of weights left)"] == "16"
    assert first["weights at threshold"] == "42,432"  # 0.16 of 784 x 300 + 300 x 100
    assert table.iloc[1]["weights at threshold"] == "265,200"


def test_classes_and_weights_are_those_of_the_networks():
    counts = {name: prunable_weights(recipes.plan(name, "paper").recipe) for name in CLASSES}
    assert counts == {"mnist-lenet": 265_200, "cifar10-resnet18": 11_164_352, "cifar100-resnet18": 11_210_432}
    assert DATASETS.keys() == CLASSES.keys() == set(recipes.BENCHMARKS)
