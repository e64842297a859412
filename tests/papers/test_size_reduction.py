"""TR's claims and tables on size reduction: what their tests allow beyond the cases of `size_reduction_cases`."""

import math

import pytest

from lib.analysis.claims import decide
from lib.analysis.tables import Table
from papers.training_regularization.cases import NOISE_PERCENT
from papers.training_regularization.claims import CLAIM_BENCHMARKS, CLAIM_TESTS
from papers.training_regularization.comparison import printed_verdicts, table_3, table_7
from tests.analysis.hand_made import chain
from tests.papers.size_reduction_cases import (
    EDT,
    FALLING,
    LENET,
    LENET_NOISES,
    LONGER_WD,
    LRR,
    ONE_SHOT,
    RESNET,
    RISING,
    VGG,
    WD,
    apart,
    both,
    curves,
    make_with_quantities,
)


def put(claim, chains, benchmark=LENET, **more):
    table = make_with_quantities(chains, benchmark, **more)
    return decide(claim, CLAIM_TESTS[claim], table, CLAIM_BENCHMARKS[claim])


def test_on_lenet_narrower_networks_must_not_be_worse_without_noise():
    verdicts = {
        width: put("TR-C20", apart([0], **{WD: width, LRR: 7.0})).verdict for width in (6.0, 7.0, 8.0)
    }
    assert verdicts == {6.0: "reproduced", 7.0: "reproduced", 8.0: "not reproduced"}
    printed = {
        name: printed_verdicts("table_07_lr_vs_width_downscaling", WD, LRR, name)[0] for name in NOISE_PERCENT
    }
    assert printed.pop(LENET) == {"match"}
    assert all("higher" in found for found in printed.values()), "the four of TR-C20"


def test_narrower_networks_may_not_beat_pruning_with_noise():
    chains = apart(NOISE_PERCENT[VGG], **{WD: 6.0, LRR: 6.0})
    assert put("TR-C22", chains, VGG).verdict == "reproduced"
    found = put("TR-C22", apart(NOISE_PERCENT[VGG], **{WD: 5.0, LRR: 6.0}), VGG)
    assert found.verdict == "not reproduced" and found.numbers["difference_error_percent_at_15"] == -1


def test_both_parts_must_fail_but_width_on_lenet():
    tied = {EDT: 8.0, WD: 6.0, LRR: 6.0}
    assert put("TR-C23", apart((0, 10, 15), **tied)).verdict == "reproduced"
    assert "which decides nothing on this network" in put("TR-C23", apart((0, 10, 15), **tied)).reason
    assert put("TR-C23", apart((0, 15, 30, 60), **tied), RESNET).verdict == "not reproduced"
    assert put("TR-C23", apart((0, 15, 30, 60), **{**tied, WD: 7.0}), RESNET).verdict == "reproduced"
    most = apart((0, 15, 30, 60), **{**tied, WD: 7.0}) | apart([30], **{EDT: 6.0})
    assert put("TR-C23", most, RESNET).verdict == "reproduced", "two of three are most"
    half = apart((0, 10, 15), **tied) | apart([10], **{EDT: 6.0})
    assert put("TR-C23", half).verdict == "not reproduced"


def test_both_curves_must_fall_and_rise_at_every_noise_level():
    whole = curves(NOISE_PERCENT[LENET], 9.0, 6.0, 8.0)
    found = put("TR-C28", whole | {(LONGER_WD, 5): chain([9.0, 9.0, 9.9])})
    assert found.verdict == "not reproduced"
    assert "longer width down-scaling at 5 % does not fall below the dense one;" in found.reason
    found = put("TR-C28", whole | {(ONE_SHOT, 15): chain([9.0, 8.0, 7.0])})
    assert "one-shot pruning at 15 % does not rise again at the end;" in found.reason
    short = put("TR-C28", curves(NOISE_PERCENT[LENET], 9.0, 6.0))
    assert (short.verdict, "it takes two besides the dense one" in short.reason) == ("undecided", True)


def test_groups_of_both_must_rise_and_the_best_smaller_network_is_read():
    rising = both(NOISE_PERCENT[LENET], groups=RISING)
    falls = both(NOISE_PERCENT[LENET], groups=FALLING)
    found = put("TR-C29", rising | {(LONGER_WD, 15): falls[LONGER_WD, 15]})
    assert found.verdict == "not reproduced"
    assert found.numbers["longer_width_downscaling_rank_correlation_at_15"] == pytest.approx(-1)
    assert found.numbers["one_shot_rank_correlation_at_15"] == pytest.approx(1)
    dense, *smaller = rising[ONE_SHOT, 5]
    best = {(ONE_SHOT, 5): [dense | {"validation": 0.1}, *smaller]}
    assert put("TR-C29", rising | best).verdict == "reproduced"


def test_quantities_that_are_not_there_are_told_apart():
    bare = curves(LENET_NOISES, 9.0, 6.0, 8.0)
    found = put("TR-C29", bare)
    assert (found.verdict, found.reason) == ("not run", "this table has no losses by EL2N group.")
    assert put("TR-C30", bare).reason == "this table has no overlap of changed examples."
    for claim, more in (("TR-C29", {"groups": RISING}), ("TR-C30", {"overlap": [0.3]})):
        table = make_with_quantities(both(LENET_NOISES, **more), LENET)
        part = table.quantities.query("not (seed == 1 and noise_percent == 15)")
        cut = Table(table.frame, table.provenance, "memory", part)
        found = decide(claim, CLAIM_TESTS[claim], cut)
        assert found.verdict == "undecided" and "too few replicates with" in found.reason


def test_overlaps_near_chance_are_allowed_where_print_has_them():
    good = both(LENET_NOISES, overlap=[0.3])
    low = both(LENET_NOISES, overlap=[0.11])
    assert put("TR-C30", good | {(ONE_SHOT, 5): low[ONE_SHOT, 5]}).verdict == "reproduced"
    assert put("TR-C30", good | {(ONE_SHOT, 10): low[ONE_SHOT, 10]}).verdict == "not reproduced"
    chance = both(LENET_NOISES, overlap=[0.04])
    assert put("TR-C30", good | {(ONE_SHOT, 5): chance[ONE_SHOT, 5]}).verdict == "not reproduced"


def test_tables_3_and_7_stand_beside_print():
    measured = make_with_quantities(both(LENET_NOISES, overlap=[0.3]), LENET, scale="laptop")
    overlap = table_3(measured)
    assert list(overlap["printed_mean"]) == [0.6, 0.11, 0.74, 0.62] and set(overlap["replicates"]) == {3}
    assert overlap["measured_mean"].tolist() == pytest.approx([0.301] * 4)
    assert set(overlap["quantity"]) == {"overlap_of_most_changed_examples"}
    nothing = table_3(make_with_quantities(apart([0], **{WD: 7.0}), LENET))
    assert set(nothing["replicates"]) == {0} and len(nothing) == 4
    sizes = table_7(make_with_quantities(apart(LENET_NOISES, **{WD: 7.0, LRR: 6.0}), LENET))
    assert len(sizes) == 8 and set(sizes["replicates"]) == {3}
    row = sizes.query(f"quantity == 'test_error_percent_optimal_{WD}' and noise_percent == 15").iloc[0]
    assert (row["printed_mean"], row["measured_mean"]) == (6.08, pytest.approx(7.0))
    assert math.isclose(row["difference"], 7.0 - 6.08)
