"""The claim on the examples themselves, beyond the states that every claim has; printed beside measured sparsities."""

from lib.analysis.claims import decide
from lib.analysis.ranking import CATEGORIES
from papers.training_regularization.claims import CLAIM_BENCHMARKS, CLAIM_TESTS
from papers.training_regularization.example_figures import ranked_table, sparsities_table
from tests.analysis.hand_made import chain, make
from tests.papers.example_cases import LRR, errors, ranked


def put(table):
    return decide("TR-C35", CLAIM_TESTS["TR-C35"], table, CLAIM_BENCHMARKS["TR-C35"])


def test_easy_examples_among_the_changed_ones_speak_against_the_claim():
    found = put(ranked(errors(4.0, 8.0)))
    assert found.verdict == "not reproduced"
    assert "most worsened 0.400" in found.reason and "80 at 15 %" in found.reason


def test_a_share_equal_to_the_noise_level_is_no_excess():
    assert put(ranked(errors(9.0, 1.5))).verdict == "not reproduced", "15 % among the most worsened at 15 %"
    assert put(ranked(errors(9.0, 1.6))).verdict == "reproduced"


def test_a_category_without_a_sparsity_leaves_it_undecided():
    found = put(ranked(errors(9.0, 8.0), categories=CATEGORIES[1:]))
    assert found.verdict == "undecided"
    assert "most worsened without noise, most worsened at 5 % noise" in found.reason


def test_a_table_that_ranks_nothing_is_not_asked():
    found = put(make(errors(9.0, 8.0)))
    assert (found.verdict, found.reason) == ("not run", "this table ranks no training examples.")


def test_sparsities_stand_beside_table_4():
    levels = chain([2.0, 1.9, 3.9, 9.0])
    for level, loss in zip(levels, (0.1, 0.05, 0.3, 0.4), strict=True):
        level["train"] = loss
    found = sparsities_table([make({(LRR, 0.0): levels}, scale="laptop")])
    assert list(found["printed (Table 4)"]) == ["1.4", "80–5.5", "100–1.4"]
    assert list(found["laptop"]) == ["8", "50", "50–8"]
    found = sparsities_table([make({(LRR, 0.0): levels}, "cifar10-resnet20")])
    assert list(found["printed (Table 4)"]) == ["16.7–13.4", "80–21", "100–5.5"]


def test_what_was_ranked_in_words():
    found = ranked_table([ranked(errors(9.0, 8.0))])
    assert list(found["examples"]) == ["most worsened", "most improved", "least affected"]
    assert list(found["mean EL2N"]) == ["0.900", "0.900", "0.500"]
    assert list(found["15 % noise"]) == ["80 %", "80 %", "80 %"]
