"""GS's small tables: what is measured stands beside what is printed, and print stands alone where nothing is measured."""

# pandas' stubs tell neither a column from a frame nor a number from either.
# pyright: reportGeneralTypeIssues=false

import pandas
import pytest

from lib.analysis.stability import BEST, HELD_OUT, LAST, STABILITY
from papers.generalization_stability.claims import CIFAR100, RESNET18, RESNET18_SGD, VGG11, more_pruned
from papers.generalization_stability.names import FIGURE_2, MIDDLE, NONE, STABLE
from papers.generalization_stability.recipes import BENCHMARKS
from papers.generalization_stability.tables import (
    GROUPS,
    MODELS,
    NOTHING,
    correlations_table,
    figure_2,
    figure_b2,
    hyperparameters_table,
    printed_correlation,
    table_c1,
    table_f1,
    traditional_table,
)
from tests.papers.generalization_stability_cases import configurations, table

ACCURACY, STABLE_COLUMN = "test accuracy, {} (%)", "stability, {} (%)"


def by_configuration(found, column):
    return dict(zip(found["configuration"], found[column], strict=True))


def test_print_stands_alone_where_nothing_is_measured():
    for found in (table_c1([]), table_f1([]), traditional_table([]), figure_2([], RESNET18), figure_b2([], RESNET18)):
        assert set(found["scale"]) == {NOTHING} and set(found["runs"]) == {"0"}
        assert set(found[ACCURACY.format("measured")]) == set(found[STABLE_COLUMN.format("measured")]) == {NOTHING}


def test_printed_numbers_are_those_of_the_paper():
    printed = by_configuration(table_c1([]), ACCURACY.format("printed"))
    assert printed[MIDDLE] == "87.72 ± 0.18" and printed[more_pruned("largest", 40)] == "87.48 ± 0.37"
    assert by_configuration(table_c1([]), STABLE_COLUMN.format("printed"))[STABLE] == "99.957 ± 0.006"
    assert list(table_f1([])[ACCURACY.format("printed")]) == [
        "73.28 ± 0.12", "73.11 ± 0.13", "73.22 ± 0.09", "73.41 ± 0.08", "73.19",
    ]  # fmt: skip
    assert list(traditional_table([])[ACCURACY.format("printed")])[:3] == ["94.35", "94.25", "94.41"]
    assert list(figure_b2([])[STABLE_COLUMN.format("printed")]) == ["100", "99.98", "99.81", "97.67"]
    assert list(figure_b2([], RESNET18)[STABLE_COLUMN.format("printed")]) == [
        "100",
        "99.961",
        "98.14",
        "96.66",
        "99.957",
    ]
    assert set(figure_2([], VGG11)[STABLE_COLUMN.format("printed")]) == {NOTHING}, "the main text is missing"


def test_measured_means_stand_beside_print_and_the_first_table_of_a_scale_counts():
    made = table(configurations(FIGURE_2, (100, 99, 98, 97), (87, 87.25, 87.5, 88)), RESNET18, runs=3, spread=0.0)
    other = table({NONE: {BEST: 1.0}}, RESNET18)
    found = table_c1([made, other])
    assert set(found["scale"]) == {"paper"}
    measured = by_configuration(found, ACCURACY.format("measured"))
    assert measured[STABLE] == "87.25 ± 0.00" and measured[more_pruned("smallest", 4)] == NOTHING
    assert by_configuration(found, "runs") == {**dict.fromkeys(measured, "0"), **dict.fromkeys(FIGURE_2[1:], "3")}
    single = table(configurations(FIGURE_2, (100, 99, 98, 97), (87, 87, 87, 88)), RESNET18, runs=1, scale="short")
    assert "±" not in "".join(table_c1([single])[ACCURACY.format("measured")])


def test_correlations_are_told_pooled_and_within_of_both_sets_of_images_and_both_accuracies():
    cells = configurations(FIGURE_2, (100, 99, 98, 97), (87, 87.2, 87.5, 88))
    made = table({name: {**means, HELD_OUT: means[STABILITY]} for name, means in cells.items()})
    found = correlations_table([made])
    assert list(found["runs of"]) == ["Figure 2"] * 3 and set(found["runs"]) == {"18"}
    assert list(found["stability on"]) == ["test images", "held-out images", "test images"]
    assert list(found["accuracy"]) == ["best", "best", "last"]
    assert all(cell.startswith("−0.9") for cell in found["r"]) and "(−1.00 to −0.9" in found["r"][0]
    assert set(found["printed r"]) == {NOTHING}, "Figure 2 is in the main text"
    assert correlations_table([]).empty
    without_held_out = correlations_table([table(cells)])
    assert list(without_held_out["accuracy"]) == ["best", "last"]


def test_printed_correlations_belong_to_a_network_and_a_score():
    assert printed_correlation(VGG11, "E[BN] score") == ("−0.88", "−0.64")
    assert printed_correlation(RESNET18, "signed E[BN] score") == ("−0.65", "−0.43")
    assert printed_correlation(VGG11, "signed E[BN] score") == ("−0.89", NOTHING)
    assert {printed_correlation(name, "Figure 2") for name in BENCHMARKS} == {(NOTHING, NOTHING)}
    assert set(GROUPS) >= {"Figure 2", "E[BN] score", "signed E[BN] score"}


@pytest.mark.parametrize("benchmark", [VGG11, RESNET18, CIFAR100])
def test_the_paper_scale_has_the_printed_settings(benchmark):
    found = hyperparameters_table([benchmark])
    printed = found[found["printed"] != NOTHING]
    assert (printed["printed"] == printed["paper"]).all() and len(printed) >= 7
    assert "optimizer" in set(printed["setting"]), "named beside the learning rate"
    assert list(found.columns) == ["network", "setting", "printed", "paper", "short", "laptop"]


def test_settings_of_every_benchmark_can_be_told():
    found = hyperparameters_table(BENCHMARKS)
    assert isinstance(found, pandas.DataFrame) and found["paper"].ne("no plan").all()
    sgd = hyperparameters_table([RESNET18_SGD]).set_index("setting")["paper"]
    assert (sgd["share of filters that goes"], sgd["optimizer"], sgd["augmentation"]) == ("0.1", "SGD", "flip-crop")
    assert set(MODELS) <= set(BENCHMARKS) and LAST != BEST
